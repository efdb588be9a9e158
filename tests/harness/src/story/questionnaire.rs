//! What the quarterly survey asks, and how the residents of the story answer.

use steward_proto::survey::v1::{
    Answer, AnswerTest, Branch, Dimension, Question, QuestionKind, QuestionRole, QuestionnaireContent, answer::Value, answer_test::Test,
};

/// Two dimensions, the overall question, recommendation, complaints and suggestions.
pub(super) fn content() -> QuestionnaireContent {
    let no_complaint = Branch { when: Some(AnswerTest { test: Some(Test::Yes(false)) }), go_to: "suggestion".to_owned() };
    let questions = vec![
        scale("cleaning", "environment", "您对小区保洁满意吗？"),
        scale("security", "safety", "您对小区安保满意吗？"),
        Question { role: QuestionRole::Overall.into(), ..scale("overall", "", "总体而言，您对物业服务满意吗？") },
        Question {
            role: QuestionRole::Recommend.into(), ..question("recommend", QuestionKind::Nps, "您愿意向朋友推荐我们吗？")
        },
        Question {
            role: QuestionRole::Complained.into(),
            branches: vec![no_complaint],
            ..question("complained", QuestionKind::YesNo, "过去一年您投诉过吗？")
        },
        Question { role: QuestionRole::ComplaintTimely.into(), ..question("timely", QuestionKind::YesNo, "投诉处理及时吗？") },
        Question {
            role: QuestionRole::Suggestion.into(),
            is_required: false,
            ..question("suggestion", QuestionKind::Text, "您还有什么建议？")
        },
    ];
    QuestionnaireContent {
        title_zh: "季度满意度问卷".to_owned(),
        title_en: "Quarterly questionnaire".to_owned(),
        dimensions: vec![dimension("environment", "环境", 600_000), dimension("safety", "安全", 400_000)],
        questions,
        ..QuestionnaireContent::default()
    }
}

fn dimension(code: &str, name: &str, weight_millionths: u32) -> Dimension {
    Dimension { code: code.to_owned(), name_zh: name.to_owned(), weight_millionths, ..Dimension::default() }
}

fn question(code: &str, kind: QuestionKind, text: &str) -> Question {
    Question { code: code.to_owned(), kind: kind.into(), text_zh: text.to_owned(), is_required: true, ..Question::default() }
}

fn scale(code: &str, dimension: &str, text: &str) -> Question {
    Question { dimension_code: dimension.to_owned(), scale_max: 5, ..question(code, QuestionKind::Scale, text) }
}

/// Answers of somebody with this opinion overall; whoever complained says whether it was handled in time.
pub(super) fn answers(overall: u32, complaint_was_timely: Option<bool>) -> Vec<Answer> {
    let mut given = vec![
        answer("cleaning", Value::Scale(overall.max(2))),
        answer("security", Value::Scale((overall + 1).min(5))),
        answer("overall", Value::Scale(overall)),
        answer("recommend", Value::Scale((overall * 2 + 1).min(10))),
        answer("complained", Value::Yes(complaint_was_timely.is_some())),
    ];
    given.extend(complaint_was_timely.map(|timely| answer("timely", Value::Yes(timely))));
    given
}

fn answer(question: &str, value: Value) -> Answer {
    Answer { question_code: question.to_owned(), value: Some(value), is_not_applicable: false }
}
