//! What is made ahead and what is forgotten: months of partitioned tables, old claims, old inbox marks, old months of
//! the outbox.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::SqlStr;
use steward_kit::Result;
use steward_kit::clock::Clock;
use tokio_util::sync::CancellationToken;

use crate::db::Db;
use crate::error::StoreResult;
use crate::metrics::Meters;
use crate::partitions;

/// How long things are kept; the defaults are for production.
#[derive(Debug, Clone)]
pub struct Retention {
    /// How long a repeated request gets its first answer.
    pub claims: SignedDuration,
    /// How long a month of published, acknowledged events stays after its end.
    pub outbox: SignedDuration,
    /// How long an applied event is remembered. Longer than the outbox keeps it (a month and `outbox`), or an event
    /// that is published again after a loss could be applied again.
    pub inbox: SignedDuration,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        Self { claims: days(2), outbox: days(14), inbox: days(62) }
    }
}

/// Rows deleted by one statement: short locks, little to undo.
const CHUNK: i64 = 5000;
const EVERY: SignedDuration = SignedDuration::from_hours(1);
/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(30);

/// The job. Every replica may run one: what one did, the others find done. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Housekeeping {
    parts: Arc<Parts>,
}

#[derive(Debug)]
struct Parts {
    db: Db,
    clock: Clock,
    retention: Retention,
    partitioned: Vec<&'static str>,
    claims: SqlStr,
    inbox: SqlStr,
    meters: Meters,
}

impl Housekeeping {
    /// Keeps house in the service's schema. `partitioned` are the service's own tables by month (unqualified).
    pub fn new(db: Db, clock: Clock, partitioned: &[&'static str]) -> Self {
        Self::with(db, clock, partitioned, Retention::default())
    }

    /// The same with other retention times.
    pub fn with(db: Db, clock: Clock, partitioned: &[&'static str], retention: Retention) -> Self {
        let claims = db.sql(
            "DELETE FROM {schema}.idempotency_claims c
              USING (SELECT principal, method, request_id FROM {schema}.idempotency_claims
                      WHERE create_time < $1 ORDER BY create_time LIMIT $2) AS old
              WHERE (c.principal, c.method, c.request_id) = (old.principal, old.method, old.request_id)",
        );
        let inbox = db.sql(
            "DELETE FROM {schema}.inbox i
              USING (SELECT consumer, event_id FROM {schema}.inbox WHERE process_time < $1 ORDER BY process_time LIMIT $2) AS old
              WHERE (i.consumer, i.event_id) = (old.consumer, old.event_id)",
        );
        let partitioned = ["outbox"].into_iter().chain(partitioned.iter().copied()).collect();
        let meters = Meters::of(db.schema());
        Self { parts: Arc::new(Parts { db, clock, retention, partitioned, claims, inbox, meters }) }
    }

    /// Runs until told to stop: at once, then every hour by the clock.
    pub async fn run(self, stop: CancellationToken) {
        let clock = &self.parts.clock;
        while !stop.is_cancelled() {
            let again = clock.now() + EVERY;
            if let Err(error) = self.round().await {
                tracing::warn!(schema = self.parts.db.schema(), error = ?error, "could not keep house");
                stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            } else {
                stop.run_until_cancelled(clock.sleep_until(again)).await;
            }
        }
    }

    /// One round, by the clock's time.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn round(&self) -> Result<()> {
        let Parts { db, clock, retention, partitioned, claims, inbox, meters } = self.parts.as_ref();
        let now = clock.now();
        for table in partitioned {
            partitions::ensure(db, table, now).await?;
        }
        self.forget(claims, now - retention.claims).await?;
        self.forget(inbox, now - retention.inbox).await?;
        partitions::drop_outbox(db, now - retention.outbox).await?;
        meters.kept_house(clock.now());
        Ok(())
    }

    async fn forget(&self, sql: &SqlStr, before: Timestamp) -> Result<()> {
        loop {
            let deleted = sqlx::query(sql.clone()).bind(before.to_sqlx()).bind(CHUNK).execute(self.parts.db.pool()).await.store()?;
            if deleted.rows_affected() < CHUNK.unsigned_abs() {
                return Ok(());
            }
        }
    }
}
