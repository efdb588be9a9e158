//! What happens when a timer of this service fires.

use std::slice;
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::ids::MessageId;
use steward_kit::{Error, Result};
use steward_kit_store::timers::{FiredTimer, TimerHandler};
use steward_kit_store::{Effects, TimerChange};
use uuid::Uuid;

use crate::app::{App, Errand};
use crate::domain::ids::DeliveryId;
use crate::events::publish::{DELIVERY_ATTEMPT, MESSAGE_DUE};
use crate::store::messages::unsettled;
use crate::store::work::waiting;

/// The handlers, one per kind.
pub(super) fn handlers(app: &Arc<App>) -> Vec<Arc<dyn TimerHandler>> {
    vec![Arc::new(DeliveryAttempt(app.clone())), Arc::new(MessageDue(app.clone()))]
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
        begin(&self.0, timers.iter().filter(|timer| waiting.contains(&timer.subject_id)), now, |id| Errand::Attempt(DeliveryId::from(id)))
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
        begin(&self.0, timers.iter().filter(|timer| unsettled.contains(&timer.subject_id)), now, |id| Errand::Judge(MessageId::from(id)))
    }
}

fn subjects(timers: &[FiredTimer]) -> Vec<Uuid> {
    timers.iter().map(|timer| timer.subject_id).collect()
}

/// Hands the work out, and sets each timer again for the end of the lease.
fn begin<'a>(app: &App, timers: impl Iterator<Item = &'a FiredTimer>, now: Timestamp, errand: impl Fn(Uuid) -> Errand) -> Result<Effects> {
    let lease_end = now.saturating_add(app.lease()).map_err(Error::internal)?;
    let mut effects = Effects::none();
    for timer in timers {
        app.wakes.run(errand(timer.subject_id));
        effects.timers.push(TimerChange::set(timer.kind, timer.subject_id, "", timer.estate_id, lease_end));
    }
    Ok(effects)
}
