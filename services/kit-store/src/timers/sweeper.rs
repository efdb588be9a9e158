//! Holds the index against the table, and fires from the table when there is no index.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use steward_kit::Result;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::service::Parts;
use crate::outage::Outage;
use crate::shard::SHARDS;

/// How far ahead a sweep looks; later timers come into its view in time.
const HORIZON: SignedDuration = SignedDuration::from_mins(2);
const PAGE: i64 = 1000;
/// Longest time that one replica may keep the others from filling the index.
const FILLING: Duration = Duration::from_secs(60);

pub(super) async fn run(parts: &Parts, wakes: &[Notify], stop: &CancellationToken) {
    let schema = parts.firer.db.schema();
    let mut no_index = Outage::of(schema, "timers fire from Postgres alone, because their index can not be compared");
    let mut no_truth = Outage::of(schema, "timers can not be fired at all");
    while !stop.is_cancelled() {
        match sweep(parts, wakes).await {
            Ok(()) => no_index.is_over(),
            Err(error) => {
                no_index.goes_on(&error);
                match fire_overdue(parts, stop).await {
                    Ok(()) => no_truth.is_over(),
                    Err(error) => no_truth.goes_on(&error),
                }
            }
        }
        stop.run_until_cancelled(tokio::time::sleep(parts.options.sweep_every)).await;
    }
}

/// One comparison. Fills the whole index if it was lost, else looks at what is due soon.
async fn sweep(parts: &Parts, wakes: &[Notify]) -> Result<()> {
    let mut lost = false;
    for (shard, wake) in (0..SHARDS).zip(wakes) {
        let state = parts.index.inspect(shard, parts.clock.now()).await?;
        lost |= !state.filled;
        if state.abandoned {
            wake.notify_one();
        }
    }
    if lost && parts.index.may_fill(FILLING).await? {
        let added = compare(parts, Timestamp::MAX).await?;
        for shard in 0..SHARDS {
            parts.index.mark_filled(shard, parts.clock.now()).await?;
        }
        tracing::warn!(schema = parts.firer.db.schema(), timers = added, "the timer index was lost and is filled again");
        return parts.index.filled().await;
    }
    compare(parts, parts.clock.now() + HORIZON).await.map(drop)
}

/// Goes through the pending timers up to `until`, oldest first, and puts in those that the index lacks.
async fn compare(parts: &Parts, until: Timestamp) -> Result<usize> {
    let until = until.min(LAST_TIME);
    let (mut after, mut added) = ((FIRST_TIME, Uuid::nil()), 0);
    loop {
        let page = parts.firer.page(after, until, PAGE).await?;
        let missing = parts.index.missing(&page).await?;
        parts.index.add(&missing).await?;
        parts.meters.timers_repaired(missing.len());
        added += missing.len();
        match page.last() {
            Some(last) if page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX) => after = (last.wake_time, last.id),
            _ => return Ok(added),
        }
    }
}

/// No Redis: everything that is due, oldest first, straight from the table. Replicas that meet wait for each other's
/// row locks and find the rows gone.
async fn fire_overdue(parts: &Parts, stop: &CancellationToken) -> Result<()> {
    while !stop.is_cancelled() {
        let due = parts.firer.overdue(parts.clock.now(), parts.options.batch).await?;
        if due.is_empty() {
            return Ok(());
        }
        let rest = parts.fire(&due).await?;
        parts.meters.timers_fired_without_redis(due.len() - rest.len());
    }
    Ok(())
}

/// Bounds that Postgres can hold too.
const FIRST_TIME: Timestamp = Timestamp::constant(-62_135_596_800, 0);
const LAST_TIME: Timestamp = Timestamp::constant(253_402_207_200, 0);
