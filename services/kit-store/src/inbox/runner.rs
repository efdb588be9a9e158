//! The loop of one shard.

use std::future::Future;
use std::time::Duration;

use prost::Message;
use steward_kit::proto::timestamp;
use steward_kit::{Error, Result};
use steward_proto::event::v1::Event;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::consumer::Parts;
use super::dead_letter::bury;
use super::stream::{Entry, Read, ShardStream, Which};
use crate::outage::Outage;

/// The pause after Redis or Postgres did not answer.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) struct ShardRunner<'a> {
    parts: &'a Parts,
    stream: ShardStream,
    wake: &'a Notify,
}

impl<'a> ShardRunner<'a> {
    pub(super) fn new(parts: &'a Parts, stream: ShardStream, wake: &'a Notify) -> Self {
        Self { parts, stream, wake }
    }

    pub(super) async fn run(self, stop: CancellationToken) {
        // What was delivered and not acknowledged goes first, or the order of a subject would break.
        let mut which = Which::Pending;
        let schema = self.parts.applier.db().schema();
        let mut unread = Outage::of(schema, "events can not be read");
        let mut unapplied = Outage::of(schema, "events wait to be applied");
        while !stop.is_cancelled() {
            let read = self.stream.read(which, self.parts.options.batch).await;
            if read.is_ok() {
                unread.is_over();
            }
            let pause = match read {
                Ok(Read::Taken) => {
                    which = Which::Pending;
                    continue;
                }
                Ok(Read::Entries(entries)) if entries.is_empty() => {
                    if which == Which::Pending {
                        which = Which::New;
                        continue;
                    }
                    self.parts.options.scan_every.min(self.parts.options.lease / 3)
                }
                Ok(Read::Entries(entries)) => match self.holding(self.work(&entries, &stop)).await {
                    Ok(()) => {
                        unapplied.is_over();
                        continue;
                    }
                    Err(error) => {
                        unapplied.goes_on(&error);
                        which = Which::Pending;
                        PAUSE
                    }
                },
                Ok(Read::Elsewhere(left)) => left.min(self.parts.options.lease) + Duration::from_millis(10),
                Err(error) => {
                    unread.goes_on(&error);
                    which = Which::Pending;
                    PAUSE
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        if let Err(error) = self.stream.release().await {
            tracing::debug!(error = ?error, "the lease of a shard was left to run out");
        }
    }

    /// Applies a batch and acknowledges it: whole, or one by one when the whole fails.
    async fn work(&self, entries: &[Entry], stop: &CancellationToken) -> Result<()> {
        let wanted: Vec<Delivered<'_>> = entries.iter().filter_map(|entry| self.wanted(entry)).collect();
        let events: Option<Vec<(Uuid, Event)>> = wanted.iter().map(|one| one.event.clone().map(|event| (one.id, event))).collect();
        let whole = match events {
            Some(events) if events.is_empty() => Ok(()),
            Some(events) => self.apply(&events).await,
            None => Err(Error::bug("an unreadable event")),
        };
        if whole.is_err() {
            for one in wanted {
                self.work_one(one, stop).await?;
            }
        }
        let ids: Vec<String> = entries.iter().map(|entry| entry.id.clone()).collect();
        self.stream.acknowledge(&ids).await
    }

    /// Tries one event until it is applied, buried, or told to stop.
    async fn work_one(&self, one: Delivered<'_>, stop: &CancellationToken) -> Result<()> {
        let options = &self.parts.options;
        let Some(event) = one.event else {
            return self.bury(one.id, one.bytes, &Error::bug("not an event"), 1).await;
        };
        let event = [(one.id, event)];
        let (mut attempts, mut pause) = (0, options.retry_after);
        loop {
            let Err(error) = self.apply(&event).await else { return Ok(()) };
            // The store or a peer being down is not the event's fault, so not counted.
            if !matches!(error, Error::Unavailable { .. }) {
                attempts += 1;
                if attempts >= options.attempts {
                    return self.bury(one.id, one.bytes, &error, attempts).await;
                }
                tracing::warn!(consumer = self.parts.applier.consumer(), event = %one.id, attempts, error = ?error, "an event could not be applied");
            }
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return Err(Error::unavailable("consumer", anyhow::anyhow!("stopped before the event could be applied")));
            }
            pause = (pause * 2).min(options.retry_after * 100);
        }
    }

    async fn apply(&self, events: &[(Uuid, Event)]) -> Result<()> {
        let tally = self.parts.applier.apply(self.parts.handler.as_ref(), events, self.parts.clock.now()).await?;
        let published = events.iter().filter_map(|(_, event)| timestamp(event.publish_time.as_ref()?)).min();
        let oldest = published.map(|published| self.parts.clock.now().duration_since(published));
        self.parts.meters.applied(self.parts.applier.consumer(), tally.applied, tally.repeated, oldest);
        Ok(())
    }

    async fn bury(&self, id: Uuid, bytes: &[u8], cause: &Error, attempts: i32) -> Result<()> {
        bury(&self.parts.applier, id, bytes, cause, attempts, self.parts.clock.now()).await?;
        self.parts.meters.buried(self.parts.applier.consumer());
        tracing::error!(consumer = self.parts.applier.consumer(), event = %id, attempts, error = ?cause, "an event became a dead letter");
        Ok(())
    }

    /// The entry as an event, if it concerns the handler. One that can not be read concerns somebody.
    fn wanted<'e>(&self, entry: &'e Entry) -> Option<Delivered<'e>> {
        let event = Event::decode(entry.event.as_slice()).ok();
        let id = event.as_ref().and_then(|event| Uuid::try_parse(&event.id).ok());
        match (event, id) {
            (Some(event), Some(id)) => {
                self.parts.handler.wants(&event.r#type).then_some(Delivered { id, event: Some(event), bytes: &entry.event })
            }
            _ => Some(Delivered { id: Uuid::now_v7(), event: None, bytes: &entry.event }),
        }
    }

    /// Keeps the lease alive while `work` goes on.
    async fn holding<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + self.parts.options.lease / 3, self.parts.options.lease / 3);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                _ = beat.tick() => {
                    if let Err(error) = self.stream.renew().await {
                        tracing::debug!(error = ?error, "a lease could not be renewed");
                    }
                }
            }
        }
    }
}

struct Delivered<'e> {
    id: Uuid,
    event: Option<Event>,
    bytes: &'e [u8],
}
