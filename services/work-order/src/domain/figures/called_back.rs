//! F-08: who was called back; F-01 of what they said; and whether the loop was closed at all.

use jiff::Timestamp;
use steward_kit::metric::{
    Answers, CallbackCounts, CallbackResult, CoverageMethod, Entry, SatisfiedLevels, Scale, callback_coverage, csat_rate,
};

use super::complaints::rate;
use super::{CaseRow, Cohort, Counted, Counting, Row, Sheet};

/// Callbacks due in the period.
pub(super) fn coverage<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let method = match counting.definition.method {
        "attempted_in_window" => CoverageMethod::AttemptedInWindow,
        "effective" => CoverageMethod::Effective,
        "attempted" => CoverageMethod::Attempted,
        _ => CoverageMethod::EffectiveInWindow,
    };
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
    Counted { figure: callback_coverage(&counts, method), rows }
}

/// What became of a callback; `None` while it is neither done nor due.
fn result(case: &CaseRow, due: Timestamp, as_of: Timestamp) -> Option<CallbackResult> {
    match (case.facts.reach_time, case.facts.exhaust_time) {
        (Some(reached), _) if reached <= due => Some(CallbackResult::ReachedInTime),
        // Properly tried in time stays so when the customer is reached later after all.
        (_, Some(exhausted)) if exhausted <= due => Some(CallbackResult::ExhaustedInTime),
        (Some(_), _) => Some(CallbackResult::ReachedLate),
        (None, Some(_)) => Some(CallbackResult::ExhaustedLate),
        (None, None) => (due <= as_of).then_some(CallbackResult::Missed),
    }
}

/// Scores of cases completed in the period; the score of the last cycle that has one is the case's.
pub(super) fn satisfaction<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let parameters = &counting.definition.parameters;
    let satisfied = SatisfiedLevels::of(Scale::Five, &parameters.satisfied_levels, parameters.include_neutral);
    let mut answers = Answers::default();
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
            answers.add(score, 1, steward_kit::metric::WEIGHT_ONE);
        }
        let row = case.row(at, counts && satisfied.has(score), counts, reason);
        rows.push(Row { value: score.into(), ..row });
    }
    Counted { figure: csat_rate(&answers, &satisfied, None), rows }
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
    Counted { figure: rate(&rows), rows }
}
