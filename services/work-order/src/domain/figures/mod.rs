//! The figures that this service owns, counted from the facts of one period. One pass makes the tally of a figure and the rows
//! behind it, so that an explanation cannot say something else than the figure. Tallies of estates add up: the figure of many is
//! made of their sum.
//!
//! | file | figures |
//! |---|---|
//! | `sheet` | what is counted: the facts of an estate in a period, by cohort |
//! | `complaints` | F-05a, and the share in peak windows |
//! | `timely` | F-06, F-16, and the mean times to an answer and to an arrival |
//! | `resolved` | F-07, F-07b, F-07c |
//! | `called_back` | F-08, F-01 at the callback, the closed loop |
//! | `again` | F-17, F-18 |
//! | `suggested` | F-19, F-20 |
//! | `volumes` | cells of cases and low scores, for the analysis |

mod again;
mod called_back;
mod complaints;
mod resolved;
mod sheet;
mod suggested;
mod timely;
mod volumes;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use steward_kit::ids::WorkOrderId;
use steward_kit::metric::{
    AddsUp, AsOf, Definition, Figure, Ratio, ShareCounts, Tally, callback_coverage, collation_rate, first_contact_resolution, handled_rate,
    mean_handling_time, resolution_rate, suggestion_adoption, timely_rate,
};

pub use sheet::{CaseRow, DeadlineRow, Sheet};
pub use volumes::{case_cells, low_scores};

/// Rows that are read together, because they lie in the period by the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cohort {
    /// Cases that happened in it.
    Occurred,
    /// The same, with the nearest cases of the household before and after each.
    Neighbours,
    /// Deadlines due in it.
    Due,
    /// Cycles whose callback is due in it.
    CallbackDue,
    /// Cycles closed in it.
    Closed,
    /// Cycles closed in it, with the next case of household and category after each.
    Repeated,
    /// Cycles completed in it.
    Completed,
    /// Cycles assessed in it.
    Assessed,
    /// Cases that happened in it or shortly before.
    Collating,
}

impl Cohort {
    /// The cohort of the same rows that have their neighbours beside them; whoever reads that one need not read this.
    pub fn with_neighbours(self) -> Option<Self> {
        match self {
            Self::Occurred => Some(Self::Neighbours),
            Self::Closed => Some(Self::Repeated),
            Self::Neighbours | Self::Due | Self::CallbackDue | Self::Repeated | Self::Completed | Self::Assessed | Self::Collating => None,
        }
    }
}

/// A row behind a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The order.
    pub order: WorkOrderId,
    /// Its number.
    pub number: &'a str,
    /// When what is counted happened or was due.
    pub at: Timestamp,
    /// It counts in the numerator.
    pub in_numerator: bool,
    /// It counts in the denominator.
    pub in_denominator: bool,
    /// Why.
    pub reason: &'static str,
    /// Seconds or points, where the figure is a mean.
    pub value: i64,
}

/// What a figure is made of, with the rows behind it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted<'a> {
    /// What [`figure`] makes the figure of.
    pub tally: Tally,
    /// The rows, counted and left out, in no order.
    pub rows: Vec<Row<'a>>,
}

/// What a figure is counted with.
#[derive(Clone, Copy, Debug)]
pub struct Counting<'a> {
    /// How the plan defines it.
    pub definition: &'a Definition,
    /// Facts until then are counted.
    pub as_of: &'a AsOf,
}

/// Every cohort that a definition is counted from; `None` for a metric that this service does not own.
pub fn cohort(definition: &Definition) -> Option<Cohort> {
    Some(match definition.metric.id {
        "complaint_rate" | "complaints_per_1000hh" | "complaint_count" | "peak_share" | "case_cells" => Cohort::Occurred,
        "first_response_hours" | "repair_wait_time" | "resolution_rate" | "handled_rate" => Cohort::Occurred,
        "promise_kept_rate" | "complaint_timely_rate" => Cohort::Due,
        id if id.starts_with("timely_rate.") => Cohort::Due,
        "mean_handling_time" | "reopen_rate" => Cohort::Closed,
        "repeat_rate" => Cohort::Repeated,
        "callback_coverage" | "complaint_callback_coverage" | "repair_callback_coverage" => Cohort::CallbackDue,
        "repair_csat_rate" | "complaint_csat_rate" | "callback_csat_rate" | "feedback_loop_rate" | "low_scores" => Cohort::Completed,
        "first_contact_resolution" => Cohort::Neighbours,
        "suggestion_adoption_rate" => Cohort::Assessed,
        "collation_rate" => Cohort::Collating,
        _ => return None,
    })
}

/// Whether a definition tells buildings apart.
pub fn needs_buildings(definition: &Definition) -> bool {
    definition.metric.id == "case_cells"
}

/// Counts a figure over estates.
pub fn count<'a>(counting: &Counting<'_>, sheets: &[&'a Sheet]) -> Option<Counted<'a>> {
    Some(match counting.definition.metric.id {
        "complaint_rate" | "complaints_per_1000hh" | "complaint_count" => complaints::complaints(counting, sheets),
        "peak_share" => complaints::peak_share(counting, sheets),
        "promise_kept_rate" | "complaint_timely_rate" => timely::timely(counting, sheets),
        id if id.starts_with("timely_rate.") => timely::timely(counting, sheets),
        "first_response_hours" => timely::first_response(counting, sheets),
        "repair_wait_time" => timely::wait_for_arrival(counting, sheets),
        "resolution_rate" => resolved::resolution(counting, sheets),
        "handled_rate" => resolved::handled(counting, sheets),
        "mean_handling_time" => resolved::handling_time(counting, sheets),
        "callback_coverage" | "complaint_callback_coverage" | "repair_callback_coverage" => called_back::coverage(counting, sheets),
        "repair_csat_rate" | "complaint_csat_rate" | "callback_csat_rate" => called_back::satisfaction(counting, sheets),
        "feedback_loop_rate" => called_back::closed_loop(counting, sheets),
        "reopen_rate" | "repeat_rate" => again::repeats(counting, sheets),
        "first_contact_resolution" => again::first_contacts(counting, sheets),
        "suggestion_adoption_rate" => suggested::adoption(counting, sheets),
        "collation_rate" => suggested::collation(counting, sheets),
        "case_cells" => volumes::cells(counting, sheets),
        "low_scores" => volumes::dissatisfied(counting, sheets),
        _ => return None,
    })
}

/// Makes the figure of what was counted, for rates of households by `base`; `None` for a metric that this service does not own.
pub fn figure(definition: &Definition, tally: &Tally, base: Option<Ratio>) -> Option<Figure> {
    Some(match definition.metric.id {
        "complaint_rate" | "complaints_per_1000hh" | "complaint_count" => complaints::figure(definition, tally, base),
        "peak_share" | "feedback_loop_rate" => {
            let counts = ShareCounts::of_tally(tally);
            Figure::rate(counts.numerator, counts.denominator)
        }
        "promise_kept_rate" | "complaint_timely_rate" => timely_rate(&AddsUp::of_tally(tally)),
        id if id.starts_with("timely_rate.") => timely_rate(&AddsUp::of_tally(tally)),
        "first_response_hours" | "repair_wait_time" => timely::mean_wait(tally),
        "resolution_rate" => resolution_rate(&AddsUp::of_tally(tally)),
        "handled_rate" => {
            let counts = ShareCounts::of_tally(tally);
            handled_rate(counts.numerator, counts.denominator)
        }
        "mean_handling_time" => mean_handling_time(&mut tally.samples.clone()),
        "callback_coverage" | "complaint_callback_coverage" | "repair_callback_coverage" => {
            callback_coverage(&AddsUp::of_tally(tally), called_back::method(definition))
        }
        "repair_csat_rate" | "complaint_csat_rate" | "callback_csat_rate" => called_back::satisfied_rate(definition, tally),
        "reopen_rate" | "repeat_rate" => again::rate(definition, tally),
        "first_contact_resolution" => first_contact_resolution(&AddsUp::of_tally(tally)),
        "suggestion_adoption_rate" => {
            let counts = ShareCounts::of_tally(tally);
            suggestion_adoption(counts.numerator, counts.denominator)
        }
        "collation_rate" => collation_rate(&AddsUp::of_tally(tally)),
        _ => return None,
    })
}

/// How much of the rows is in the numerator and in the denominator.
fn shares(rows: &[Row<'_>]) -> Tally {
    let of = |picks: fn(&Row<'_>) -> bool| how_many(rows.iter().filter(|row| picks(row)).count());
    ShareCounts { numerator: of(|row| row.in_numerator), denominator: of(|row| row.in_denominator) }.tally()
}

/// The rules of this folder, as they are written.
pub const RULES: &[&str] = &[
    include_str!("again.rs"),
    include_str!("called_back.rs"),
    include_str!("complaints.rs"),
    include_str!("mod.rs"),
    include_str!("resolved.rs"),
    include_str!("sheet.rs"),
    include_str!("suggested.rs"),
    include_str!("timely.rs"),
    include_str!("volumes.rs"),
];

/// Kinds that the definitions ask for; `None` when one of them asks for every kind.
pub fn kinds_of<'a>(definitions: impl IntoIterator<Item = &'a Definition>) -> Option<BTreeSet<String>> {
    let mut kinds = BTreeSet::new();
    for definition in definitions {
        if definition.parameters.kinds.is_empty() {
            return None;
        }
        kinds.extend(definition.parameters.kinds.iter().cloned());
    }
    Some(kinds)
}

impl Counting<'_> {
    /// Whether a case is one of those that the definition counts.
    fn wants(&self, kind: super::Kind, category: &str) -> bool {
        let parameters = &self.definition.parameters;
        (parameters.kinds.is_empty() || parameters.kinds.iter().any(|code| code == kind.as_str()))
            && (parameters.categories.is_empty() || parameters.categories.iter().any(|code| super::case::is_at_or_below(category, code)))
    }

    /// Cases of the sheets that the definition counts.
    fn cases<'a>(&self, sheets: &[&'a Sheet], cohort: Cohort) -> Vec<(&'a Sheet, &'a CaseRow)> {
        let all = sheets.iter().flat_map(|sheet| sheet.cases(cohort).iter().map(move |case| (*sheet, case)));
        all.filter(|(_, case)| self.wants(case.facts.kind, &case.facts.category)).collect()
    }
}

impl CaseRow {
    fn row(&self, at: Timestamp, in_numerator: bool, in_denominator: bool, reason: &'static str) -> Row<'_> {
        Row { order: self.order, number: &self.number, at, in_numerator, in_denominator, reason, value: 0 }
    }
}

/// How many, as figures count.
fn how_many(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Seconds between two instants, whole ones.
fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).max(SignedDuration::ZERO).as_secs()
}
