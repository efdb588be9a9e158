//! The path of answers.

use proptest::prelude::*;

use super::build::{answer, branch, of, question, yearly};
use crate::domain::{AnswerTest, Instrument, Question, QuestionKind, Value, walk};

/// SV-25: timeliness is asked only of those who complained; an answer outside its path is refused by name.
#[test]
fn an_answer_off_the_path_is_named() {
    let instrument = yearly();
    let quiet = [answer("overall", Value::Scale(4)), answer("complained", Value::Yes(false)), answer("timely", Value::Yes(true))];
    let walked = walk(&instrument, &quiet);
    assert_eq!(walked.asked, [0, 1, 3]);
    assert_eq!(walked.faults.iter().map(|fault| (fault.at, fault.question.as_str())).collect::<Vec<_>>(), [(2, "timely")]);
    let loud = [answer("complained", Value::Yes(true)), answer("timely", Value::Yes(true))];
    let walked = walk(&instrument, &loud);
    assert_eq!((walked.asked.len(), walked.required, walked.required_answered), (4, 4, 2));
    assert_eq!(walked.faults, []);
}

#[test]
fn an_answer_must_fit_its_question() {
    let instrument = yearly();
    let wrong = [
        answer("overall", Value::Scale(6)),
        answer("recommend", Value::Scale(11)),
        answer("complained", Value::Scale(1)),
        answer("unknown", Value::Yes(true)),
        answer("overall", Value::NotApplicable),
    ];
    let places: Vec<usize> = walk(&instrument, &wrong).faults.into_iter().map(|fault| fault.at).collect();
    assert_eq!(places, [0, 1, 2, 3, 4], "out of range, out of range, of another kind, no such question, answered twice");
}

/// Forward-leading instruments of any shape.
fn instruments() -> impl Strategy<Value = Instrument> {
    prop::collection::vec((any::<bool>(), 0_usize..12, 0_usize..12), 1..12).prop_map(|shape| {
        let length = shape.len();
        let target = |at: usize, jump: usize| if at + 1 + jump < length { format!("q{}", at + 1 + jump) } else { "end".to_owned() };
        let questions = shape.iter().enumerate().map(|(at, (is_required, yes, no))| Question {
            is_required: *is_required,
            branches: vec![branch(AnswerTest::Yes(true), &target(at, *yes)), branch(AnswerTest::Yes(false), &target(at, *no))],
            ..question(&format!("q{at}"), QuestionKind::YesNo)
        });
        of(questions.collect())
    })
}

proptest! {
    /// Every path ends, goes forward only, and counts what it asked.
    #[test]
    fn every_path_of_a_forward_instrument_ends(instrument in instruments(), answers in prop::collection::vec(prop::option::of(any::<bool>()), 12)) {
        let answers: Vec<_> = instrument
            .questions
            .iter()
            .zip(answers)
            .filter_map(|(question, yes)| Some(answer(&question.code, Value::Yes(yes?))))
            .collect();
        let walked = walk(&instrument, &answers);
        prop_assert!(walked.asked.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(walked.required_answered <= walked.required);
        prop_assert!(usize::try_from(walked.required).unwrap() <= walked.asked.len());
        // What was answered off the path is a fault, and nothing else is.
        let off = answers.iter().filter(|answer| {
            let (place, _) = instrument.question(&answer.question).unwrap();
            !walked.asked.contains(&place)
        });
        prop_assert_eq!(off.count(), walked.faults.len());
    }
}
