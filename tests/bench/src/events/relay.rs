//! The relay over an outbox that is full, in a schema of its own; beside it a bare loop that reads, appends by a pipeline and marks.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use jiff_sqlx::ToSqlx;
use sqlx::{PgPool, postgres::PgPoolOptions};
use steward_kit_store::{Db, JobSet, StoreConfig, migrate::Migrations, outbox::Relay};
use tokio_util::sync::CancellationToken;

use crate::{paired::Pairs, row::Row, stage::Stage};

const SCHEMA: &str = "bench_events";

/// Subjects, and so rows that must stay in order.
const SUBJECTS: i64 = 5_000;

/// Rows of one bare batch.
const BATCH: i64 = 1_000;

/// The bare loop's stream.
const STREAM: &str = "bench:bare:events";

pub(super) async fn run(stage: &Stage) -> Result<Vec<Row>> {
    let count: i64 = if stage.options.quick { 10_000 } else { 100_000 };
    let pool = PgPoolOptions::new().max_connections(4).connect(&stage.database_url("postgres")).await?;
    sqlx::query("DROP SCHEMA IF EXISTS bench_events CASCADE").execute(&pool).await?;
    forget(stage).await?;
    Migrations::new(SCHEMA, sqlx::migrate::Migrator::DEFAULT).run(&stage.database_url("postgres").into()).await?;
    let now = stage.clock.now().to_sqlx();
    let ready = "SELECT bench_events.ensure_partitions('outbox', $1, $1 + interval '40 days')";
    sqlx::query(ready).bind(now).execute(&pool).await.context("making this month's outbox")?;

    let pairs = Pairs::measured(5, async || product(stage, &pool, count).await, async || bare(stage, &pool, count).await).await?;
    sqlx::query("DROP SCHEMA bench_events CASCADE").execute(&pool).await?;
    forget(stage).await?;
    Ok(vec![
        Row::value(16, "the relay over a full outbox", pairs.product(), "/s")
            .at_least(20_000.0, 50_000.0)
            .beside(pairs.limit(), "/s")
            .note(format!("{count} facts of {SUBJECTS} subjects a turn, one replica; beside a bare loop; {}", pairs.spread())),
    ])
}

/// Writes facts as mutations would have.
async fn fill(stage: &Stage, pool: &PgPool, count: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO bench_events.outbox (id, type, subject_id, shard, occur_time, traceparent, payload, create_time)
         SELECT gen_random_uuid(), 'steward.work_order.v1.WorkOrderCreated', md5((n % $2)::text)::uuid, (n % $2) % 8, $3, '',
                decode(repeat('c0ffee', 100), 'hex'), $3
           FROM generate_series(1, $1::bigint) AS n",
    )
    .bind(count)
    .bind(SUBJECTS)
    .bind(stage.clock.now().to_sqlx())
    .execute(pool)
    .await
    .context("filling the outbox")?;
    Ok(())
}

async fn product(stage: &Stage, pool: &PgPool, count: i64) -> Result<f64> {
    fill(stage, pool, count).await?;
    let before = published(pool).await?;
    let db = Db::connect(&StoreConfig::new(stage.database_url("postgres"), stage.redis_url()), SCHEMA).await?;
    let relay = Relay::new(db, stage.clock.clone());
    let jobs = JobSet::new(CancellationToken::new());
    let begun = Instant::now();
    jobs.spawn("relay", move |stop| relay.clone().run(stop));
    while published(pool).await? < before + count {
        ensure!(begun.elapsed() < Duration::from_secs(120), "{count} facts were not published within two minutes");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let elapsed = begun.elapsed();
    ensure!(jobs.stop(Duration::from_secs(20)).await, "the relay did not stop");
    let waits: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM bench_events.outbox WHERE publish_time IS NULL)").fetch_one(pool).await?;
    ensure!(!waits, "facts were left in the outbox");
    Ok(rate(count, elapsed))
}

/// Facts that have a place in the streams.
async fn published(pool: &PgPool) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT sum(position)::bigint FROM bench_events.relay_shards").fetch_one(pool).await?)
}

async fn bare(stage: &Stage, pool: &PgPool, count: i64) -> Result<f64> {
    fill(stage, pool, count).await?;
    let mut redis = stage.redis().await?;
    let begun = Instant::now();
    let mut done = 0;
    while done < count {
        let rows: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT seq, payload FROM bench_events.outbox WHERE publish_time IS NULL ORDER BY shard, seq LIMIT $1")
                .bind(BATCH)
                .fetch_all(pool)
                .await?;
        let mut pipe = redis::pipe();
        for (seq, payload) in &rows {
            pipe.cmd("XADD").arg(STREAM).arg("*").arg("seq").arg(seq).arg("event").arg(payload.as_slice()).ignore();
        }
        pipe.query_async::<()>(&mut redis).await?;
        let seqs: Vec<i64> = rows.iter().map(|row| row.0).collect();
        let mark = "UPDATE bench_events.outbox SET publish_time = $2, position = 0 WHERE seq = ANY($1) AND publish_time IS NULL";
        sqlx::query(mark).bind(&seqs).bind(stage.clock.now().to_sqlx()).execute(pool).await?;
        done += i64::try_from(rows.len())?;
    }
    Ok(rate(count, begun.elapsed()))
}

async fn forget(stage: &Stage) -> Result<()> {
    let mut keys = vec![STREAM.to_owned()];
    keys.extend((0..8).map(|shard| format!("steward:{{{SCHEMA}:events:{shard}}}")));
    redis::cmd("DEL").arg(keys).exec_async(&mut stage.redis().await?).await?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a count of facts")]
fn rate(count: i64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}
