//! F-07, F-07b and F-07c: what became of the cases.

use std::collections::BTreeMap;

use jiff::Timestamp;
use steward_kit::ids::WorkOrderId;
use steward_kit::metric::{AddsUp, AsOf, CaseAtCutOff, Close, Entry, Opinion, Passed, ResolutionCounts, Standing, Tally};

use super::{CaseRow, Cohort, Counted, Counting, Row, Sheet, seconds, shares};
use crate::domain::CloseCode;

/// The end of the wait for outcomes, or now if that is earlier.
#[derive(Clone, Copy)]
struct CutOff<'a> {
    limit: Timestamp,
    as_of: &'a AsOf,
}

impl Passed for CutOff<'_> {
    fn has_passed(&self, at: Timestamp) -> bool {
        at <= self.limit && self.as_of.has_passed(at)
    }
}

/// The cycles of each case, oldest first.
fn by_case<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Vec<(&'a Sheet, Vec<&'a CaseRow>)> {
    let mut cases: BTreeMap<WorkOrderId, (&Sheet, Vec<&CaseRow>)> = BTreeMap::new();
    for (sheet, case) in counting.cases(sheets, Cohort::Occurred) {
        cases.entry(case.order).or_insert((sheet, Vec::new())).1.push(case);
    }
    let mut cases: Vec<_> = cases.into_values().collect();
    for (_, cycles) in &mut cases {
        cycles.sort_by_key(|case| case.facts.cycle);
    }
    cases
}

/// As of the cut-off: the period's end and the grace of the plan, or now if that is earlier.
pub(super) fn resolution<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let mut counts = ResolutionCounts::default();
    let mut rows = Vec::new();
    for (sheet, cycles) in by_case(counting, sheets) {
        let cut_off = CutOff { limit: sheet.after_end(&counting.definition.parameters.grace), as_of: counting.as_of };
        let Some((case, seen)) = at_cut_off(&cycles, cut_off) else { continue };
        let resolution = seen.resolution(cut_off);
        let (in_numerator, in_denominator) = resolution.counts();
        counts.add(resolution, 1);
        counts.late_entries += i64::from(in_denominator && case.facts.receive_time >= sheet.end);
        rows.push(case.row(case.facts.occur_time, in_numerator, in_denominator, resolution.code()));
    }
    Counted { tally: counts.tally(), rows }
}

/// The case in the cycle that was its last one then.
fn at_cut_off<'a>(cycles: &[&'a CaseRow], cut_off: CutOff<'_>) -> Option<(&'a CaseRow, CaseAtCutOff)> {
    let case = cycles.iter().rev().find(|case| cut_off.has_passed(case.facts.start_time)).or(cycles.first()).copied()?;
    let facts = &case.facts;
    let by_then = |time: Option<Timestamp>| time.is_some_and(|time| cut_off.has_passed(time));
    // Withdrawn later, it was a case like any other then.
    let withdrawn_later = facts.standing == Standing::Withdrawn && !by_then(facts.end_time);
    let standing = if withdrawn_later { Standing::Valid } else { facts.standing };
    let close = |code: Option<CloseCode>| match code {
        Some(CloseCode::Resolved) | None => Close::Resolved,
        Some(CloseCode::AutoClosed) => Close::Silent,
        Some(
            CloseCode::UnresolvedExplained
            | CloseCode::OutOfScope
            | CloseCode::Withdrawn
            | CloseCode::Duplicate
            | CloseCode::Invalid
            | CloseCode::Transferred,
        ) => Close::Otherwise,
    };
    let result_due = cycles.iter().rev().filter(|one| one.facts.cycle <= facts.cycle).find_map(|one| one.facts.result_due_time);
    let seen = CaseAtCutOff {
        standing,
        result_due,
        closed: facts.close_time.map(|at| (close(facts.close_code), at)),
        opinion: if by_then(facts.opinion_time) { facts.opinion } else { Opinion::Silent },
    };
    Some((case, seen))
}

/// Closed for any reason but invalid, as of now.
pub(super) fn handled<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let mut rows = Vec::new();
    for (_, cycles) in by_case(counting, sheets) {
        let Some(case) = cycles.last().copied() else { continue };
        let counts = case.facts.standing.in_handled_rate() == Entry::Counts;
        let closed = case.facts.close_time.or(case.facts.end_time).is_some();
        let reason = match (counts, closed) {
            (false, _) => case.facts.standing.as_str(),
            (true, true) => "closed",
            (true, false) => "open",
        };
        rows.push(case.row(case.facts.occur_time, counts && closed, counts, reason));
    }
    Counted { tally: shares(&rows), rows }
}

/// From receipt to the final close in the period, less what the work stood still.
pub(super) fn handling_time<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let mut taken = Vec::new();
    let mut rows = Vec::new();
    for (_, case) in counting.cases(sheets, Cohort::Closed) {
        let facts = &case.facts;
        let Some(closed) = facts.close_time else { continue };
        let counts = facts.is_last && facts.standing.in_handled_rate() == Entry::Counts;
        let took = (seconds(facts.receive_time, closed) - facts.suspended_seconds).max(0);
        let reason = match (facts.is_last, counts) {
            (false, _) => "reopened_later",
            (true, false) => facts.standing.as_str(),
            (true, true) => "closed",
        };
        if counts {
            taken.push(took);
        }
        rows.push(Row { value: took, ..case.row(closed, counts, counts, reason) });
    }
    // The mean has its median beside it: the values themselves are kept.
    Counted { tally: Tally::default().with_samples(taken), rows }
}
