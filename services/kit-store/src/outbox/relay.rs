//! The job that carries facts out.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::SignedDuration;
use sqlx::SqlStr;
use steward_kit::Result;
use steward_kit::clock::Clock;
use tokio_util::sync::CancellationToken;

use super::publish::{Outcome, Publisher};
use super::redis_streams::RedisStreams;
use super::tend::Tender;
use super::transport::Transport;
use crate::db::Db;
use crate::error::StoreResult;
use crate::metrics::Meters;
use crate::outage::Outage;

/// How the relay works; the defaults are for production.
#[derive(Debug, Clone)]
pub struct RelayOptions {
    /// Most events of one transaction.
    pub batch: u16,
    /// How long a row waits at most when its hint was lost.
    pub scan_every: Duration,
    /// How often watermarks are stored, lost streams looked for, and streams trimmed.
    pub tend_every: Duration,
    /// How long an entry stays in the stream after everybody acknowledged it.
    pub retention: SignedDuration,
}

impl Default for RelayOptions {
    fn default() -> Self {
        Self {
            batch: 500,
            scan_every: Duration::from_secs(1),
            tend_every: Duration::from_secs(5),
            retention: SignedDuration::from_hours(24),
        }
    }
}

/// Publishes the outbox of one service. Every replica runs one; they share the shards by locks.
#[derive(Clone)]
pub struct Relay {
    parts: Arc<Parts>,
}

struct Parts {
    db: Db,
    clock: Clock,
    options: RelayOptions,
    transport: Arc<dyn Transport>,
    publisher: Publisher,
    tender: Tender,
    meters: Meters,
    busy: SqlStr,
}

impl Relay {
    /// A relay to Redis Streams.
    pub fn new(db: Db, clock: Clock) -> Self {
        let transport = RedisStreams::new(db.redis().clone(), db.schema());
        Self::with(db, clock, Arc::new(transport), RelayOptions::default())
    }

    /// A relay to another transport, or with other options.
    pub fn with(db: Db, clock: Clock, transport: Arc<dyn Transport>, options: RelayOptions) -> Self {
        let busy = db.sql(
            "SELECT r.shard FROM {schema}.relay_shards r
              WHERE EXISTS (SELECT FROM {schema}.outbox o WHERE o.shard = r.shard AND o.publish_time IS NULL)",
        );
        let publisher = Publisher::new(db.clone(), i64::from(options.batch));
        let tender = Tender::new(db.clone(), options.retention);
        let meters = Meters::of(db.schema());
        meters.expect_publications();
        Self { parts: Arc::new(Parts { db, clock, options, transport, publisher, tender, meters, busy }) }
    }

    /// Runs until told to stop; a batch that is under way is finished first.
    pub async fn run(self, stop: CancellationToken) {
        let parts = &self.parts;
        let schema = parts.db.schema();
        let mut untended = Outage::of(schema, "the streams are not looked after");
        let mut unpublished = Outage::of(schema, "events wait in the outbox");
        let mut tend_at = tokio::time::Instant::now();
        while !stop.is_cancelled() {
            if tokio::time::Instant::now() >= tend_at {
                match self.tend().await {
                    Ok(()) => untended.is_over(),
                    Err(error) => untended.goes_on(&error),
                }
                tend_at = tokio::time::Instant::now() + parts.options.tend_every;
            }
            let round = self.publish_round().await;
            if round.is_ok() {
                unpublished.is_over();
            }
            let pause = match round {
                Ok(Round::Idle) => parts.options.scan_every,
                Ok(Round::Busy) => continue,
                // Rows that another replica did not see yet: ask again as soon as it may be done.
                Ok(Round::Elsewhere) => Duration::from_millis(10),
                Err(error) => {
                    unpublished.goes_on(&error);
                    parts.options.scan_every
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = parts.db.unpublished().notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One batch of every shard that has something to publish.
    async fn publish_round(&self) -> Result<Round> {
        let parts = &self.parts;
        let busy: Vec<i16> = sqlx::query_scalar(parts.busy.clone()).fetch_all(parts.db.pool()).await.store()?;
        if busy.is_empty() {
            return Ok(Round::Idle);
        }
        let mut outcomes = futures::stream::iter(busy).map(|shard| self.publish(shard.unsigned_abs())).buffer_unordered(4);
        let (mut elsewhere, mut failure) = (true, None);
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                Ok(Outcome::Taken) => {}
                Ok(Outcome::Published(..) | Outcome::Restored(_)) => elsewhere = false,
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            Some(error) => Err(error),
            None if elsewhere => Ok(Round::Elsewhere),
            None => Ok(Round::Busy),
        }
    }

    async fn publish(&self, shard: u16) -> Result<Outcome> {
        let parts = &self.parts;
        let now = parts.clock.now();
        let grace = now - GRACE;
        let outcome = parts.publisher.publish(parts.transport.as_ref(), shard, now, grace).await?;
        match outcome {
            Outcome::Published(count, oldest) => {
                parts.meters.published(count, oldest.map(|oldest| parts.clock.now().duration_since(oldest)))
            }
            Outcome::Restored(count) => parts.meters.restored(count),
            Outcome::Taken => {}
        }
        Ok(outcome)
    }

    /// Looks at every shard, also the quiet ones: a lost stream is filled again without waiting for new events.
    async fn tend(&self) -> Result<()> {
        let parts = &self.parts;
        for shard in 0..crate::shard::SHARDS {
            self.publish(shard).await?;
            let lag = parts.tender.tend(parts.transport.as_ref(), shard, parts.clock.now()).await?;
            parts.meters.consumer_lag(shard, &lag);
        }
        Ok(())
    }
}

/// A consumer group has stored a watermark long before it is this old.
const GRACE: SignedDuration = SignedDuration::from_mins(10);

enum Round {
    Idle,
    Busy,
    Elsewhere,
}
