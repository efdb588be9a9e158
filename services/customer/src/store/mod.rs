//! SQL only. Every query that reads for a caller takes a scope; a write takes what was read through one.
//!
//! Functions that write return the bare `sqlx` result: the use case tells a replay ([`steward_kit_store::idempotency`])
//! from a refusal ([`refusal`]) and from an outage.

pub(crate) mod audiences;
pub(crate) mod audit;
pub(crate) mod bases;
pub(crate) mod customer_rows;
pub(crate) mod customers;
pub(crate) mod estates;
pub(crate) mod exits;
pub(crate) mod fact_sources;
pub(crate) mod facts;
pub(crate) mod frozen;
pub(crate) mod households;
pub(crate) mod import_batch;
pub(crate) mod import_rows;
pub(crate) mod imports;
pub(crate) mod key_dates;
pub(crate) mod metrics;
pub(crate) mod numbers;
pub(crate) mod profiles;
pub(crate) mod refusal;
pub(crate) mod register;
pub(crate) mod renovations;
pub(crate) mod sealed;
pub(crate) mod segments;
pub(crate) mod stays;
pub(crate) mod tag_rows;
pub(crate) mod tags;
pub(crate) mod tenures;
pub(crate) mod timeline;
pub(crate) mod tree;
pub(crate) mod units;
pub(crate) mod usages;

use steward_kit::{Error, Result};

/// A word of a closed set, as the database's CHECK lets it be.
fn word<T>(text: &str, parse: fn(&str) -> Option<T>) -> Result<T> {
    parse(text).ok_or_else(|| Error::bug(format_args!("the database holds an unknown word `{text}`")))
}
