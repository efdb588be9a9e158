//! Facts of other services, applied once and in the order of each subject.
//!
//! A consumer is a group on every shard of the source's stream. Per shard one process at a time reads: whoever holds a
//! short lease in Redis, taken, renewed and checked in the same script that reads. A batch is one transaction: the inbox
//! decides which events are new, their effects are written, then it commits, and only then are the entries
//! acknowledged. See `docs/outbox-inbox.md` for what a crash at each step leaves behind.

mod apply;
mod cause;
mod consumer;
mod dead_letter;
mod edge;
mod runner;
mod settle;
mod stream;

use jiff::Timestamp;
use prost::Message;
use sqlx::PgConnection;
use steward_kit::{Error, Result};
use steward_proto::event::v1::Event;

use crate::effects::Effects;

pub use consumer::{Consumer, ConsumerOptions};
pub use dead_letter::{DeadLetter, DeadLetterId, LetterFilter, LetterState, Settled, Settlement, dead_letters};
pub use edge::{DeadLetterEdge, dead_letter_service};
pub use settle::DeadLetters;

/// What a consumer does with an event.
#[tonic::async_trait]
pub trait EventHandler: Send + Sync + 'static {
    /// Whether an event of this type (`steward.customer.v1.EstateChanged`) concerns the consumer; others are passed
    /// over without a trace.
    fn wants(&self, kind: &str) -> bool {
        let _ = kind;
        true
    }

    /// Applies an event that was not applied before: writes rows on `tx` and returns what follows. Everything is
    /// committed with the mark that says it was done, or nothing is. Must not call other services: the transaction is
    /// open.
    ///
    /// # Errors
    /// `Unavailable` is waited out, for as long as it takes. Anything else is tried a few times, then the event becomes
    /// a dead letter and the shard goes on.
    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects>;

    /// Whether it does for many in a few statements what it does for one: then runs of events go to [`EventHandler::apply_all`].
    fn takes_many(&self) -> bool {
        false
    }

    /// What [`EventHandler::apply`] does, for several events in their order.
    ///
    /// # Errors
    /// Any; the events are then tried again one by one.
    async fn apply_all(&self, tx: &mut PgConnection, events: &[&Event], now: Timestamp) -> Result<Effects> {
        let mut effects = Effects::none();
        for event in events {
            effects.merge(self.apply(tx, event, now).await?);
        }
        Ok(effects)
    }

    /// What it did is committed: the time for hints, which come too early before.
    fn committed(&self) {}
}

/// The fact in an event's envelope.
///
/// # Errors
/// The envelope is empty or holds something else: a poison event.
pub fn payload<M: Message + Default>(event: &Event) -> Result<M> {
    let payload = event.payload.as_ref().ok_or_else(|| Error::bug("an event without a payload"))?;
    M::decode(payload.value.as_slice()).map_err(Error::internal)
}
