//! Holds the index against the table, and fires from the table when there is no index.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use steward_kit::Result;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::hints::Entry;
use super::service::Parts;
use crate::outage::Outage;
use crate::shard::SHARDS;

/// How far ahead a sweep looks, in sweeps: each timer is seen several times before it is due, however often one goes wrong.
const AHEAD: i32 = 5;
const PAGE: i64 = 1000;
/// Most pages of one sweep. Of a great backlog each sweep sees a part and the next one goes on, or it would be compared without end.
const PAGES: usize = 10;
/// Rows of a page when the index is filled.
const FILL_PAGE: i64 = 4000;
/// Longest time that one replica may keep the others from filling the index.
const FILLING: Duration = Duration::from_secs(60);

pub(super) async fn run(parts: &Parts, wakes: &[Notify], stop: &CancellationToken) {
    let schema = parts.firer.db.schema();
    let mut no_index = Outage::of(schema, "timers fire from Postgres alone, because their index can not be compared");
    let mut no_truth = Outage::of(schema, "timers can not be fired at all");
    let mut place = FIRST;
    while !stop.is_cancelled() {
        match sweep(parts, wakes, &mut place).await {
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

/// One comparison. Fills the index where it was lost, else looks at what is due soon.
async fn sweep(parts: &Parts, wakes: &[Notify], place: &mut Place) -> Result<()> {
    let mut lost = Vec::new();
    for (shard, wake) in (0..SHARDS).zip(wakes) {
        let state = parts.index.inspect(shard, parts.clock.now()).await?;
        if !state.filled {
            lost.push(shard);
        }
        if state.abandoned {
            wake.notify_one();
        }
    }
    if !lost.is_empty() && parts.index.may_fill(FILLING).await? {
        let added = fill(parts, &lost).await?;
        for shard in lost {
            parts.index.mark_filled(shard, parts.clock.now()).await?;
        }
        tracing::warn!(schema = parts.firer.db.schema(), timers = added, "the timer index was lost and is filled again");
        return parts.index.filled().await;
    }
    compare(parts, place).await
}

/// Puts every pending timer of the lost shards in, oldest first. Nothing is asked about what is there: what stands in the index
/// already stays at its time, and what is fired meanwhile is found gone. The next page is read while one is put in.
async fn fill(parts: &Parts, lost: &[u16]) -> Result<usize> {
    let mut added = 0;
    let mut page = parts.firer.page(FIRST, LAST_TIME, FILL_PAGE).await?;
    while let Some(last) = page.last() {
        let after = (last.wake_time, last.id);
        let entries: Vec<Entry> = page.iter().filter(|entry| lost.contains(&entry.shard)).copied().collect();
        let (put_in, next) = tokio::join!(parts.index.add(&entries), parts.firer.page(after, LAST_TIME, FILL_PAGE));
        put_in?;
        parts.meters.timers_repaired(entries.len());
        added += entries.len();
        page = next?;
    }
    Ok(added)
}

/// Goes through the timers that are due soon, oldest first, from where the sweep before stopped, and puts in those that the index
/// lacks.
async fn compare(parts: &Parts, place: &mut Place) -> Result<()> {
    let ahead = SignedDuration::try_from(parts.options.sweep_every).unwrap_or(SignedDuration::ZERO).saturating_mul(AHEAD);
    let until = parts.clock.now().saturating_add(ahead).unwrap_or(LAST_TIME).min(LAST_TIME);
    for _ in 0..PAGES {
        let page = parts.firer.page(*place, until, PAGE).await?;
        let missing = parts.index.missing(&page).await?;
        parts.index.add(&missing).await?;
        parts.meters.timers_repaired(missing.len());
        match page.last() {
            Some(last) if page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX) => *place = (last.wake_time, last.id),
            _ => {
                *place = FIRST;
                break;
            }
        }
    }
    Ok(())
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

/// Up to where a sweep has come, in the order of the table.
type Place = (Timestamp, Uuid);

/// Bounds that Postgres can hold too.
const FIRST: Place = (Timestamp::constant(-62_135_596_800, 0), Uuid::nil());
const LAST_TIME: Timestamp = Timestamp::constant(253_402_207_200, 0);
