//! The path that a respondent's answers take. An answer that is not on it is refused, naming its question; one that is missing
//! is not: how complete a response is decides whether it counts (SV-35).

use std::collections::BTreeSet;

use super::answer::{Answer, Value, answer_to};
use super::instrument::{AnswerTest, END, Instrument, Question, QuestionKind};

/// A path that was walked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// Places of the questions that were asked.
    pub asked: Vec<usize>,
    /// Required questions among them.
    pub required: u32,
    /// Those of them that were answered.
    pub required_answered: u32,
    /// What is wrong.
    pub faults: Vec<AnswerFault>,
}

/// An answer that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerFault {
    /// Place among the answers.
    pub at: usize,
    /// The question.
    pub question: String,
    /// What is wrong.
    pub description: String,
}

/// Walks the path of these answers.
pub fn walk(instrument: &Instrument, answers: &[Answer]) -> Walk {
    let mut walk = Walk::default();
    let mut at = 0;
    while let Some(question) = instrument.questions.get(at) {
        walk.asked.push(at);
        let value = answer_to(answers, &question.code);
        if question.is_required {
            walk.required += 1;
            walk.required_answered += u32::from(value.is_some());
        }
        at = next(instrument, at, question, value);
    }
    let mut seen = BTreeSet::new();
    for (place, answer) in answers.iter().enumerate() {
        let wrong = match instrument.question(&answer.question) {
            None => Some("the questionnaire has no such question".to_owned()),
            Some(_) if !seen.insert(&answer.question) => Some("it is answered twice".to_owned()),
            Some((asked, _)) if !walk.asked.contains(&asked) => Some("it is not on the path of the other answers".to_owned()),
            Some((_, question)) => unfit(question, &answer.value),
        };
        walk.faults.extend(wrong.map(|description| AnswerFault { at: place, question: answer.question.clone(), description }));
    }
    walk
}

fn next(instrument: &Instrument, at: usize, question: &Question, value: Option<&Value>) -> usize {
    let turn = question.branches.iter().find(|branch| holds(&branch.when, value));
    match turn {
        Some(branch) if branch.go_to == END => instrument.questions.len(),
        // Published instruments lead forward only; the least step keeps even a faulty one from going round.
        Some(branch) => instrument.question(&branch.go_to).map_or(at + 1, |(target, _)| target.max(at + 1)),
        None => at + 1,
    }
}

fn holds(test: &AnswerTest, value: Option<&Value>) -> bool {
    match (test, value) {
        (AnswerTest::Unanswered(unanswered), value) => value.is_none() == *unanswered,
        (AnswerTest::Options(codes), Some(Value::Choice(code))) => codes.contains(code),
        (AnswerTest::Options(codes), Some(Value::Choices(chosen))) => chosen.iter().any(|code| codes.contains(code)),
        (AnswerTest::Yes(wanted), Some(Value::Yes(yes))) => yes == wanted,
        (AnswerTest::Range { at_least, at_most }, Some(value)) => {
            value.number().is_some_and(|number| at_least.is_none_or(|least| number >= least) && at_most.is_none_or(|most| number <= most))
        }
        (AnswerTest::Options(_) | AnswerTest::Yes(_) | AnswerTest::Range { .. }, _) => false,
    }
}

/// Why an answer does not fit its question; `None` when it does.
fn unfit(question: &Question, value: &Value) -> Option<String> {
    let wrong = |description: &str| Some(description.to_owned());
    match (&question.kind, value) {
        (_, Value::NotApplicable) if question.allows_not_applicable => None,
        (_, Value::NotApplicable) => wrong("\"does not apply\" is no answer to it"),
        (QuestionKind::Scale { max }, Value::Scale(points)) if (1..=*max).contains(points) => None,
        (QuestionKind::Scale { max }, _) => Some(format!("must be points from 1 to {max}")),
        (QuestionKind::Nps, Value::Scale(points)) if *points <= 10 => None,
        (QuestionKind::Nps, _) => wrong("must be points from 0 to 10"),
        (QuestionKind::SingleChoice { options }, Value::Choice(code)) if options.contains(code) => None,
        (QuestionKind::SingleChoice { .. }, _) => wrong("must be one of its options"),
        (QuestionKind::MultipleChoice { options, most }, Value::Choices(codes)) => {
            let distinct: BTreeSet<_> = codes.iter().collect();
            let known = distinct.iter().all(|code| options.contains(code));
            if known && distinct.len() == codes.len() && codes.len() <= *most {
                None
            } else {
                Some(format!("must be at most {most} of its options, each once"))
            }
        }
        (QuestionKind::MultipleChoice { .. }, _) => wrong("must be some of its options"),
        (QuestionKind::Text { max_length }, Value::Text { text }) if text.expose().chars().count() <= *max_length => None,
        (QuestionKind::Text { max_length }, _) => Some(format!("must be a text of at most {max_length} characters")),
        (QuestionKind::YesNo, Value::Yes(_)) => None,
        (QuestionKind::YesNo, _) => wrong("must be yes or no"),
        (QuestionKind::Number { min, max }, Value::Number(number))
            if number.is_finite() && min.is_none_or(|min| *number >= min) && max.is_none_or(|max| *number <= max) =>
        {
            None
        }
        (QuestionKind::Number { .. }, _) => wrong("must be a number within its bounds"),
    }
}
