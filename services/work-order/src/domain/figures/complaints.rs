//! F-05a: who complained; and when of the day people report (WO-56).

use std::collections::BTreeSet;

use jiff::civil::time;
use steward_kit::metric::{
    AddsUp, ComplaintCounts, DayWindow, Definition, Entry, Figure, Ratio, Tally, complaint_count, complaint_rate, complaints_per_thousand,
};

use super::{Cohort, Counted, Counting, Sheet, how_many, shares};

/// The windows of WO-56 where the plan names none.
const PEAKS: [DayWindow; 2] =
    [DayWindow { from: time(8, 0, 0, 0), to: time(10, 0, 0, 0) }, DayWindow { from: time(18, 0, 0, 0), to: time(20, 0, 0, 0) }];

/// Complaints that happened in the period, by household and by number.
pub(super) fn complaints<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let mut counts = ComplaintCounts::default();
    // A unit is a household of its estate; whoever is one by themselves is one household in however many estates they report.
    let (mut units, mut customers) = (BTreeSet::new(), BTreeSet::new());
    let mut rows = Vec::new();
    let by_number = counting.definition.metric.id != "complaint_rate";
    for (sheet, case) in counting.cases(sheets, Cohort::Occurred).into_iter().filter(|(_, case)| case.facts.cycle == 1) {
        let facts = &case.facts;
        let entry = facts.standing.in_complaint_rate();
        let brings = match (entry, case.unit, case.customer) {
            (Entry::Counts | Entry::HouseholdOnly, Some(unit), _) => Some(units.insert(unit)),
            (Entry::Counts | Entry::HouseholdOnly, None, Some(customer)) => Some(customers.insert(customer.as_uuid())),
            (Entry::Counts | Entry::HouseholdOnly, None, None) | (Entry::Listed | Entry::Out, _, _) => None,
        };
        match entry {
            Entry::Counts => {
                counts.cases += 1;
                counts.without_household += i64::from(brings.is_none());
                counts.late_entries += i64::from(facts.receive_time >= sheet.end);
            }
            Entry::Listed => counts.out_of_scope += 1,
            Entry::HouseholdOnly | Entry::Out => {}
        }
        let reason = match (entry, brings) {
            (Entry::Listed | Entry::Out, _) => facts.standing.as_str(),
            (Entry::Counts | Entry::HouseholdOnly, Some(true)) => "complaining_household",
            (Entry::Counts | Entry::HouseholdOnly, Some(false)) => "household_already_counted",
            (Entry::Counts | Entry::HouseholdOnly, None) => "without_household",
        };
        let counts_here = if by_number { entry == Entry::Counts } else { brings == Some(true) };
        rows.push(case.row(facts.occur_time, counts_here, false, reason));
    }
    counts.households = how_many(units.len());
    let tally = if by_number { counts.tally() } else { counts.tally().with_members(customers) };
    Counted { tally, rows }
}

pub(super) fn figure(definition: &Definition, tally: &Tally, base: Option<Ratio>) -> Figure {
    let mut counts = ComplaintCounts::of_tally(tally);
    counts.households += how_many(tally.members.len());
    match definition.metric.id {
        "complaint_rate" => complaint_rate(&counts, base),
        "complaints_per_1000hh" => complaints_per_thousand(&counts, base),
        _ => complaint_count(&counts),
    }
}

/// The share of cases that are reported in the windows.
pub(super) fn peak_share<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let named = counting.definition.parameters.windows.as_slice();
    let windows = if named.is_empty() { PEAKS.as_slice() } else { named };
    let mut rows = Vec::new();
    for (sheet, case) in counting.cases(sheets, Cohort::Occurred).into_iter().filter(|(_, case)| case.facts.cycle == 1) {
        let counts = case.facts.standing.in_handled_rate() == Entry::Counts;
        let local = sheet.zone.to_datetime(case.facts.occur_time).time();
        let peak = windows.iter().any(|window| window.contains(local));
        let reason = match (counts, peak) {
            (false, _) => case.facts.standing.as_str(),
            (true, true) => "in_window",
            (true, false) => "outside_windows",
        };
        rows.push(case.row(case.facts.occur_time, counts && peak, counts, reason));
    }
    Counted { tally: shares(&rows), rows }
}
