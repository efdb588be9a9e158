//! SQL, and nothing but SQL. Every function takes where it runs and whose rows it may touch.

pub(crate) mod batches;
pub(crate) mod contacts;
pub(crate) mod documents;
pub(crate) mod metrics;
pub(crate) mod planner;
pub(crate) mod programmes;
pub(crate) mod touchpoints;
pub(crate) mod visits;

use steward_kit::{Error, Result};

/// A code as the database holds it; another text there is our fault.
pub(crate) fn code<T>(value: Option<T>, column: &'static str) -> Result<T> {
    value.ok_or_else(|| Error::bug(format_args!("column {column} holds a text that is no code")))
}
