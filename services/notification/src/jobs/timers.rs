//! What happens when a timer of this service fires.

use std::collections::HashMap;
use std::slice;
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::ids::MessageId;
use steward_kit::{Error, Result};
use steward_kit_store::timers::{FiredTimer, TimerHandler};
use steward_kit_store::{Effects, TimerChange};
use uuid::Uuid;

use crate::app::{App, Errand, Lane};
use crate::domain::ids::{BroadcastId, DeliveryId};
use crate::events::broadcasts::{BROADCAST_DUE, BROADCAST_LATE, late};
use crate::events::publish::{DELIVERY_ATTEMPT, MESSAGE_DUE};
use crate::store::broadcasts::{lock_broadcasts, note_late, unfinished};
use crate::store::messages::unsettled;
use crate::store::work::waiting;

/// The handlers, one per kind.
pub(super) fn handlers(app: &Arc<App>) -> Vec<Arc<dyn TimerHandler>> {
    vec![
        Arc::new(DeliveryAttempt(app.clone())),
        Arc::new(MessageDue(app.clone())),
        Arc::new(BroadcastDue(app.clone())),
        Arc::new(BroadcastLate),
    ]
}

/// An attempt is due. The transaction of a timer must not wait for a mail server: the timer is set again for the end of
/// the attempt's lease, and the attempt itself is made outside. If this process dies, the timer finds the delivery again.
struct DeliveryAttempt(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for DeliveryAttempt {
    fn kind(&self) -> &'static str {
        DELIVERY_ATTEMPT
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.fire_all(tx, slice::from_ref(timer), now).await
    }

    fn takes_many(&self) -> bool {
        true
    }

    async fn fire_all(&self, tx: &mut PgConnection, timers: &[FiredTimer], now: Timestamp) -> Result<Effects> {
        let waiting = waiting(tx, &subjects(timers)).await?;
        begin(&self.0, timers, &waiting, now, |id| Errand::Attempt(DeliveryId::from(id)))
    }
}

/// The time of a message has come. It is judged outside as well: the ledger may have to ask the customer service, and to
/// try again when others count contacts with the same household.
struct MessageDue(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for MessageDue {
    fn kind(&self) -> &'static str {
        MESSAGE_DUE
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.fire_all(tx, slice::from_ref(timer), now).await
    }

    fn takes_many(&self) -> bool {
        true
    }

    async fn fire_all(&self, tx: &mut PgConnection, timers: &[FiredTimer], now: Timestamp) -> Result<Effects> {
        let unsettled = unsettled(tx, &subjects(timers)).await?;
        begin(&self.0, timers, &unsettled, now, |id| Errand::Judge(MessageId::from(id)))
    }
}

/// The pages of a broadcast are due, or nobody is at work on them any more. They are made outside: the customer service is asked
/// for each.
struct BroadcastDue(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for BroadcastDue {
    fn kind(&self) -> &'static str {
        BROADCAST_DUE
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        let unfinished = unfinished(tx, &[timer.subject_id]).await?;
        begin(&self.0, slice::from_ref(timer), &unfinished, now, |id| Errand::Broadcast(BroadcastId::from(id)))
    }
}

/// A broadcast shall be done by now (NT-13).
struct BroadcastLate;

#[tonic::async_trait]
impl TimerHandler for BroadcastLate {
    fn kind(&self) -> &'static str {
        BROADCAST_LATE
    }

    async fn lock(&self, tx: &mut PgConnection, subjects: &[Uuid]) -> Result<()> {
        lock_broadcasts(tx, subjects).await
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, _now: Timestamp) -> Result<Effects> {
        let Some(broadcast) = note_late(tx, timer.subject_id).await? else { return Ok(Effects::none()) };
        tracing::warn!(
            broadcast = %broadcast.id, state = %broadcast.state, due = %timer.due_time, estates = broadcast.estate_ids.len(),
            estates_done = broadcast.estate_done_count, households = broadcast.household_count, "a broadcast is not done when it was due"
        );
        Ok(Effects { events: vec![late(&broadcast, timer.due_time)], ..Effects::none() })
    }
}

fn subjects(timers: &[FiredTimer]) -> Vec<Uuid> {
    timers.iter().map(|timer| timer.subject_id).collect()
}

/// Hands out the work of those that are still to be done, each in its lane, and sets each timer again for the end of the lease.
fn begin(
    app: &App,
    timers: &[FiredTimer],
    is_bulk: &HashMap<Uuid, bool>,
    now: Timestamp,
    errand: impl Fn(Uuid) -> Errand,
) -> Result<Effects> {
    let lease_end = now.saturating_add(app.lease()).map_err(Error::internal)?;
    let mut effects = Effects::none();
    for timer in timers {
        let Some(is_bulk) = is_bulk.get(&timer.subject_id) else { continue };
        app.wakes.run(errand(timer.subject_id), Lane::of(*is_bulk));
        effects.timers.push(TimerChange::set(timer.kind, timer.subject_id, "", timer.estate_id, lease_end));
    }
    Ok(effects)
}
