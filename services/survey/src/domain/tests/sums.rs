//! Figures of many estates are made of the sum of what was counted in each.

use std::sync::Arc;

use proptest::prelude::*;
use steward_kit::ids::EstateId;
use steward_kit::metric::{AsOf, Definition, Owner, Tally, metrics};
use uuid::Uuid;

use super::build::{answer, dimension, given, of, question, scale, yearly};
use crate::domain::codes::{FeedbackState, Role};
use crate::domain::figures::{Answered, ItemRow, PlanRow, Row, Sheet, WaveSheet, add_answers, count, figure};
use crate::domain::ids::WaveId;
use crate::domain::{Instrument, Question, QuestionKind, Value};

fn definitions() -> Vec<Definition> {
    metrics().iter().filter(|metric| metric.owner == Owner::Survey).map(Definition::of).collect()
}

/// The annual instrument with two dimensions, one of them in two parts.
fn instrument() -> Instrument {
    let of_dimension = |code: &str, dimension: &str| Question { dimension: Some(dimension.to_owned()), ..scale(code) };
    let stay = Question { role: Some(Role::Repurchase), ..question("stay", QuestionKind::YesNo) };
    let mut questions = yearly().questions;
    questions.extend([stay, of_dimension("q1", "hall"), of_dimension("q2", "stairs"), of_dimension("q3", "staff")]);
    let dimensions = vec![
        dimension("clean", None, 600_000),
        dimension("hall", Some("clean"), 500_000),
        dimension("stairs", Some("clean"), 500_000),
        dimension("staff", None, 400_000),
    ];
    Instrument { dimensions, ..of(questions) }
}

fn response() -> impl Strategy<Value = Row> {
    let points = || proptest::option::of(1..=5_u32);
    let weight = prop_oneof![Just(1_000_000_i64), Just(500_000), Just(1_333_333)];
    (weight, points(), proptest::option::of(0..=10_u32), any::<bool>(), any::<bool>(), points(), points(), points()).prop_map(
        |(weight, overall, recommend, stay, complained, q1, q2, q3)| {
            let scales = [("overall", overall), ("recommend", recommend), ("q1", q1), ("q2", q2), ("q3", q3)];
            let mut answers: Vec<_> = scales.into_iter().filter_map(|(code, points)| Some(answer(code, Value::Scale(points?)))).collect();
            answers.extend([answer("stay", Value::Yes(stay)), answer("complained", Value::Yes(complained))]);
            given(weight, answers)
        },
    )
}

/// A wave with another before it, and what they were answered.
fn sheet(rows: Vec<Row>, before: Vec<Row>) -> Sheet {
    let (wave, baseline, instrument) = (WaveId::new(), WaveId::new(), Arc::new(instrument()));
    let mut sheet = Sheet::new(EstateId::new());
    sheet.waves.push(WaveSheet {
        id: wave,
        programme: "annual".to_owned(),
        is_standing: false,
        is_under_sample: rows.len() < 3,
        eligible: 40,
        invited: 30,
        baseline: Some(baseline),
    });
    sheet.answered.insert(baseline, Answered { instrument: instrument.clone(), rows: before });
    sheet.answered.insert(wave, Answered { instrument, rows });
    let (id, at) = (Uuid::now_v7(), jiff::Timestamp::UNIX_EPOCH);
    sheet.assessed.push(ItemRow { id, at, state: FeedbackState::Adopted, collate_time: None });
    sheet.collating.push(ItemRow { id, at, state: FeedbackState::New, collate_time: None });
    sheet.implemented.push(PlanRow { id, at, difference: None });
    sheet.verified.push(PlanRow { id, at, difference: Some(-20_000) });
    sheet.interview_rounds = 2;
    sheet
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// M8: counted together, one estate at a time, or a few responses at a time: the figure is the same.
    #[test]
    fn a_figure_is_the_same_however_its_rows_were_counted(
        mine in proptest::collection::vec(response(), 0..12),
        theirs in proptest::collection::vec(response(), 0..12),
        before in proptest::collection::vec(response(), 0..6),
        cut in 0..12_usize,
    ) {
        let as_of = AsOf::new("2026-07-01T00:00:00Z".parse().unwrap());
        let (one, other) = (sheet(mine, before), sheet(theirs, Vec::new()));
        // As if both were waves of one estate.
        let mut both = one.clone();
        both.waves.extend(other.waves.clone());
        both.answered.extend(other.answered.clone());
        both.assessed.extend(other.assessed.clone());
        both.collating.extend(other.collating.clone());
        both.implemented.extend(other.implemented.clone());
        both.verified.extend(other.verified.clone());
        both.interview_rounds += other.interview_rounds;
        for definition in definitions() {
            let counted = |sheet: &Sheet| count(&definition, &as_of, sheet).unwrap().tally;
            let shown = |tally: &Tally| figure(&definition, tally, 2).unwrap();
            let whole = shown(&counted(&both));
            prop_assert_eq!(&shown(&Tally::sum([&counted(&one), &counted(&other)])), &whole, "{}", definition.metric.id);
            // In parts: what a batch does not hold is counted with the next.
            let mut parts = [both.clone(), both.clone()];
            for (place, part) in parts.iter_mut().enumerate() {
                for answered in part.answered.values_mut() {
                    let at = cut.min(answered.rows.len());
                    answered.rows = if place == 0 { answered.rows[..at].to_vec() } else { answered.rows[at..].to_vec() };
                }
            }
            let mut sum = counted(&parts[0]);
            add_answers(&mut sum, &definition, &parts[1]);
            let kept = Tally::kept(&Tally::keep(vec![sum])).unwrap();
            prop_assert_eq!(&shown(&kept[0]), &whole, "{} in parts", definition.metric.id);
        }
    }
}
