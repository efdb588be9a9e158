//! The loop of one shard: sleep until the next due time, claim, settle.

use std::future::pending;
use std::time::Duration;

use jiff::Timestamp;
use steward_kit::Result;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::index::Claimed;
use super::service::Parts;
use crate::outage::Outage;

/// The pause after Redis or Postgres did not answer; the sweeper fires meanwhile.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn run(parts: &Parts, shard: u16, wake: &Notify, stop: &CancellationToken) {
    let mut outage = Outage::of(parts.firer.db.schema(), "the timers of a shard wait for the sweeper");
    while !stop.is_cancelled() {
        let outcome = claim_and_settle(parts, shard).await;
        if outcome.is_ok() {
            outage.is_over();
        }
        match outcome {
            // There may be more.
            Ok(claimed) if !claimed.ids.is_empty() => {}
            Ok(claimed) => {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => {}
                    () = wake.notified() => {}
                    () = until(parts, claimed.next_due) => {}
                    () = after(claimed.lease_left) => {}
                }
            }
            Err(error) => {
                outage.goes_on(&error);
                stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            }
        }
    }
}

async fn claim_and_settle(parts: &Parts, shard: u16) -> Result<Claimed> {
    let options = &parts.options;
    let claimed = parts.index.claim(shard, parts.clock.now(), options.lease, options.batch).await?;
    if !claimed.ids.is_empty() {
        parts.settle(shard, &claimed.ids).await?;
    }
    Ok(claimed)
}

async fn until(parts: &Parts, due: Option<Timestamp>) {
    match due {
        Some(due) => parts.clock.sleep_until(due).await,
        None => pending().await,
    }
}

async fn after(left: Option<Duration>) {
    match left {
        // A moment more, so that it has run out when it is looked at.
        Some(left) => tokio::time::sleep(left + Duration::from_millis(1)).await,
        None => pending().await,
    }
}
