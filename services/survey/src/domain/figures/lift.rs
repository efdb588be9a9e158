//! F-11, SV-34: how much a rate moved between two waves that were asked alike, with the interval of the difference.

use steward_kit::metric::{Answers, Figure, Part, Ratio, around, variance_of_share};

use super::super::codes::Role;
use super::tally::{Asked, Tally, share};
use super::{Counted, WaveSheet};

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
    let satisfied = |tally: &Tally<'_>| tally.satisfied_answers(&|instrument| instrument.with_role(Role::Overall)).0;
    [
        moved(&satisfied(before), &satisfied(after)),
        moved(&before.loyal_answers().0, &after.loyal_answers().0),
        moved(&before.said_answers(Role::Complained).0, &after.said_answers(Role::Complained).0),
    ]
}

/// Pairs of waves; without a hold-out group the plain change, labelled so.
pub(super) fn lift(tally: &Tally<'_>, waves: &[&WaveSheet]) -> Counted {
    let (mut before, mut after, mut rows) = (Answers::default(), Answers::default(), Vec::new());
    let satisfied = |asked: Asked<'_>| {
        let of_one = Tally { yardstick: tally.yardstick, waves: vec![asked], population: None };
        of_one.satisfied_answers(&|instrument| instrument.with_role(Role::Overall))
    };
    for wave in waves {
        let Some(baseline) = &wave.baseline else { continue };
        before = before.and(&satisfied(baseline.asked()).0);
        let (answers, behind) = satisfied(wave.answered.asked());
        after = after.and(&answers);
        rows.extend(behind.into_iter().map(|row| super::Behind { counts: true, reason: "counted", ..row }));
    }
    Counted { figure: moved(&before, &after), rows }
}
