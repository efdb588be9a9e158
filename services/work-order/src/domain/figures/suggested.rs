//! F-19 and F-20, for suggestions that came as orders; the suggestion box of the survey service has its own.

use jiff::SignedDuration;
use steward_kit::metric::{AddsUp, Deadline, Entry, Timeliness, TimelyCounts};

use super::{Cohort, Counted, Counting, Row, Sheet, shares};
use crate::domain::CloseCode;

/// How long collating may take, where the plan says nothing (SV-14).
const COLLATE_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Suggestions assessed in the period: adopted are those that ended as resolved.
pub(super) fn adoption<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    for (_, case) in counting.cases(sheets, Cohort::Assessed) {
        let Some(at) = case.facts.assess_time.filter(|_| case.facts.is_last) else { continue };
        let counts = case.facts.standing.in_handled_rate() == Entry::Counts;
        let adopted = case.facts.close_code == Some(CloseCode::Resolved);
        let reason = match (counts, adopted) {
            (false, _) => case.facts.standing.as_str(),
            (true, true) => "adopted",
            (true, false) => "not_adopted",
        };
        rows.push(case.row(at, counts && adopted, counts, reason));
    }
    Counted { tally: shares(&rows), rows }
}

/// Suggestions whose collating was due in the period: assessed or dealt with by then.
pub(super) fn collation<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let mut counts = TimelyCounts::default();
    let mut rows = Vec::new();
    for (sheet, case) in counting.cases(sheets, Cohort::Collating).into_iter().filter(|(_, case)| case.facts.cycle == 1) {
        let facts = &case.facts;
        let due = match &counting.definition.parameters.limit {
            Some(limit) => sheet.due(facts.occur_time, limit),
            None => facts.occur_time.checked_add(COLLATE_WITHIN).ok(),
        };
        let Some(due) = due.filter(|due| sheet.start <= *due && *due < sheet.end) else { continue };
        if facts.standing.in_timely_rate(false) != Entry::Counts {
            rows.push(case.row(due, false, false, facts.standing.as_str()));
            continue;
        }
        let reached = [facts.assess_time, facts.complete_time].into_iter().flatten().min();
        let judged = Deadline { due, reached, ended: facts.end_time, is_provisional: false }.judged(counting.as_of);
        counts.add(judged, 1);
        rows.push(case.row(due, judged == Timeliness::InTime, judged.counts(), judged.code()));
    }
    Counted { tally: counts.tally(), rows }
}
