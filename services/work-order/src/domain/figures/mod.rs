//! The figures that this service owns, counted from the facts of one period. One pass makes the figure and the rows behind
//! it, so that an explanation cannot say something else than the figure.
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

mod again;
mod called_back;
mod complaints;
mod resolved;
mod sheet;
mod suggested;
mod timely;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use steward_kit::ids::WorkOrderId;
use steward_kit::metric::{Definition, Figure, Ratio};

pub use sheet::{CaseRow, DeadlineRow, Sheet};

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

/// A figure with the rows behind it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted<'a> {
    /// The figure.
    pub figure: Figure,
    /// The rows, counted and left out, in no order.
    pub rows: Vec<Row<'a>>,
}

/// What a figure is counted with.
#[derive(Clone, Copy, Debug)]
pub struct Counting<'a> {
    /// How the plan defines it.
    pub definition: &'a Definition,
    /// Households that a rate is of.
    pub base: Option<Ratio>,
    /// Facts until then are counted.
    pub as_of: Timestamp,
}

/// Every cohort that a definition is counted from; `None` for a metric that this service does not own.
pub fn cohort(definition: &Definition) -> Option<Cohort> {
    Some(match definition.metric.id {
        "complaint_rate" | "complaints_per_1000hh" | "complaint_count" | "peak_share" => Cohort::Occurred,
        "first_response_hours" | "repair_wait_time" | "resolution_rate" | "handled_rate" => Cohort::Occurred,
        "promise_kept_rate" | "complaint_timely_rate" => Cohort::Due,
        id if id.starts_with("timely_rate.") => Cohort::Due,
        "mean_handling_time" | "reopen_rate" => Cohort::Closed,
        "repeat_rate" => Cohort::Repeated,
        "callback_coverage" | "complaint_callback_coverage" | "repair_callback_coverage" => Cohort::CallbackDue,
        "repair_csat_rate" | "complaint_csat_rate" | "callback_csat_rate" | "feedback_loop_rate" => Cohort::Completed,
        "first_contact_resolution" => Cohort::Neighbours,
        "suggestion_adoption_rate" => Cohort::Assessed,
        "collation_rate" => Cohort::Collating,
        _ => return None,
    })
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
        _ => return None,
    })
}

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
fn tally(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Seconds between two instants, whole ones.
fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).max(SignedDuration::ZERO).as_secs()
}
