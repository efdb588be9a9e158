//! What refuses a questionnaire at publication, each with its place.

use super::build::{branch, dimension, of, question, scale, yearly};
use crate::domain::codes::Role;
use crate::domain::{AnswerTest, Instrument, Question, QuestionKind, faults};

fn found(instrument: &Instrument, least: u32) -> Vec<(String, &'static str)> {
    faults(instrument, least).into_iter().map(|fault| (fault.place, fault.code)).collect()
}

#[test]
fn a_sound_questionnaire_has_no_faults() {
    assert_eq!(found(&yearly(), 0), []);
}

/// SV-43: weights of a level sum to exactly one, or none is given.
#[test]
fn weights_that_do_not_sum_to_one_are_refused() {
    let with = |weights: [u32; 3]| Instrument {
        dimensions: vec![dimension("a", None, weights[0]), dimension("b", None, weights[1]), dimension("c", None, weights[2])],
        ..of(vec![scale("one")])
    };
    assert_eq!(found(&with([333_333, 333_333, 333_333]), 0), [("dimensions[0].weight_millionths".to_owned(), "weights_not_one")]);
    assert_eq!(found(&with([333_333, 333_333, 333_334]), 0), []);
    assert_eq!(found(&with([0, 0, 0]), 0), []);
}

/// SV-04
#[test]
fn nine_dimensions_are_too_few_for_ten() {
    let dimensions = (0..9).map(|at| dimension(&format!("d{at}"), None, 0)).collect();
    let instrument = Instrument { dimensions, ..of(vec![scale("one")]) };
    assert_eq!(found(&instrument, 10), [("dimensions".to_owned(), "too_few_dimensions")]);
    assert_eq!(found(&instrument, 9), []);
}

#[test]
fn a_dimension_hangs_below_one_that_stands_before_it() {
    let dimensions = vec![dimension("child", Some("parent"), 0), dimension("parent", None, 0), dimension("parent", None, 0)];
    let codes: Vec<_> = found(&Instrument { dimensions, ..of(vec![scale("one")]) }, 0).into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["dimension_unknown", "code_taken"]);
}

#[test]
fn a_path_that_turns_back_has_no_end() {
    let back = Question { branches: vec![branch(AnswerTest::Yes(true), "first")], ..question("second", QuestionKind::YesNo) };
    let nowhere = Question { branches: vec![branch(AnswerTest::Yes(true), "ninth")], ..question("third", QuestionKind::YesNo) };
    let instrument = of(vec![scale("first"), back, nowhere]);
    assert_eq!(
        found(&instrument, 0),
        [
            ("questions[1].branches[0].go_to".to_owned(), "path_without_end"),
            ("questions[2].branches[0].go_to".to_owned(), "path_without_end")
        ]
    );
}

#[test]
fn a_question_that_nobody_comes_to_is_refused() {
    let all_leave = Question {
        branches: vec![branch(AnswerTest::Yes(true), "last"), branch(AnswerTest::Yes(false), "end")],
        ..question("first", QuestionKind::YesNo)
    };
    let instrument = of(vec![all_leave.clone(), scale("skipped"), scale("last")]);
    assert_eq!(found(&instrument, 0), [("questions[1]".to_owned(), "question_unreachable")]);
    let optional = of(vec![Question { is_required: false, ..all_leave }, scale("skipped"), scale("last")]);
    assert_eq!(found(&optional, 0), [], "who does not answer goes on to the next");
}

#[test]
fn a_test_must_suit_its_question() {
    let colours = QuestionKind::SingleChoice { options: vec!["red".to_owned(), "blue".to_owned()] };
    let choice = Question { branches: vec![branch(AnswerTest::Options(vec!["green".to_owned()]), "end")], ..question("colour", colours) };
    let yes = Question { branches: vec![branch(AnswerTest::Yes(true), "end")], ..scale("points") };
    let codes: Vec<_> = found(&of(vec![choice, yes]), 0);
    assert_eq!(
        codes,
        [
            ("questions[0].branches[0].when.options".to_owned(), "option_unknown"),
            ("questions[1].branches[0].when".to_owned(), "test_unsuited")
        ]
    );
}

#[test]
fn a_role_is_had_once_and_by_a_question_of_its_kind() {
    let overall = |code: &str| Question { role: Some(Role::Overall), ..scale(code) };
    let text = Question { role: Some(Role::Complained), ..question("text", QuestionKind::Text { max_length: 200 }) };
    let codes: Vec<_> = found(&of(vec![overall("one"), overall("two"), text]), 0);
    assert_eq!(codes, [("questions[1].role".to_owned(), "role_taken"), ("questions[2].role".to_owned(), "role_unsuited")]);
}

#[test]
fn options_bounds_codes_and_maps_are_looked_at() {
    let one_option = question("few", QuestionKind::SingleChoice { options: vec!["only".to_owned()] });
    let greedy = question("greedy", QuestionKind::MultipleChoice { options: vec!["a".to_owned(), "a".to_owned()], most: 3 });
    let reversed = question("number", QuestionKind::Number { min: Some(5.0), max: Some(1.0) });
    let overall = Question { role: Some(Role::Overall), ..scale("few") };
    let instrument = Instrument { score_map: vec![20, 40, 60], ..of(vec![one_option, greedy, reversed, overall]) };
    let codes: Vec<_> = found(&instrument, 0).into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["options_missing", "choices_too_many", "code_taken", "bounds_reversed", "code_taken", "score_map_invalid"]);
}
