//! What went wrong in Postgres or Redis, in the words of the one error table.

use steward_kit::{Error, Result};

/// Turns a Postgres failure into a refusal: a connection that is gone, a server that is restarting or a lost race
/// between transactions is `Unavailable` (repeat it as it is); a text that no Postgres can hold is the caller's; anything else is our
/// fault.
pub fn store_error(error: sqlx::Error) -> Error {
    if is_transient(&error) {
        Error::unavailable("postgres", error)
    } else if holds_nul(&error) {
        // Which field it was, Postgres does not say.
        Error::invalid("", "string.nul", "no text may hold the character U+0000")
    } else {
        Error::internal(error)
    }
}

/// As text, and as text within JSON.
fn holds_nul(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|database| database.code()).is_some_and(|code| code == "22021" || code == "22P05")
}

/// Whether Postgres itself was away, so that nothing can be done with it whoever asks; not a race that was lost, nor a statement
/// that took too long, which are the asker's own.
pub(crate) fn is_outage(error: &Error) -> bool {
    let Error::Unavailable { dependency: "postgres", source } = error else { return false };
    source.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error).is_none_or(|database| {
        // 08 connection, 53 out of resources, 57P0x shutdown.
        database.code().is_some_and(|code| ["08", "53", "57P0"].iter().any(|class| code.starts_with(class)))
    })
}

/// The name of the constraint that refused a write, if it was one. Constraint names map to refusals.
pub fn constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(|database| database.constraint())
}

fn is_transient(error: &sqlx::Error) -> bool {
    if let Some(database) = error.as_database_error() {
        // 08 connection, 53 out of resources, 57P0x shutdown, 40 serialization failure and deadlock, 55P03 lock timeout,
        // 57014 statement timeout.
        return database.code().is_some_and(|code| {
            code.starts_with("08")
                || code.starts_with("53")
                || code.starts_with("57P0")
                || code.starts_with("40")
                || code == "55P03"
                || code == "57014"
                // No constraint has this name: a month was attached while the row was on its way to the default partition.
                || code == "23514" && database.constraint().is_none()
        });
    }
    matches!(
        error,
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed
    )
}

pub(crate) fn redis_error(error: redis::RedisError) -> Error {
    Error::unavailable("redis", error)
}

/// `.store()?` instead of `.map_err(store_error)?`.
pub trait StoreResult<T> {
    /// The same result, with the failure as [`store_error`] reads it.
    ///
    /// # Errors
    /// Those of the statement.
    fn store(self) -> Result<T>;
}

impl<T> StoreResult<T> for Result<T, sqlx::Error> {
    fn store(self) -> Result<T> {
        self.map_err(store_error)
    }
}
