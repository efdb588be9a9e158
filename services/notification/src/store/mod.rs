//! SQL, and nothing but SQL. Every function takes where it runs and whose rows it may touch.

pub(crate) mod broadcast_pages;
pub(crate) mod broadcasts;
pub(crate) mod consents;
pub(crate) mod contact_entries;
pub(crate) mod contacts;
pub(crate) mod customers;
pub(crate) mod deliveries;
pub(crate) mod endpoints;
pub(crate) mod erasure;
pub(crate) mod inbox;
pub(crate) mod messages;
pub(crate) mod metrics;
pub(crate) mod new_messages;
pub(crate) mod preferences;
pub(crate) mod rows;
pub(crate) mod rules;
pub(crate) mod sealed;
pub(crate) mod templates;
mod windows;
pub(crate) mod work;

use steward_kit::{Error, Result};

/// A code as the database holds it; another text there is our fault.
pub(crate) fn code<T>(value: Option<T>, column: &'static str) -> Result<T> {
    value.ok_or_else(|| Error::bug(format_args!("column {column} holds a text that is no code")))
}
