//! F-11, SV-34: how much a rate moved between two waves that were asked alike, with the interval of the difference.

use std::collections::HashMap;

use steward_kit::metric::{Answers, Figure, Part, Ratio, around, variance_of_share};

use super::super::codes::Role;
use super::super::ids::WaveId;
use super::formulas::share;
use super::sums::{ANSWERS, BEFORE, Sums};
use super::tally::{Asked, Tally};
use super::{Answered, Behind, WaveSheet, Yardstick};

/// The difference of two shares of answers that are 0 or 1, by weight; the interval rests on their effective sizes.
pub fn moved(before: &Answers, after: &Answers) -> Figure {
    let value = |answers: &Answers| share(answers, None).value();
    let change = value(after).zip(value(before)).and_then(|(after, before)| after.minus(before));
    let variance = |answers: &Answers| variance_of_share(value(answers).map_or(0.0, Ratio::as_f64), answers.effective_size());
    let interval = change.map(|change| around(change.as_f64(), &[variance(before), variance(after)]));
    Figure::of(change, before.n() + after.n()).within(interval).beside([Part::count("without_control", 1)])
}

/// How much satisfaction, loyalty and complaints moved.
pub fn differences(before: &Tally<'_>, after: &Tally<'_>) -> [Figure; 3] {
    let satisfied = |tally: &Tally<'_>| tally.overall_answers().0.answers();
    let loyal = |tally: &Tally<'_>| tally.loyal_answers().0.answers();
    let complained = |tally: &Tally<'_>| tally.said_answers(Role::Complained).0.answers();
    [moved(&satisfied(before), &satisfied(after)), moved(&loyal(before), &loyal(after)), moved(&complained(before), &complained(after))]
}

/// Pairs of waves; without a hold-out group the plain change, labelled so.
pub(super) fn lift(yardstick: &Yardstick, waves: &[&WaveSheet], answered: &HashMap<WaveId, Answered>) -> (Sums, Vec<Behind>) {
    let (mut sums, mut rows) = (Sums::default(), Vec::new());
    let satisfied = |asked: Asked<'_>| Tally { yardstick, waves: vec![asked], population: None }.overall_answers();
    for wave in waves {
        let Some(baseline) = wave.baseline.and_then(|id| answered.get(&id)) else { continue };
        sums.alike.entry(BEFORE).or_default().and(&satisfied(baseline.asked()).0);
        let Some(after) = answered.get(&wave.id) else { continue };
        let (answers, behind) = satisfied(after.asked());
        sums.alike.entry(ANSWERS).or_default().and(&answers);
        rows.extend(behind.into_iter().map(|row| Behind { counts: true, reason: "counted", ..row }));
    }
    (sums, rows)
}
