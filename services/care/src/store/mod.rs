//! SQL, and nothing but SQL. Every function takes where it runs and whose rows it may touch.

pub(crate) mod activities;
pub(crate) mod batches;
pub(crate) mod care_fund;
pub(crate) mod caused;
pub(crate) mod contacts;
pub(crate) mod dates;
pub(crate) mod documents;
pub(crate) mod enrolments;
pub(crate) mod evaluations;
pub(crate) mod forums;
pub(crate) mod metrics;
pub(crate) mod planner;
pub(crate) mod programmes;
pub(crate) mod recount;
pub(crate) mod registrations;
pub(crate) mod stock;
pub(crate) mod touchpoints;
pub(crate) mod visits;

use steward_kit::{Error, Result};

/// A code as the database holds it; another text there is our fault.
pub(crate) fn code<T>(value: Option<T>, column: &'static str) -> Result<T> {
    value.ok_or_else(|| Error::bug(format_args!("column {column} holds a text that is no code")))
}
