//! The schema in which timers are measured, and a replica that fires them.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use redis::aio::MultiplexedConnection;
use sqlx::{PgConnection, PgPool};
use steward_kit::clock::Clock;
use steward_kit_store::{
    Db, Effects, JobSet, StoreConfig, StoreResult,
    migrate::Migrations,
    timers::{FiredTimer, TimerHandler, TimerService},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::stage::Stage;

/// The schema, and so the name in Redis.
pub(super) const SCHEMA: &str = "bench_timers";

/// Of timers that nobody fires here: they only are there.
const IDLE: &str = "idle";

/// Rows of one statement.
const ROWS: usize = 10_000;

/// Where timers are measured.
pub(super) struct Field<'a> {
    pub(super) stage: &'a Stage,
    pub(super) pool: PgPool,
}

impl<'a> Field<'a> {
    pub(super) async fn open(stage: &'a Stage) -> Result<Self> {
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(8).connect(&stage.database_url("postgres")).await?;
        let field = Self { stage, pool };
        field.sql("DROP SCHEMA IF EXISTS bench_timers CASCADE").await?;
        Migrations::new(SCHEMA, sqlx::migrate::Migrator::DEFAULT).run(&stage.database_url("postgres").into()).await?;
        for sql in [
            "CREATE TABLE bench_timers.fired (place bigserial PRIMARY KEY, timer_id uuid NOT NULL, subject_id uuid NOT NULL,
                 kind text NOT NULL, due_time timestamptz NOT NULL)",
            "CREATE TABLE bench_timers.bare (id uuid PRIMARY KEY, subject_id uuid NOT NULL, due_time timestamptz NOT NULL)",
            "CREATE INDEX ON bench_timers.bare (due_time, id)",
        ] {
            field.sql(sql).await?;
        }
        field.lose_index().await?;
        Ok(field)
    }

    pub(super) async fn close(self) -> Result<()> {
        self.lose_index().await?;
        self.sql("DROP SCHEMA bench_timers CASCADE").await
    }

    pub(super) async fn sql(&self, sql: &'static str) -> Result<()> {
        sqlx::query(sql).execute(&self.pool).await.context(sql)?;
        Ok(())
    }

    /// A process's handle: its own pool, its own hints.
    pub(super) async fn replica(&self) -> Result<Db> {
        let config = StoreConfig::new(self.stage.database_url("postgres"), self.stage.redis_url());
        Ok(Db::connect(&config, SCHEMA).await?)
    }

    /// Starts firing, as a service does.
    pub(super) fn fire(&self, db: &Db, clock: &Clock, one_by_one: bool) -> Result<Firing> {
        let handlers: Vec<Arc<dyn TimerHandler>> =
            ["drain", "fresh", "paced", "armed"].map(|kind| Arc::new(WritesRow { kind, one_by_one }) as Arc<dyn TimerHandler>).into();
        let service = TimerService::new(db.clone(), clock.clone(), handlers)?;
        let jobs = JobSet::new(CancellationToken::new());
        jobs.spawn("timers", move |stop| service.clone().run(stop));
        Ok(Firing(jobs))
    }

    /// Adds timers that are due months from now.
    pub(super) async fn add_pending(&self, count: usize) -> Result<()> {
        let far = self.stage.clock.now() + SignedDuration::from_hours(24 * 60);
        self.add(IDLE, count, |n| far + SignedDuration::from_millis(i64::try_from(n).unwrap_or_default())).await?;
        self.sql("ANALYZE bench_timers.timers").await
    }

    /// Writes the rows of timers, and no hint.
    pub(super) async fn add(&self, kind: &str, count: usize, due: impl Fn(usize) -> Timestamp) -> Result<()> {
        let all: Vec<usize> = (0..count).collect();
        for chunk in all.chunks(ROWS) {
            let ids: Vec<Uuid> = chunk.iter().map(|_| Uuid::now_v7()).collect();
            let subjects: Vec<Uuid> = chunk.iter().map(|_| Uuid::now_v7()).collect();
            let due: Vec<_> = chunk.iter().map(|n| due(*n).to_sqlx()).collect();
            let sql = "INSERT INTO bench_timers.timers (id, kind, subject_id, key, due_time, wake_time, create_time)
                       SELECT n.id, $1, n.subject, '', n.due, n.due, $2
                         FROM unnest($3::uuid[], $4::uuid[], $5::timestamptz[]) AS n(id, subject, due)";
            let rows = sqlx::query(sql).bind(kind).bind(self.stage.clock.now().to_sqlx()).bind(ids).bind(subjects).bind(due);
            rows.execute(&self.pool).await.context("writing timers")?;
        }
        Ok(())
    }

    /// Forgets the index of timers, as a flush of Redis would.
    pub(super) async fn lose_index(&self) -> Result<()> {
        let mut keys = vec![key(0, "filling"), super::bare::KEY.to_owned()];
        keys.extend((0..8).flat_map(|shard| ["due", "leased", "epoch"].map(|what| key(shard, what))));
        redis::cmd("DEL").arg(keys).exec_async(&mut self.stage.redis().await?).await?;
        Ok(())
    }

    /// How many timers are in the index.
    pub(super) async fn indexed(&self, redis: &mut MultiplexedConnection) -> Result<usize> {
        let mut pipe = redis::pipe();
        for shard in 0..8 {
            pipe.zcard(key(shard, "due"));
        }
        let sizes: Vec<usize> = pipe.query_async(redis).await?;
        Ok(sizes.iter().sum())
    }

    /// Waits until the index has so many.
    pub(super) async fn wait_for_index(&self, count: usize, every: Duration) -> Result<()> {
        let mut redis = self.stage.redis().await?;
        let begun = std::time::Instant::now();
        while self.indexed(&mut redis).await? < count {
            ensure!(begun.elapsed() < Duration::from_secs(180), "the index was not filled within three minutes");
            tokio::time::sleep(every).await;
        }
        Ok(())
    }

    /// How many effects were written, near enough to wait by.
    pub(super) async fn fired_about(&self) -> Result<i64> {
        let sql = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM bench_timers.fired_place_seq";
        Ok(sqlx::query_scalar(sql).fetch_one(&self.pool).await?)
    }

    pub(super) async fn fired(&self, kind: &str) -> Result<i64> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM bench_timers.fired WHERE kind = $1").bind(kind).fetch_one(&self.pool).await?)
    }
}

/// A key of the product's index.
pub(super) fn key(shard: u16, what: &str) -> String {
    format!("steward:{{{SCHEMA}:timers:{shard}}}:{what}")
}

/// The loops of a replica.
pub(super) struct Firing(JobSet);

impl Firing {
    pub(super) async fn stop(self) -> Result<()> {
        ensure!(self.0.stop(Duration::from_secs(30)).await, "the timer loops did not stop");
        Ok(())
    }
}

/// Writes one row for each timer.
struct WritesRow {
    kind: &'static str,
    one_by_one: bool,
}

#[tonic::async_trait]
impl TimerHandler for WritesRow {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn takes_many(&self) -> bool {
        !self.one_by_one
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> steward_kit::Result<Effects> {
        self.fire_all(tx, std::slice::from_ref(timer), now).await
    }

    async fn fire_all(&self, tx: &mut PgConnection, timers: &[FiredTimer], _now: Timestamp) -> steward_kit::Result<Effects> {
        let ids: Vec<Uuid> = timers.iter().map(|timer| timer.id.as_uuid()).collect();
        let subjects: Vec<Uuid> = timers.iter().map(|timer| timer.subject_id).collect();
        let due: Vec<_> = timers.iter().map(|timer| timer.due_time.to_sqlx()).collect();
        let sql = "INSERT INTO bench_timers.fired (timer_id, subject_id, kind, due_time)
                   SELECT n.id, n.subject, $1, n.due FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) AS n(id, subject, due)";
        sqlx::query(sql).bind(self.kind).bind(ids).bind(subjects).bind(due).execute(tx).await.store()?;
        Ok(Effects::none())
    }
}
