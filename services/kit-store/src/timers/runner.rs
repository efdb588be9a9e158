//! The loop of one shard: sleep until the next due time, claim, settle.

use std::future::pending;
use std::time::Duration;

use jiff::Timestamp;
use steward_kit::Result;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::index::Claimed;
use super::service::Parts;
use crate::outage::Outage;

/// The pause after Redis or Postgres did not answer; the sweeper fires meanwhile.
const PAUSE: Duration = Duration::from_millis(500);

/// A batch grows while a full one takes less than this, up to so many times what is set: the more go together, the less each costs.
const QUICK: Duration = Duration::from_millis(40);
const GROWTH: u16 = 10;
/// It shrinks when one takes longer than this: its subjects are locked meanwhile, and callers wait for them.
const SLOW: Duration = Duration::from_millis(120);

pub(super) async fn run(parts: &Parts, shard: u16, wake: &Notify, stop: &CancellationToken) {
    let mut outage = Outage::of(parts.firer.db.schema(), "the timers of a shard wait for the sweeper");
    let mut turns = Turns { parts, shard, most: parts.options.batch, settled: Vec::new() };
    while !stop.is_cancelled() {
        let outcome = turns.next().await;
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
    if let Err(error) = parts.index.acknowledge(shard, &turns.settled).await {
        tracing::debug!(error = ?error, "the last leases end by themselves");
    }
}

/// The shard's batches, one after the other.
struct Turns<'a> {
    parts: &'a Parts,
    shard: u16,
    most: u16,
    /// What was fired last; the next claim ends its leases, so that there is one trip to Redis for a batch.
    settled: Vec<Uuid>,
}

impl Turns<'_> {
    async fn next(&mut self) -> Result<Claimed> {
        let (index, clock, lease) = (&self.parts.index, &self.parts.clock, self.parts.options.lease);
        let claimed = index.claim(self.shard, clock.now(), lease, self.most, &self.settled).await?;
        self.settled.clear();
        if !claimed.ids.is_empty() {
            let start = Instant::now();
            match self.parts.settle(self.shard, &claimed).await {
                Ok(settled) => self.settled = settled,
                Err(error) => {
                    self.parts.give_back(self.shard, &claimed).await;
                    return Err(error);
                }
            }
            self.pace(claimed.ids.len(), start.elapsed());
        }
        Ok(claimed)
    }

    fn pace(&mut self, count: usize, took: Duration) {
        let usual = self.parts.options.batch;
        if took > SLOW {
            self.most = (self.most / 2).max(usual.min(10));
        } else if took < QUICK && count >= usize::from(self.most) {
            self.most = self.most.saturating_mul(2).min(usual.saturating_mul(GROWTH));
        }
    }
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
