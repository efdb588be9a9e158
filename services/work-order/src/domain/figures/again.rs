//! F-17 and F-18: what had to be done again, and what was settled at once.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use steward_kit::calendar::Span;
use steward_kit::ids::WorkOrderId;
use steward_kit::metric::{
    AddsUp, Definition, Entry, Figure, FirstContact, FirstContactCounts, RepeatCounts, Tally, first_contact, reopen_rate, repeat_rate,
};

use super::{CaseRow, Cohort, Counted, Counting, Row, Sheet};

/// How long the same matter is a repeat, where the plan says nothing (WO-45).
const REPEAT_WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The windows of a first contact, where the plan says nothing (GR-26).
const CONTACT_WINDOW: SignedDuration = SignedDuration::from_hours(72);

fn is_by_repeats(definition: &Definition) -> bool {
    definition.metric.id == "repeat_rate"
}

pub(super) fn rate(definition: &Definition, tally: &Tally) -> Figure {
    let counts = RepeatCounts::of_tally(tally);
    if is_by_repeats(definition) { repeat_rate(&counts) } else { reopen_rate(&counts) }
}

/// Cases closed in the period, and which of them were not the end of the matter.
pub(super) fn repeats<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let by_repeats = is_by_repeats(counting.definition);
    let cohort = if by_repeats { Cohort::Repeated } else { Cohort::Closed };
    let mut closed: BTreeMap<WorkOrderId, (&Sheet, &CaseRow)> = BTreeMap::new();
    for (sheet, case) in counting.cases(sheets, cohort) {
        // The last close in the period speaks for the case.
        let last = closed.entry(case.order).or_insert((sheet, case));
        if case.facts.cycle > last.1.facts.cycle {
            *last = (sheet, case);
        }
    }
    let mut counts = RepeatCounts::default();
    let mut rows = Vec::new();
    for (sheet, case) in closed.into_values() {
        let Some(at) = case.facts.close_time else { continue };
        if case.facts.standing.in_handled_rate() != Entry::Counts {
            rows.push(case.row(at, false, false, case.facts.standing.as_str()));
            continue;
        }
        let until = window(sheet, at, counting.definition.parameters.look_ahead.as_ref(), REPEAT_WINDOW);
        if by_repeats {
            counting.as_of.looks_around(at, until);
        }
        let reopened = case.facts.cycle > 1 || !case.facts.is_last;
        let repeated = case.next_time.is_some_and(|next| next <= until);
        counts.closed += 1;
        counts.reopened += i64::from(reopened);
        counts.repeated += i64::from(repeated);
        let (counted, reason) = match (by_repeats, reopened, repeated) {
            (false, true, _) => (true, "reopened"),
            (true, _, true) => (true, "same_matter_again"),
            (false, false, _) | (true, _, false) => (false, "settled"),
        };
        rows.push(case.row(at, counted, true, reason));
    }
    Counted { tally: counts.tally(), rows }
}

fn window(sheet: &Sheet, from: jiff::Timestamp, span: Option<&Span>, default: SignedDuration) -> jiff::Timestamp {
    span.and_then(|span| sheet.due(from, span)).unwrap_or_else(|| from.checked_add(default).unwrap_or(from))
}

/// Reports of a household with nothing before and nothing after.
pub(super) fn first_contacts<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let parameters = &counting.definition.parameters;
    let mut counts = FirstContactCounts::default();
    let mut rows: Vec<Row<'a>> = Vec::new();
    for (sheet, case) in counting.cases(sheets, Cohort::Neighbours).into_iter().filter(|(_, case)| case.facts.cycle == 1) {
        let at = case.facts.occur_time;
        if case.household().is_none() || case.facts.standing.in_handled_rate() != Entry::Counts {
            rows.push(case.row(at, false, false, "without_household_or_not_valid"));
            continue;
        }
        let ahead = window(sheet, at, parameters.look_ahead.as_ref(), CONTACT_WINDOW).duration_since(at);
        // Looking back is as far as the same span leads from the contact before.
        let back = window(sheet, at, parameters.look_back.as_ref(), CONTACT_WINDOW).duration_since(at);
        let reach = |by: Result<jiff::Timestamp, jiff::Error>| by.unwrap_or(at);
        counting.as_of.looks_around(reach(at.checked_sub(back)), reach(at.checked_add(ahead)));
        let judged = first_contact(at, case.previous_time, case.next_time, (back, ahead), counting.as_of);
        let (in_numerator, in_denominator) = match judged {
            FirstContact::Resolved => (true, true),
            FirstContact::Again => (false, true),
            FirstContact::NotFirst | FirstContact::Pending => (false, false),
        };
        counts.add(judged);
        rows.push(case.row(at, in_numerator, in_denominator, judged.code()));
    }
    Counted { tally: counts.tally(), rows }
}
