//! The job that fires timers.

use std::sync::Arc;
use std::time::Duration;

use steward_kit::Result;
use steward_kit::clock::Clock;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::fire::Firer;
use super::handlers::Handlers;
use super::index::Index;
use super::{TimerHandler, runner, sweeper};
use crate::db::Db;
use crate::metrics::Meters;
use crate::outage::Outage;
use crate::redis_link::listen;
use crate::shard::SHARDS;

/// How timers are fired; the defaults are for production.
#[derive(Debug, Clone)]
pub struct TimerOptions {
    /// Most timers of one transaction; several times as many while such a one takes only moments (`runner.rs`).
    pub batch: u16,
    /// How long claimed timers stay with a replica that died.
    pub lease: Duration,
    /// How often the index is held against the table. Without Redis, timers are late by up to this.
    pub sweep_every: Duration,
}

impl Default for TimerOptions {
    fn default() -> Self {
        Self { batch: 100, lease: Duration::from_secs(15), sweep_every: Duration::from_secs(2) }
    }
}

/// Fires the timers of one service. Every replica runs one; none is special. Cheap to clone.
#[derive(Clone)]
pub struct TimerService {
    parts: Arc<Parts>,
}

pub(super) struct Parts {
    pub(super) clock: Clock,
    pub(super) options: TimerOptions,
    pub(super) index: Index,
    pub(super) firer: Firer,
    pub(super) meters: Meters,
}

impl TimerService {
    /// A service with these handlers, one per kind.
    ///
    /// # Errors
    /// Two handlers of one kind.
    pub fn new(db: Db, clock: Clock, handlers: Vec<Arc<dyn TimerHandler>>) -> Result<Self> {
        Self::with(db, clock, handlers, TimerOptions::default())
    }

    /// A service with other options.
    ///
    /// # Errors
    /// Two handlers of one kind.
    pub fn with(db: Db, clock: Clock, handlers: Vec<Arc<dyn TimerHandler>>, options: TimerOptions) -> Result<Self> {
        let handlers = Handlers::new(handlers)?;
        let index = Index::new(db.redis().clone(), db.schema());
        let meters = Meters::of(db.schema());
        handlers.kinds().for_each(|kind| meters.expect_timers(kind));
        Ok(Self { parts: Arc::new(Parts { clock, options, index, firer: Firer::new(db, handlers), meters }) })
    }

    /// Runs until told to stop; a batch that is under way is finished first.
    pub async fn run(self, stop: CancellationToken) {
        let parts = self.parts.as_ref();
        let wakes: Vec<Notify> = (0..SHARDS).map(|_| Notify::new()).collect();
        let channels: Vec<String> = (0..SHARDS).map(|shard| parts.index.channel(shard)).collect();
        let wake = |channel: Option<&str>| {
            for (wake, name) in wakes.iter().zip(&channels) {
                if channel.is_none_or(|channel| channel == name) {
                    wake.notify_one();
                }
            }
        };
        let runners = futures::future::join_all((0..SHARDS).zip(&wakes).map(|(shard, wake)| runner::run(parts, shard, wake, &stop)));
        tokio::join!(
            runners,
            sweeper::run(parts, &wakes, &stop),
            index_hints(parts, &wakes, &stop),
            listen(parts.firer.db.redis(), &channels, wake, &stop),
        );
    }
}

/// Puts timers into the index as they are committed. What fails here is found by the sweeper.
async fn index_hints(parts: &Parts, wakes: &[Notify], stop: &CancellationToken) {
    let mut outage = Outage::of(parts.firer.db.schema(), "new timers are left to the sweeper");
    while let Some(entries) = stop.run_until_cancelled(parts.firer.db.timer_hints().take()).await {
        match parts.index.add(&entries).await {
            Ok(earlier) => {
                outage.is_over();
                // This replica does not wait to hear it from Redis.
                earlier.into_iter().filter_map(|shard| wakes.get(usize::from(shard))).for_each(Notify::notify_one);
            }
            Err(error) => outage.goes_on(&error),
        }
    }
}
