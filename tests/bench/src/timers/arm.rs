//! Row 9: setting timers, and getting the index back.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use jiff::SignedDuration;
use redis::aio::MultiplexedConnection;
use steward_kit_store::{Db, Effects, TimerChange};
use uuid::Uuid;

use super::{
    bare,
    field::{Field, key},
};
use crate::{
    quantiles::Times,
    row::{Goal, Row},
    stage::Stage,
    trips::Commands,
};

pub(super) async fn run(field: &Field<'_>, pending: usize) -> Result<Vec<Row>> {
    let arms = if field.stage.options.quick { 100 } else { 500 };
    let db = field.replica().await?;
    let before = Commands::now(field.stage).await?;
    for _ in 0..arms {
        four(&db, field.stage).await?;
    }
    let asked = Commands::now(field.stage).await?.since(&before);
    let on_the_path = Row::value(9, "Redis commands of setting four timers", per(asked.all(), arms), "")
        .bar(Goal::AtMost(0.0))
        .note("on the caller's path: no loop runs, so every command would be the caller's");

    field.lose_index().await?;
    let empty = used_memory(field.stage).await?;
    let mut redis = field.stage.redis().await?;
    let firing = field.fire(&db, &field.stage.clock, false)?;
    let all = pending + 4 * usize::try_from(arms)?;
    field.wait_for_index(all, Duration::from_millis(100)).await?;
    #[expect(clippy::cast_precision_loss, reason = "bytes")]
    let each = (used_memory(field.stage).await? - empty) as f64 / all as f64;

    let mut times = Vec::new();
    for _ in 0..arms {
        let id = four(&db, field.stage).await?;
        let begun = Instant::now();
        while !is_indexed(&mut redis, id).await? {
            ensure!(begun.elapsed() < Duration::from_secs(10), "a timer was not indexed within ten seconds");
        }
        times.push(begun.elapsed());
    }
    let times = Times::new(times);

    field.lose_index().await?;
    let begun = Instant::now();
    field.wait_for_index(all, Duration::from_millis(20)).await?;
    let back = begun.elapsed().as_secs_f64();
    firing.stop().await?;
    field.lose_index().await?;
    let zadd = pipelined(field.stage, all).await?;
    field.lose_index().await?;
    Ok(vec![
        on_the_path,
        Row::value(9, "index written after the commit: p99", times.p99_ms(), "ms").bar(Goal::AtMost(50.0)).note(format!(
            "p50 {:.2} ms, {} settings of four",
            times.p50_ms(),
            times.count()
        )),
        Row::value(9, format!("after a flush {all} timers back in"), back, "s")
            .at_most(10.0, 7.0)
            .beside(zadd, "s")
            .note("beside pipelined ZADD of as many; the loss is noticed by a sweep, within two seconds"),
        Row::value(9, "memory of Redis for each timer", each, "bytes").at_most(150.0, 130.0),
    ])
}

/// Sets four timers in one statement, as creating an order does, and returns the last one's id.
async fn four(db: &Db, stage: &Stage) -> Result<Uuid> {
    let (now, subject) = (stage.clock.now(), Uuid::now_v7());
    let far = now + SignedDuration::from_hours(24 * 30);
    let timers = ["respond", "contact", "arrive", "finish"].map(|key| TimerChange::set("idle", subject, key, None, far));
    let Some(TimerChange::Set { id, .. }) = timers.last() else { anyhow::bail!("no timer") };
    let id = id.as_uuid();
    let effects = Effects { timers: timers.to_vec(), ..Effects::none() };
    let mut connection = db.pool().acquire().await?;
    effects.write(db, &mut connection, now).await?;
    db.wake(&effects);
    Ok(id)
}

async fn is_indexed(redis: &mut MultiplexedConnection, id: Uuid) -> Result<bool> {
    let mut pipe = redis::pipe();
    for shard in 0..8 {
        pipe.zscore(key(shard, "due"), id.as_bytes().as_slice());
    }
    let scores: Vec<Option<f64>> = pipe.query_async(redis).await?;
    Ok(scores.iter().any(Option::is_some))
}

/// Seconds for as many by pipelined ZADD, a thousand to a pipeline.
async fn pipelined(stage: &Stage, count: usize) -> Result<f64> {
    let mut redis = stage.redis().await?;
    let all: Vec<(Uuid, jiff::Timestamp)> = (0..count).map(|_| (Uuid::now_v7(), stage.clock.now())).collect();
    let begun = Instant::now();
    for chunk in all.chunks(1000) {
        bare::index(&mut redis, chunk.iter().map(|(id, due)| (id, due))).await?;
    }
    Ok(begun.elapsed().as_secs_f64())
}

async fn used_memory(stage: &Stage) -> Result<i64> {
    let text: String = redis::cmd("INFO").arg("memory").query_async(&mut stage.redis().await?).await?;
    let line = text.lines().find_map(|line| line.strip_prefix("used_memory:")).context("no used_memory")?;
    Ok(line.trim().parse()?)
}

#[expect(clippy::cast_precision_loss, reason = "counts")]
fn per(count: u64, of: u32) -> f64 {
    count as f64 / f64::from(of)
}
