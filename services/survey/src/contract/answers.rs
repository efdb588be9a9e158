//! Answers, both ways.

use steward_kit::error::Violations;
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::answer::Value as Wire;

use crate::domain::{Answer, Value};

/// Reads the answers of a request.
pub(crate) fn read_answers(bad: &mut Violations, given: &[pb::Answer]) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(given.len());
    for (at, answer) in given.iter().enumerate() {
        let value = match (&answer.value, answer.is_not_applicable) {
            (None, true) => Some(Value::NotApplicable),
            (Some(_), true) | (None, false) => {
                bad.add(format!("answers[{at}]"), "ANSWERS_INVALID", "must have a value, or say that it does not apply");
                None
            }
            (Some(value), false) => Some(match value {
                Wire::Scale(points) => Value::Scale(*points),
                Wire::Choice(code) => Value::Choice(code.clone()),
                Wire::Choices(list) => Value::Choices(list.codes.clone()),
                Wire::Text(text) => Value::Text { text: text.clone().into() },
                Wire::Yes(yes) => Value::Yes(*yes),
                Wire::Number(number) => Value::Number(*number),
            }),
        };
        answers.extend(value.map(|value| Answer { question: answer.question_code.clone(), value }));
    }
    answers
}

/// Answers as messages.
pub(crate) fn answers(answers: &[Answer]) -> Vec<pb::Answer> {
    let encode = |answer: &Answer| {
        let value = match &answer.value {
            Value::Scale(points) => Some(Wire::Scale(*points)),
            Value::Choice(code) => Some(Wire::Choice(code.clone())),
            Value::Choices(codes) => Some(Wire::Choices(pb::ChoiceList { codes: codes.clone() })),
            Value::Text { text } => Some(Wire::Text(text.expose().clone())),
            Value::Yes(yes) => Some(Wire::Yes(*yes)),
            Value::Number(number) => Some(Wire::Number(*number)),
            Value::NotApplicable => None,
        };
        pb::Answer { question_code: answer.question.clone(), is_not_applicable: value.is_none(), value }
    };
    answers.iter().map(encode).collect()
}
