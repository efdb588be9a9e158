//! A batch of events in one transaction.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, SqlStr};
use steward_kit::telemetry::{continue_trace, is_sampled};
use steward_kit::{Error, Result};
use steward_proto::event::v1::Event;
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::EventHandler;
use crate::db::Db;
use crate::effects::Effects;
use crate::error::StoreResult;

/// How many of a batch were new, and how many had been applied before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) applied: usize,
    pub(super) repeated: usize,
}

/// Applies events through the inbox.
pub(super) struct Applier {
    db: Db,
    consumer: String,
    claim: SqlStr,
}

impl Applier {
    pub(super) fn new(db: Db, consumer: String) -> Self {
        // Sorted: two processes that meet on the same events wait for each other, and never in a circle.
        let claim = db.sql(
            "INSERT INTO {schema}.inbox (consumer, event_id, process_time)
             SELECT $1, n.id, $3 FROM unnest($2::uuid[]) AS n(id) ORDER BY n.id
             ON CONFLICT DO NOTHING RETURNING event_id",
        );
        Self { db, consumer, claim }
    }

    pub(super) fn db(&self) -> &Db {
        &self.db
    }

    pub(super) fn consumer(&self) -> &str {
        &self.consumer
    }

    /// Applies those of `events` that are new, in order, and commits them with the marks that say so.
    pub(super) async fn apply(&self, handler: &dyn EventHandler, events: &[(Uuid, Event)], now: Timestamp) -> Result<Tally> {
        let _place = self.db.background().await;
        let mut tx = self.db.begin().await?;
        let mut new = self.claim(&mut tx, events.iter().map(|(id, _)| *id).collect(), now).await?;
        let new: Vec<&Event> = events.iter().filter(|(id, _)| new.remove(id)).map(|(_, event)| event).collect();
        let tally = Tally { applied: new.len(), repeated: events.len() - new.len() };
        let (mut effects, mut left) = (Effects::none(), new.as_slice());
        while let Some((first, others)) = left.split_first() {
            let together = if handler.takes_many() { together(first, others) } else { 1 };
            let (run, rest) = left.split_at(together);
            effects.merge(guarded(handler, &mut tx, run, now).await?);
            left = rest;
        }
        effects.write(&self.db, &mut tx, now).await?;
        tx.commit().await.store()?;
        self.db.wake(&effects);
        handler.committed();
        Ok(tally)
    }

    /// Marks events as applied and says which of them had not been. Waits for another process that is marking the same.
    pub(super) async fn claim(&self, tx: &mut PgConnection, ids: Vec<Uuid>, now: Timestamp) -> Result<HashSet<Uuid>> {
        let new: Vec<Uuid> =
            sqlx::query_scalar(self.claim.clone()).bind(&self.consumer).bind(ids).bind(now.to_sqlx()).fetch_all(tx).await.store()?;
        Ok(new.into_iter().collect())
    }
}

/// How many go to a handler at once: none whose trace is recorded, since an effect belongs to one trace.
fn together(first: &Event, others: &[&Event]) -> usize {
    if is_sampled(&first.traceparent) { 1 } else { 1 + others.iter().take_while(|other| !is_sampled(&other.traceparent)).count() }
}

/// The handler within the trace of the request that made the fact. One that panics has failed, and takes nothing else
/// with it.
pub(super) async fn guarded(handler: &dyn EventHandler, tx: &mut PgConnection, run: &[&Event], now: Timestamp) -> Result<Effects> {
    let applying = async {
        match run {
            [event] => handler.apply(tx, event, now).instrument(span_of(event)).await,
            many => {
                let span = tracing::info_span!(parent: None, "apply_events", otel.kind = "consumer", count = many.len());
                handler.apply_all(tx, many, now).instrument(span).await
            }
        }
    };
    AssertUnwindSafe(applying).catch_unwind().await.unwrap_or_else(|_| Err(Error::bug("the handler panicked")))
}

fn span_of(event: &Event) -> Span {
    let name = format!("apply {}", crate::outbox::short_name(&event.r#type));
    let span = tracing::info_span!(parent: None, "apply_event", otel.name = name, otel.kind = "consumer", kind = event.r#type, event = event.id, subject = event.subject);
    continue_trace(&span, &event.traceparent);
    span
}
