//! The questionnaire that tests ask: ten dimensions, the overall question, recommendation, repurchase, complaints, suggestions.

use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::answer::Value;
use steward_proto::survey::v1::answer_test::Test;

/// The dimensions of the annual measurement (SV-04, SV-05).
pub(crate) const DIMENSIONS: [&str; 10] = [
    "service_quality",
    "environment",
    "security",
    "greening",
    "cleaning",
    "maintenance",
    "parking",
    "staff",
    "communication_efficiency",
    "community_atmosphere",
];

pub(crate) fn question(code: &str, kind: pb::QuestionKind) -> pb::Question {
    pb::Question {
        code: code.to_owned(), kind: kind.into(), text_zh: "您的看法？".to_owned(), is_required: true, ..Default::default()
    }
}

pub(crate) fn scale(code: &str, dimension: &str) -> pb::Question {
    pb::Question { dimension_code: dimension.to_owned(), scale_max: 5, ..question(code, pb::QuestionKind::Scale) }
}

pub(crate) fn content() -> pb::QuestionnaireContent {
    let dimension = |code: &&str| pb::Dimension {
        code: (*code).to_owned(),
        name_zh: (*code).to_owned(),
        weight_millionths: 100_000,
        ..Default::default()
    };
    let mut questions: Vec<pb::Question> = DIMENSIONS.iter().map(|code| scale(&format!("q_{code}"), code)).collect();
    questions.push(pb::Question { role: pb::QuestionRole::Overall.into(), ..scale("overall", "") });
    questions.push(pb::Question { role: pb::QuestionRole::Recommend.into(), ..question("recommend", pb::QuestionKind::Nps) });
    questions.push(pb::Question { role: pb::QuestionRole::Repurchase.into(), ..question("renew", pb::QuestionKind::YesNo) });
    let no_complaint = pb::Branch { when: Some(pb::AnswerTest { test: Some(Test::Yes(false)) }), go_to: "suggestion".to_owned() };
    questions.push(pb::Question {
        role: pb::QuestionRole::Complained.into(),
        branches: vec![no_complaint],
        ..question("complained", pb::QuestionKind::YesNo)
    });
    questions.push(pb::Question { role: pb::QuestionRole::ComplaintTimely.into(), ..question("timely", pb::QuestionKind::YesNo) });
    questions.push(pb::Question {
        role: pb::QuestionRole::Suggestion.into(),
        is_required: false,
        ..question("suggestion", pb::QuestionKind::Text)
    });
    pb::QuestionnaireContent {
        title_zh: "年度满意度调查".to_owned(),
        dimensions: DIMENSIONS.iter().map(dimension).collect(),
        questions,
        ..Default::default()
    }
}

/// One question only, for waves whose figures a test computes by hand.
pub(crate) fn short() -> pb::QuestionnaireContent {
    let overall = pb::Question { role: pb::QuestionRole::Overall.into(), ..scale("overall", "") };
    pb::QuestionnaireContent { title_zh: "回访".to_owned(), questions: vec![overall], ..Default::default() }
}

pub(crate) fn answer(question: &str, value: Value) -> pb::Answer {
    pb::Answer { question_code: question.to_owned(), value: Some(value), is_not_applicable: false }
}

/// Answers to [`content`] of somebody who did not complain; the dimensions vary, so that it is no straight line.
pub(crate) fn answers(overall: u32) -> Vec<pb::Answer> {
    let vary = |(at, code): (usize, &&str)| answer(&format!("q_{code}"), Value::Scale(if at % 2 == 0 { 4 } else { 5 }));
    let mut answers: Vec<pb::Answer> = DIMENSIONS.iter().enumerate().map(vary).collect();
    answers.push(answer("overall", Value::Scale(overall)));
    answers.push(answer("recommend", Value::Scale(9)));
    answers.push(answer("renew", Value::Yes(true)));
    answers.push(answer("complained", Value::Yes(false)));
    answers
}

/// The answer to [`short`].
pub(crate) fn only(overall: u32) -> Vec<pb::Answer> {
    vec![answer("overall", Value::Scale(overall))]
}
