//! SQL, and nothing but SQL. Every function takes where it runs and whose rows it may touch.

pub(crate) mod anonymous;
pub(crate) mod asking;
pub(crate) mod counts;
pub(crate) mod facts;
pub(crate) mod frames;
pub(crate) mod invitations;
pub(crate) mod programmes;
pub(crate) mod questionnaires;
pub(crate) mod records;
pub(crate) mod responses;
mod sealed;
pub(crate) mod summaries;
mod texts;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use steward_kit::{Error, Result};

pub(crate) use sealed::sealed_tables;

/// A code as the database holds it; another text there is our fault.
fn code<T>(value: Option<T>, column: &'static str) -> Result<T> {
    value.ok_or_else(|| Error::bug(format_args!("column {column} holds a text that is no code")))
}

/// A number that is never negative in the domain.
fn count(value: i32) -> Result<u32> {
    u32::try_from(value).map_err(Error::internal)
}

/// A number on its way into a column.
fn column(value: u32) -> Result<i32> {
    i32::try_from(value).map_err(Error::internal)
}

/// An instant on its way into a column.
fn at(time: Timestamp) -> jiff_sqlx::Timestamp {
    time.to_sqlx()
}

/// The same, where there may be none.
fn maybe_at(time: Option<Timestamp>) -> Option<jiff_sqlx::Timestamp> {
    time.map(at)
}

/// An instant out of a column that may hold none.
fn maybe_of(time: Option<jiff_sqlx::Timestamp>) -> Option<Timestamp> {
    time.map(jiff_sqlx::Timestamp::to_jiff)
}
