//! F-05a: who complained; and when of the day people report (WO-56).

use std::collections::BTreeSet;

use jiff::civil::time;
use steward_kit::metric::{ComplaintCounts, DayWindow, Entry, Figure, complaint_count, complaint_rate, complaints_per_thousand};

use super::{Cohort, Counted, Counting, Sheet, tally};

/// The windows of WO-56 where the plan names none.
const PEAKS: [DayWindow; 2] =
    [DayWindow { from: time(8, 0, 0, 0), to: time(10, 0, 0, 0) }, DayWindow { from: time(18, 0, 0, 0), to: time(20, 0, 0, 0) }];

/// Complaints that happened in the period, by household and by number.
pub(super) fn complaints<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Counted<'a> {
    let mut counts = ComplaintCounts::default();
    let mut households = BTreeSet::new();
    let mut rows = Vec::new();
    for (sheet, case) in counting.cases(sheets, Cohort::Occurred).into_iter().filter(|(_, case)| case.facts.cycle == 1) {
        let facts = &case.facts;
        let entry = facts.standing.in_complaint_rate();
        let brings = match (entry, case.household()) {
            (Entry::Counts | Entry::HouseholdOnly, Some(household)) => Some(households.insert(household)),
            (Entry::Counts | Entry::HouseholdOnly, None) | (Entry::Listed | Entry::Out, _) => None,
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
        let by_number = counting.definition.metric.id != "complaint_rate";
        let counts_here = if by_number { entry == Entry::Counts } else { brings == Some(true) };
        rows.push(case.row(facts.occur_time, counts_here, false, reason));
    }
    counts.households = tally(households.len());
    let figure = match counting.definition.metric.id {
        "complaint_rate" => complaint_rate(&counts, counting.base),
        "complaints_per_1000hh" => complaints_per_thousand(&counts, counting.base),
        _ => complaint_count(&counts),
    };
    Counted { figure, rows }
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
    Counted { figure: rate(&rows), rows }
}

/// The share of rows in the numerator.
pub(super) fn rate(rows: &[super::Row<'_>]) -> Figure {
    let of = |picks: fn(&super::Row<'_>) -> bool| tally(rows.iter().filter(|row| picks(row)).count());
    Figure::rate(of(|row| row.in_numerator), of(|row| row.in_denominator))
}
