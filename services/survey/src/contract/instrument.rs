//! A questionnaire's content as the rules see it.

use steward_kit::code::Code;
use steward_kit::error::Violations;
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::answer_test::Test;

use crate::domain::codes::Role;
use crate::domain::{AnswerTest, Branch, Dimension, Instrument, Question, QuestionKind};

/// Characters of a text for which the question names no bound.
const USUAL_TEXT: u32 = 2000;

/// Reads a content; what cannot be read is noted under `field`.
pub(crate) fn instrument(bad: &mut Violations, field: &str, content: &pb::QuestionnaireContent) -> Instrument {
    let dimensions = content.dimensions.iter().map(|dimension| Dimension {
        code: dimension.code.clone(),
        parent: Some(dimension.parent_code.clone()).filter(|code| !code.is_empty()),
        weight: dimension.weight_millionths,
    });
    let mut questions = Vec::with_capacity(content.questions.len());
    for (at, question) in content.questions.iter().enumerate() {
        let Some(kind) = kind_of(question) else {
            bad.add(format!("{field}.questions[{at}].kind"), "enum.defined_only", "must be given, as a value this version knows");
            continue;
        };
        questions.push(Question {
            code: question.code.clone(),
            dimension: Some(question.dimension_code.clone()).filter(|code| !code.is_empty()),
            kind,
            role: Role::of_number(question.role),
            is_required: question.is_required,
            allows_not_applicable: question.allows_not_applicable,
            branches: question.branches.iter().filter_map(branch).collect(),
        });
    }
    Instrument { dimensions: dimensions.collect(), questions, score_map: content.score_map.clone() }
}

fn kind_of(question: &pb::Question) -> Option<QuestionKind> {
    let options = || question.options.iter().map(|option| option.code.clone()).collect::<Vec<_>>();
    let size = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    Some(match question.kind() {
        pb::QuestionKind::Unspecified => return None,
        pb::QuestionKind::Scale => QuestionKind::Scale { max: question.scale_max },
        pb::QuestionKind::Nps => QuestionKind::Nps,
        pb::QuestionKind::SingleChoice => QuestionKind::SingleChoice { options: options() },
        pb::QuestionKind::MultipleChoice => {
            let options = options();
            let most = if question.max_choices == 0 { options.len() } else { size(question.max_choices) };
            QuestionKind::MultipleChoice { options, most }
        }
        pb::QuestionKind::Text => {
            QuestionKind::Text { max_length: size(if question.max_length == 0 { USUAL_TEXT } else { question.max_length }) }
        }
        pb::QuestionKind::YesNo => QuestionKind::YesNo,
        pb::QuestionKind::Number => QuestionKind::Number { min: question.number_min, max: question.number_max },
    })
}

/// A branch; one without a test was refused by the declared rules.
fn branch(branch: &pb::Branch) -> Option<Branch> {
    let when = match branch.when.as_ref()?.test.as_ref()? {
        Test::Options(test) => AnswerTest::Options(test.codes.clone()),
        Test::Range(range) => AnswerTest::Range { at_least: range.at_least, at_most: range.at_most },
        Test::Yes(yes) => AnswerTest::Yes(*yes),
        Test::Unanswered(unanswered) => AnswerTest::Unanswered(*unanswered),
    };
    Some(Branch { when, go_to: branch.go_to.clone() })
}
