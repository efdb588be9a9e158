//! F-08: who was called back; F-01 of what they said; and whether the loop was closed at all.

use jiff::Timestamp;
use steward_kit::metric::{
    AddsUp, Answers, AsOf, CallbackCounts, CallbackResult, CoverageMethod, Definition, Entry, Figure, Passed, SatisfiedLevels, Scale,
    Tally, csat_rate,
};

use super::{CaseRow, Cohort, Counted, Counting, Row, Sheet, shares};

/// Answers at the callback: 1 to 5.
const LEVELS: usize = 5;

/// Which callbacks count.
pub(super) fn method(definition: &Definition) -> CoverageMethod {
    match definition.method {
        "attempted_in_window" => CoverageMethod::AttemptedInWindow,
        "effective" => CoverageMethod::Effective,
        "attempted" => CoverageMethod::Attempted,
        _ => CoverageMethod::EffectiveInWindow,
    }
}

/// Callbacks due in the period.
pub(super) fn coverage<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let method = method(counting.definition);
    let mut counts = CallbackCounts::default();
    let mut rows = Vec::new();
    for (_, case) in counting.cases(sheets, Cohort::CallbackDue) {
        let Some(due) = case.facts.callback_due_time else { continue };
        let entry = case.facts.standing.in_callback_coverage(case.customer.is_some());
        if entry != Entry::Counts {
            rows.push(case.row(due, false, false, case.facts.standing.as_str()));
            continue;
        }
        if case.facts.callback_provisional {
            counts.provisional += 1;
            rows.push(case.row(due, false, false, "provisional"));
            continue;
        }
        match result(case, due, counting.as_of) {
            Some(result) => {
                counts.add(result, 1);
                rows.push(case.row(due, method.has(result), true, result.code()));
            }
            None => rows.push(case.row(due, false, false, "not_yet_due")),
        }
    }
    Counted { tally: counts.tally(), rows }
}

/// What became of a callback; `None` while it is neither done nor due.
fn result(case: &CaseRow, due: Timestamp, as_of: &AsOf) -> Option<CallbackResult> {
    match (case.facts.reach_time, case.facts.exhaust_time) {
        (Some(reached), _) if reached <= due => Some(CallbackResult::ReachedInTime),
        // Properly tried in time stays so when the customer is reached later after all.
        (_, Some(exhausted)) if exhausted <= due => Some(CallbackResult::ExhaustedInTime),
        (Some(_), _) => Some(CallbackResult::ReachedLate),
        (None, Some(_)) => Some(CallbackResult::ExhaustedLate),
        (None, None) => as_of.has_passed(due).then_some(CallbackResult::Missed),
    }
}

/// Scores of cases completed in the period; the score of the last cycle that has one is the case's.
pub(super) fn satisfaction<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let satisfied = satisfied(counting.definition);
    let mut answers = [0; LEVELS];
    let mut rows = Vec::new();
    for (_, case) in counting.cases(sheets, Cohort::Completed) {
        let facts = &case.facts;
        let Some(score) = facts.score else { continue };
        let at = facts.score_time.unwrap_or(facts.start_time);
        let counts = facts.is_case_score && facts.standing.in_satisfaction() == Entry::Counts;
        let reason = match (facts.is_case_score, counts) {
            (false, _) => "scored_again_later",
            (true, false) => facts.standing.as_str(),
            (true, true) if satisfied.has(score) => "satisfied",
            (true, true) => "not_satisfied",
        };
        if counts {
            let level = usize::try_from(score).ok().and_then(|score| answers.get_mut(score.checked_sub(1)?));
            level.into_iter().for_each(|count| *count += 1);
        }
        let row = case.row(at, counts && satisfied.has(score), counts, reason);
        rows.push(Row { value: score.into(), ..row });
    }
    Counted { tally: Tally::of(answers), rows }
}

fn satisfied(definition: &Definition) -> SatisfiedLevels {
    let parameters = &definition.parameters;
    SatisfiedLevels::of(Scale::Five, &parameters.satisfied_levels, parameters.include_neutral)
}

pub(super) fn satisfied_rate(definition: &Definition, tally: &Tally) -> Figure {
    let answers = Answers::unweighted((1..).zip(tally.numbers.iter().copied()).filter(|(_, count)| *count > 0));
    csat_rate(&answers, &satisfied(definition), None)
}

/// Cases completed in the period of which the customer was told and heard.
pub(super) fn closed_loop<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let mut rows = Vec::new();
    for (_, case) in counting.cases(sheets, Cohort::Completed) {
        let Some(at) = case.facts.complete_time.filter(|_| case.facts.is_last) else { continue };
        let counts = case.facts.standing.in_callback_coverage(case.customer.is_some()) == Entry::Counts;
        let reached = case.facts.reach_time.is_some();
        let reason = match (counts, reached) {
            (false, _) => case.facts.standing.as_str(),
            (true, true) => "customer_heard",
            (true, false) => "customer_not_heard",
        };
        rows.push(case.row(at, counts && reached, counts, reason));
    }
    Counted { tally: shares(&rows), rows }
}
