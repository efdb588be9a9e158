//! A consumer: which events, whose, and what to do with them.

use std::sync::Arc;
use std::time::Duration;

use steward_kit::clock::Clock;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::EventHandler;
use super::apply::Applier;
use super::runner::ShardRunner;
use super::stream::ShardStream;
use crate::db::Db;
use crate::metrics::Meters;
use crate::outbox::wake_channel;
use crate::redis_link::listen;
use crate::shard::SHARDS;

/// How a consumer works; the defaults are for production.
#[derive(Debug, Clone)]
pub struct ConsumerOptions {
    /// Most events of one transaction.
    pub batch: u16,
    /// How long a shard stays with a process that died.
    pub lease: Duration,
    /// How long an event waits at most when its hint was lost.
    pub scan_every: Duration,
    /// How often an event is tried before it becomes a dead letter.
    pub attempts: i32,
    /// The pause after the first failure; doubled after each further one, up to a hundredfold.
    pub retry_after: Duration,
}

impl Default for ConsumerOptions {
    fn default() -> Self {
        Self {
            batch: 200,
            lease: Duration::from_secs(6),
            scan_every: Duration::from_secs(2),
            attempts: 6,
            retry_after: Duration::from_millis(100),
        }
    }
}

/// Applies the events of one service to another. Every replica runs one; they share the shards by leases. Cheap to clone.
#[derive(Clone)]
pub struct Consumer {
    pub(super) parts: Arc<Parts>,
}

pub(super) struct Parts {
    pub(super) applier: Applier,
    pub(super) handler: Arc<dyn EventHandler>,
    pub(super) clock: Clock,
    pub(super) options: ConsumerOptions,
    pub(super) meters: Meters,
    source: String,
}

impl Consumer {
    /// A consumer of the events of `source` (a service's schema) in the service of `db`. `name` tells apart several
    /// consumers in one service; it names the group, so it never changes.
    pub fn new(db: Db, clock: Clock, source: &str, name: &str, handler: impl EventHandler) -> Self {
        Self::with(db, clock, source, name, Arc::new(handler), ConsumerOptions::default())
    }

    /// A consumer with other options.
    pub fn with(db: Db, clock: Clock, source: &str, name: &str, handler: Arc<dyn EventHandler>, options: ConsumerOptions) -> Self {
        let meters = Meters::of(db.schema());
        let group = format!("{}.{name}", db.schema());
        meters.expect_events(&group);
        let applier = Applier::new(db, group);
        Self { parts: Arc::new(Parts { applier, handler, clock, options, meters, source: source.to_owned() }) }
    }

    /// Runs until told to stop; a batch that is under way is finished first, and the leases are given back.
    pub async fn run(self, stop: CancellationToken) {
        let parts = &self.parts;
        let redis = parts.applier.db().redis();
        let wakes: Vec<Notify> = (0..SHARDS).map(|_| Notify::new()).collect();
        let channels: Vec<String> = (0..SHARDS).map(|shard| wake_channel(&parts.source, shard)).collect();
        let runners = futures::future::join_all((0..SHARDS).zip(&wakes).map(|(shard, wake)| {
            let stream = ShardStream::new(redis.clone(), &parts.source, parts.applier.consumer(), shard, parts.options.lease);
            ShardRunner::new(parts, stream, wake).run(stop.clone())
        }));
        let wake = |channel: Option<&str>| {
            for (wake, name) in wakes.iter().zip(&channels) {
                if channel.is_none_or(|channel| channel == name) {
                    wake.notify_one();
                }
            }
        };
        tokio::join!(runners, listen(redis, &channels, wake, &stop));
    }

    /// Its group, `<schema>.<name>`: what dead letters know it by.
    pub(super) fn group(&self) -> &str {
        self.parts.applier.consumer()
    }

    /// What it does with an event.
    pub(super) fn handler(&self) -> &dyn EventHandler {
        self.parts.handler.as_ref()
    }
}
