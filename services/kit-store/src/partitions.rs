//! Months made ahead of time.
//!
//! A partitioned table always has a DEFAULT partition, so a row never fails for lack of a month; what landed there is
//! moved when its month is made. Services give their own partitioned tables to [`crate::housekeeping`].

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use steward_kit::Result;

use crate::db::Db;
use crate::error::StoreResult;

/// How far ahead months are made.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 70);

/// Makes the months of `table` (unqualified) from now on, as far ahead as needed, and says how many were new.
///
/// # Errors
/// `table` is not a range-partitioned table of this schema, or Postgres does not answer.
pub async fn ensure(db: &Db, table: &str, now: Timestamp) -> Result<i32> {
    sqlx::query_scalar(db.sql("SELECT {schema}.ensure_partitions($1, $2, $3)"))
        .bind(table)
        .bind(now.to_sqlx())
        .bind(now.saturating_add(AHEAD).unwrap_or(now).to_sqlx())
        .fetch_one(db.pool())
        .await
        .store()
}

/// Drops the months of the outbox that ended before `before` and that nobody needs any more.
///
/// # Errors
/// Postgres does not answer.
pub async fn drop_outbox(db: &Db, before: Timestamp) -> Result<i32> {
    sqlx::query_scalar(db.sql("SELECT {schema}.drop_outbox_partitions($1)")).bind(before.to_sqlx()).fetch_one(db.pool()).await.store()
}
