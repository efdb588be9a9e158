//! The figures of a wave: the vectors of `metrics.md` §10.2 that are about answers, and what is not shown.

use std::sync::Arc;

use steward_kit::metric::{Answers, BeforeAfter, Ratio, Share, csat_lift};

use super::build::{answer, dimension, given, many, of, question, scale, yearly};
use crate::domain::codes::Role;
use crate::domain::figures::{Answered, Row, Yardstick, moved};
use crate::domain::{Answer, Instrument, Question, QuestionKind, Rules, Value, WEIGHT_ONE, WaveFigures, figures_of};

fn suppressed(instrument: &Instrument, given: &[Row], suppress_below: u32) -> WaveFigures {
    let yardstick = Yardstick { satisfied: vec![4, 5], score_maps: vec![vec![20, 40, 60, 80, 100]], ..Yardstick::default() };
    let answered = Answered { instrument: Arc::new(instrument.clone()), rows: given.to_vec() };
    figures_of(&Rules { yardstick: &yardstick, population: None, invited: 0, suppress_below }, &answered)
}

fn computed(instrument: &Instrument, given: &[Row]) -> WaveFigures {
    suppressed(instrument, given, 0)
}

fn overall(points: u32) -> Vec<Answer> {
    vec![answer("overall", Value::Scale(points))]
}

/// F-01, F-02, vector 1
#[test]
fn three_hundred_answers_are_90_per_cent_and_87_points() {
    let counts = [(5, 150), (4, 120), (3, 20), (2, 6), (1, 4)];
    let given: Vec<Row> = counts.into_iter().flat_map(|(points, n)| many(n, &overall(points))).collect();
    let figures = computed(&yearly(), &given);
    assert_eq!(figures.csat_rate.n, 300);
    assert_eq!(figures.csat_rate.plain, Ratio::new(270, 300));
    let interval = figures.csat_rate.interval.unwrap();
    let shown = (format!("{:.1}", interval.low * 100.0), format!("{:.1}", interval.high * 100.0));
    assert_eq!(shown, ("86.1".to_owned(), "92.9".to_owned()));
    assert_eq!(figures.csat_score.plain, Ratio::new(26_120, 300));
}

/// F-03, vector 2, SV-42
#[test]
fn ninety_six_promoters_and_forty_detractors_are_28() {
    let recommend = |points: u32| vec![answer("recommend", Value::Scale(points))];
    let given: Vec<Row> = [(9, 96), (7, 64), (6, 40)].into_iter().flat_map(|(points, n)| many(n, &recommend(points))).collect();
    assert_eq!(computed(&yearly(), &given).nps.plain, Some(Ratio::whole(28)));
}

/// F-05b, F-06b, SV-24, SV-25: 8 of 100 complained, 7 of them were answered in time.
#[test]
fn complaints_and_their_timeliness_are_measured_by_the_survey() {
    let loud = |timely| vec![answer("complained", Value::Yes(true)), answer("timely", Value::Yes(timely))];
    let mut given = many(92, &[answer("complained", Value::Yes(false))]);
    given.extend(many(7, &loud(true)));
    given.extend(many(1, &loud(false)));
    let figures = computed(&yearly(), &given);
    assert_eq!((figures.complaint_rate.plain, figures.complaint_timely_rate.plain), (Ratio::new(8, 100), Ratio::new(7, 8)));
    assert_eq!((figures.complaint_rate.n, figures.complaint_timely_rate.n), (100, 8));
}

/// SV-38: over-sampled answers weigh less, and both figures are shown.
#[test]
fn weighted_and_unweighted_stand_side_by_side() {
    let mut answers: Vec<Row> = (0..80).map(|_| given(WEIGHT_ONE, overall(5))).collect();
    answers.extend((0..40).map(|_| given(WEIGHT_ONE / 2, overall(1))));
    let rate = computed(&yearly(), &answers).csat_rate;
    assert_eq!((rate.weighted, rate.plain), (Ratio::new(4, 5), Ratio::new(2, 3)));
}

/// F-02b, SV-43: a dimension that nobody answered gives its weight to the rest; with less than half of them there is no index.
#[test]
fn an_index_needs_half_of_its_dimensions() {
    let of_dimension = |code: &str, dimension: &str| Question { dimension: Some(dimension.to_owned()), ..scale(code) };
    let instrument = Instrument {
        dimensions: vec![dimension("staff", None, 500_000), dimension("safety", None, 300_000), dimension("green", None, 200_000)],
        ..of(vec![of_dimension("q1", "staff"), of_dimension("q2", "safety"), of_dimension("q3", "green")])
    };
    let both = many(10, &[answer("q1", Value::Scale(4)), answer("q2", Value::Scale(5))]);
    let index = computed(&instrument, &both).csat_index;
    assert_eq!(index.plain, Ratio::new(700, 8));
    let few = many(10, &[answer("q3", Value::Scale(4))]);
    assert_eq!(computed(&instrument, &few).csat_index.n, 0);
}

/// SV-40: a cell that is too small is not shown, and says so.
#[test]
fn a_small_cell_is_not_shown() {
    let figures = suppressed(&yearly(), &many(4, &overall(1)), 5);
    let rate = &figures.csat_rate;
    assert!(rate.is_suppressed && rate.interval.is_none() && rate.plain.is_none() && rate.weighted.is_none());
    assert!(figures.questions[0].counts.is_empty());
    let shown = suppressed(&yearly(), &many(5, &overall(1)), 5);
    assert!(!shown.csat_rate.is_suppressed && shown.questions[0].counts.len() == 1);
}

/// SV-40, SV-06: with one mode hidden, another is hidden too, or the hidden one is what is left of the total.
#[test]
fn what_is_hidden_cannot_be_computed_from_what_is_shown() {
    use crate::domain::codes::Mode;
    let mut answers = many(30, &overall(5));
    answers.extend(many(12, &overall(4)).into_iter().map(|one| Row { mode: Mode::Paper, ..one }));
    answers.extend(many(3, &overall(1)).into_iter().map(|one| Row { mode: Mode::Phone, ..one }));
    let modes = &suppressed(&yearly(), &answers, 5).questions[0].modes;
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
    let loyalty = computed(&instrument, &answers).loyalty_rate;
    assert_eq!(loyalty.n, 10, "only those who answered all three");
    assert_eq!(loyalty.plain, Ratio::new(7, 10));
}

/// F-11, SV-34: without weights the difference is that of the formula; with weights it is that of what was estimated.
#[test]
fn a_lift_is_the_difference_of_what_was_estimated() {
    let (before, after) = (Answers::unweighted([(1, 720), (0, 280)]), Answers::unweighted([(1, 836), (0, 164)]));
    let by_formula =
        BeforeAfter { before: Share { numerator: 720, denominator: 1000 }, after: Share { numerator: 836, denominator: 1000 } };
    let figure = moved(&before, &after);
    assert_eq!((figure.value(), csat_lift(by_formula, None).value()), (Ratio::new(116, 1000), Ratio::new(116, 1000)));
    let (ours, theirs) = (figure.interval.unwrap(), csat_lift(by_formula, None).interval.unwrap());
    assert!((ours.low - theirs.low).abs() < 1e-12 && (ours.high - theirs.high).abs() < 1e-12, "{ours:?} {theirs:?}");
    let mut weighted = Answers::unweighted([(1, 80)]);
    weighted.add(0, 40, WEIGHT_ONE / 2);
    assert_eq!(moved(&Answers::unweighted([(1, 1), (0, 1)]), &weighted).value(), Ratio::new(3, 10));
}

/// F-01, F-02: of a scale that neither the formulas nor the plan know there is no rate and no score, but every answer is counted.
#[test]
fn a_scale_that_nobody_speaks_of_is_counted_and_not_rated() {
    let seven = Question { role: Some(Role::Overall), ..question("overall", QuestionKind::Scale { max: 7 }) };
    let instrument = of(vec![seven]);
    let figures = computed(&instrument, &many(30, &overall(6)));
    assert_eq!((figures.csat_rate.n, figures.csat_score.n, figures.questions[0].answered), (0, 0, 30));
    let yardstick = Yardstick { satisfied: vec![6, 7], score_maps: vec![vec![0, 10, 30, 50, 70, 90, 100]], ..Yardstick::default() };
    let answered = Answered { instrument: Arc::new(instrument), rows: many(30, &overall(6)) };
    let own = figures_of(&Rules { yardstick: &yardstick, population: None, invited: 0, suppress_below: 0 }, &answered);
    assert_eq!((own.csat_rate.plain, own.csat_score.plain), (Some(Ratio::ONE), Some(Ratio::whole(90))));
}
