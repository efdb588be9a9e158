//! What waits, how long, and how near the ways out are: numbers for the metrics page, looked at every few seconds on every
//! replica. All queries read from the end of an index, so that a look costs the same however much is pending.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, Row, SqlStr};
use steward_kit::Result;
use steward_kit::clock::Clock;
use steward_kit::telemetry::depends_on;
use tokio_util::sync::CancellationToken;

use crate::db::Db;
use crate::error::{StoreResult, redis_error};
use crate::metrics::Meters;
use crate::outage::Outage;

/// From one look to the next, in real time: shorter than any scrape.
const EVERY: Duration = Duration::from_secs(5);

/// More than this is simply much.
const MOST: i64 = 10_000;

/// The job of every service that has a database.
pub async fn watch(db: Db, clock: Clock, stop: CancellationToken) {
    let mut watcher = Watcher::new(&db);
    let mut unseen = Outage::of(db.schema(), "what waits is not counted");
    while !stop.is_cancelled() {
        match watcher.look(&db, clock.now()).await {
            Ok(()) => unseen.is_over(),
            Err(error) => unseen.goes_on(&error),
        }
        // Redis is nobody's way to the truth: that it is away shows in its own number, and stops nothing here.
        watcher.ping(&db).await;
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

struct Watcher {
    meters: Meters,
    /// Kinds of timers that were seen waiting: they are told to be 0 when they no longer do.
    kinds: BTreeSet<String>,
    timers: SqlStr,
    outbox: SqlStr,
    letters: SqlStr,
}

impl Watcher {
    fn new(db: &Db) -> Self {
        for dependency in ["postgres", "redis"] {
            depends_on(dependency);
        }
        Self {
            meters: Meters::of(db.schema()),
            kinds: BTreeSet::new(),
            timers: db.sql(
                "SELECT kind, count(*) AS count, min(due_time) AS oldest
                   FROM (SELECT kind, due_time FROM {schema}.timers WHERE wake_time <= $1 ORDER BY wake_time LIMIT $2) AS due
                  GROUP BY kind",
            ),
            outbox: db.sql(
                "SELECT coalesce(sum(o.count), 0)::bigint AS count, min(o.oldest) AS oldest FROM {schema}.relay_shards r,
                        LATERAL (SELECT count(*) AS count, min(create_time) AS oldest
                                   FROM (SELECT create_time FROM {schema}.outbox
                                          WHERE shard = r.shard AND publish_time IS NULL ORDER BY seq LIMIT $1) AS unsent) AS o",
            ),
            letters: db.sql("SELECT count(*) AS count, min(create_time) AS oldest FROM {schema}.dead_letters WHERE state = 'open'"),
        }
    }

    async fn look(&mut self, db: &Db, now: Timestamp) -> Result<()> {
        let pool = db.pool();
        let (size, idle) = (i64::from(pool.size()), i64::try_from(pool.num_idle()).unwrap_or(i64::MAX));
        self.meters.pool((size - idle).max(0), idle, i64::from(pool.options().get_max_connections()));
        let asked = Instant::now();
        let connection = pool.acquire().await;
        self.meters.acquired(asked.elapsed());
        let mut connection = connection.store()?;
        self.timers(&mut connection, now).await?;
        let row = sqlx::query(self.outbox.clone()).bind(MOST / 10).fetch_one(&mut *connection).await.store()?;
        self.one(&row, "outbox", now)?;
        let row = sqlx::query(self.letters.clone()).fetch_one(&mut *connection).await.store()?;
        self.one(&row, "dead_letters", now)
    }

    async fn timers(&mut self, connection: &mut PgConnection, now: Timestamp) -> Result<()> {
        let rows = sqlx::query(self.timers.clone()).bind(now.to_sqlx()).bind(MOST).fetch_all(connection).await.store()?;
        let mut quiet = self.kinds.clone();
        for row in &rows {
            let kind: String = row.try_get("kind").store()?;
            self.meters.waits("timers", &kind, row.try_get("count").store()?, oldest(row, now)?);
            quiet.remove(&kind);
            self.kinds.insert(kind);
        }
        for kind in quiet.iter().map(String::as_str).chain(self.kinds.is_empty().then_some("")) {
            self.meters.waits("timers", kind, 0, SignedDuration::ZERO);
        }
        Ok(())
    }

    fn one(&self, row: &sqlx::postgres::PgRow, queue: &'static str, now: Timestamp) -> Result<()> {
        self.meters.waits(queue, "", row.try_get("count").store()?, oldest(row, now)?);
        Ok(())
    }

    async fn ping(&self, db: &Db) {
        let asked = Instant::now();
        let answer: Result<String> = redis::cmd("PING").query_async(&mut db.redis().connection()).await.map_err(redis_error);
        match answer {
            Ok(_) => self.meters.redis_answered(asked.elapsed()),
            Err(error) => tracing::debug!(schema = db.schema(), error = ?error, "redis did not answer"),
        }
    }
}

fn oldest(row: &sqlx::postgres::PgRow, now: Timestamp) -> Result<SignedDuration> {
    let since: Option<jiff_sqlx::Timestamp> = row.try_get("oldest").store()?;
    Ok(since.map_or(SignedDuration::ZERO, |since| now.duration_since(since.to_jiff())))
}
