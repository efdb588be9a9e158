//! The figures of a wave: the vectors of `metrics.md` §10.2 that are about answers, and what is not shown.

use super::build::{answer, dimension, given, many, of, question, scale, yearly};
use crate::domain::codes::Role;
use crate::domain::{Answer, Given, Instrument, Question, QuestionKind, Rules, Value, WEIGHT_ONE, WaveFigures, Yardstick, figures_of};

fn computed(instrument: &Instrument, given: &[Given], yardstick: &Yardstick) -> WaveFigures {
    figures_of(&Rules { instrument, yardstick, population: None }, given)
}

fn of_plan() -> Yardstick {
    Yardstick { satisfied: vec![4, 5], score_map: vec![20, 40, 60, 80, 100], ..Yardstick::default() }
}

fn overall(points: u32) -> Vec<Answer> {
    vec![answer("overall", Value::Scale(points))]
}

/// F-01, F-02, vector 1
#[test]
fn three_hundred_answers_are_90_per_cent_and_87_points() {
    let counts = [(5, 150), (4, 120), (3, 20), (2, 6), (1, 4)];
    let given: Vec<Given> = counts.into_iter().flat_map(|(points, n)| many(n, &overall(points))).collect();
    let figures = computed(&yearly(), &given, &of_plan());
    assert_eq!(figures.csat_rate.n, 300);
    assert!((figures.csat_rate.value - 0.9).abs() < 1e-12);
    let (low, high) = figures.csat_rate.interval.unwrap();
    assert_eq!((format!("{:.1}", low * 100.0), format!("{:.1}", high * 100.0)), ("86.1".to_owned(), "92.9".to_owned()));
    assert_eq!(format!("{:.2}", figures.csat_score.value), "87.07");
}

/// F-03, vector 2, SV-42
#[test]
fn ninety_six_promoters_and_forty_detractors_are_28() {
    let recommend = |points: u32| vec![answer("recommend", Value::Scale(points))];
    let given: Vec<Given> = [(9, 96), (7, 64), (6, 40)].into_iter().flat_map(|(points, n)| many(n, &recommend(points))).collect();
    assert!((computed(&yearly(), &given, &of_plan()).nps.value - 28.0).abs() < 1e-9);
}

/// F-05b, F-06b, SV-24, SV-25: 8 of 100 complained, 7 of them were answered in time.
#[test]
fn complaints_and_their_timeliness_are_measured_by_the_survey() {
    let loud = |timely| vec![answer("complained", Value::Yes(true)), answer("timely", Value::Yes(timely))];
    let mut given = many(92, &[answer("complained", Value::Yes(false))]);
    given.extend(many(7, &loud(true)));
    given.extend(many(1, &loud(false)));
    let figures = computed(&yearly(), &given, &of_plan());
    assert!((figures.complaint_rate.value - 0.08).abs() < 1e-12);
    assert!((figures.complaint_timely_rate.value - 0.875).abs() < 1e-12);
    assert_eq!((figures.complaint_rate.n, figures.complaint_timely_rate.n), (100, 8));
}

/// SV-38: over-sampled answers weigh less, and both figures are shown.
#[test]
fn weighted_and_unweighted_stand_side_by_side() {
    let mut answers: Vec<Given> = (0..80).map(|_| given(WEIGHT_ONE, overall(5))).collect();
    answers.extend((0..40).map(|_| given(WEIGHT_ONE / 2, overall(1))));
    let rate = computed(&yearly(), &answers, &of_plan()).csat_rate;
    assert!((rate.weighted_value - 0.8).abs() < 1e-12 && (rate.value - 2.0 / 3.0).abs() < 1e-12);
}

/// F-02b, SV-43: a dimension that nobody answered gives its weight to the rest; with less than half there is no index.
#[test]
fn an_index_needs_half_of_its_weight() {
    let of_dimension = |code: &str, dimension: &str| Question { dimension: Some(dimension.to_owned()), ..scale(code) };
    let instrument = Instrument {
        dimensions: vec![dimension("staff", None, 500_000), dimension("safety", None, 300_000), dimension("green", None, 200_000)],
        ..of(vec![of_dimension("q1", "staff"), of_dimension("q2", "safety"), of_dimension("q3", "green")])
    };
    let both = many(10, &[answer("q1", Value::Scale(4)), answer("q2", Value::Scale(5))]);
    let index = computed(&instrument, &both, &of_plan()).csat_index;
    assert!((index.value - (0.5 * 80.0 + 0.3 * 100.0) / 0.8).abs() < 1e-9);
    let few = many(10, &[answer("q3", Value::Scale(4))]);
    assert_eq!(computed(&instrument, &few, &of_plan()).csat_index.n, 0);
}

/// SV-40: a cell that is too small is not shown, and says so.
#[test]
fn a_small_cell_is_not_shown() {
    let yardstick = Yardstick { suppress_below: 5, ..of_plan() };
    let figures = computed(&yearly(), &many(4, &overall(1)), &yardstick);
    assert!(figures.csat_rate.is_suppressed && figures.csat_rate.interval.is_none());
    assert!(figures.csat_rate.value.abs() < 1e-12 && figures.questions[0].counts.is_empty());
    let shown = computed(&yearly(), &many(5, &overall(1)), &yardstick);
    assert!(!shown.csat_rate.is_suppressed && shown.questions[0].counts.len() == 1);
}

/// SV-40, SV-06: with one mode hidden, another is hidden too, or the hidden one is what is left of the total.
#[test]
fn what_is_hidden_cannot_be_computed_from_what_is_shown() {
    use crate::domain::codes::Mode;
    let yardstick = Yardstick { suppress_below: 5, ..of_plan() };
    let mut answers = many(30, &overall(5));
    answers.extend(many(12, &overall(4)).into_iter().map(|one| Given { mode: Mode::Paper, ..one }));
    answers.extend(many(3, &overall(1)).into_iter().map(|one| Given { mode: Mode::Phone, ..one }));
    let modes = &computed(&yearly(), &answers, &yardstick).questions[0].modes;
    let hidden: Vec<bool> = modes.iter().map(|(_, shown)| shown.is_suppressed).collect();
    assert_eq!(hidden.iter().filter(|hidden| **hidden).count(), 2, "{modes:?}");
    assert!(modes.iter().any(|(mode, shown)| *mode == Mode::Online && !shown.is_suppressed), "the largest is shown");
}

/// F-04, SV-23: satisfied and recommending and staying.
#[test]
fn loyalty_is_all_three_at_once() {
    let stay = Question { role: Some(Role::Repurchase), ..question("stay", QuestionKind::YesNo) };
    let mut instrument = yearly();
    instrument.questions.push(stay);
    let of = |overall, recommend, stay| {
        vec![answer("overall", Value::Scale(overall)), answer("recommend", Value::Scale(recommend)), answer("stay", Value::Yes(stay))]
    };
    let mut answers = many(7, &of(5, 9, true));
    answers.extend(many(1, &of(5, 9, false)));
    answers.extend(many(1, &of(5, 5, true)));
    answers.extend(many(1, &of(2, 9, true)));
    answers.extend(many(5, &overall(5)));
    let loyalty = computed(&instrument, &answers, &of_plan()).loyalty_rate;
    assert_eq!(loyalty.n, 10, "only those who answered all three");
    assert!((loyalty.value - 0.7).abs() < 1e-12);
}
