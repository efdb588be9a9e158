//! The bare loop: one worker, a sorted set, one statement that deletes the rows and writes the effects. No lease, no retry, no order
//! among workers, nothing that survives a crash of Redis.

use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use redis::aio::MultiplexedConnection;
use steward_kit::clock::Clock;
use uuid::Uuid;

use super::field::Field;

/// Its index.
pub(super) const KEY: &str = "bench:bare:due";

/// Most timers of one statement.
const BATCH: usize = 1000;

/// Adds timers to rows and index; the writes to Redis go out in one pipeline for each statement.
pub(super) async fn add(field: &Field<'_>, count: usize, due: impl Fn(usize) -> Timestamp) -> Result<()> {
    let mut redis = field.stage.redis().await?;
    let all: Vec<usize> = (0..count).collect();
    for chunk in all.chunks(10_000) {
        let ids: Vec<Uuid> = chunk.iter().map(|_| Uuid::now_v7()).collect();
        let times: Vec<Timestamp> = chunk.iter().map(|n| due(*n)).collect();
        let sql = "INSERT INTO bench_timers.bare (id, subject_id, due_time)
                   SELECT n.id, n.id, n.due FROM unnest($1::uuid[], $2::timestamptz[]) AS n(id, due)";
        let due: Vec<_> = times.iter().map(|time| time.to_sqlx()).collect();
        sqlx::query(sql).bind(&ids).bind(due).execute(&field.pool).await.context("writing bare timers")?;
        index(&mut redis, ids.iter().zip(&times)).await?;
    }
    Ok(())
}

/// Pipelined ZADD.
pub(super) async fn index(redis: &mut MultiplexedConnection, timers: impl Iterator<Item = (&Uuid, &Timestamp)>) -> Result<()> {
    let mut pipe = redis::pipe();
    for (id, due) in timers {
        pipe.zadd(KEY, id.as_bytes().as_slice(), due.as_millisecond() + 1).ignore();
    }
    Ok(pipe.query_async::<()>(redis).await?)
}

/// Fires until so many were fired; returns how late each was.
pub(super) async fn fire(field: &Field<'_>, clock: &Clock, count: usize) -> Result<Vec<Duration>> {
    let mut redis = field.stage.redis().await?;
    let mut late = Vec::with_capacity(count);
    while late.len() < count {
        let now = clock.now();
        let members: Vec<Vec<u8>> = redis::cmd("ZRANGEBYSCORE")
            .arg(KEY)
            .arg("-inf")
            .arg(now.as_millisecond())
            .arg(&["LIMIT", "0"])
            .arg(BATCH)
            .query_async(&mut redis)
            .await?;
        if members.is_empty() {
            let next: Vec<(Vec<u8>, f64)> = redis::cmd("ZRANGE").arg(KEY).arg(0).arg(0).arg("WITHSCORES").query_async(&mut redis).await?;
            let (_, score) = next.first().context("the bare index is empty")?;
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds")]
            clock.sleep_until(Timestamp::from_millisecond(*score as i64)?).await;
            continue;
        }
        let ids: Vec<Uuid> = members.iter().filter_map(|member| Uuid::from_slice(member).ok()).collect();
        let sql = "WITH gone AS (DELETE FROM bench_timers.bare WHERE id = ANY($1) RETURNING id, subject_id, due_time), fired AS (
                       INSERT INTO bench_timers.fired (timer_id, subject_id, kind, due_time)
                       SELECT id, subject_id, 'bare', due_time FROM gone ORDER BY due_time)
                   SELECT due_time FROM gone";
        let fired: Vec<jiff_sqlx::Timestamp> = sqlx::query_scalar(sql).bind(&ids).fetch_all(&field.pool).await?;
        let done = clock.now();
        late.extend(fired.into_iter().map(|due| span(done.duration_since(due.to_jiff()))));
        redis::cmd("ZREM").arg(KEY).arg(members).exec_async(&mut redis).await?;
    }
    Ok(late)
}

fn span(late: SignedDuration) -> Duration {
    late.unsigned_abs()
}
