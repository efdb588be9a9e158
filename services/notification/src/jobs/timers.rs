//! What happens when a timer of this service fires.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::ids::MessageId;
use steward_kit::{Error, Result};
use steward_kit_store::timers::{FiredTimer, TimerHandler};
use steward_kit_store::{Effects, TimerChange};

use crate::app::{App, Errand};
use crate::domain::ids::DeliveryId;
use crate::events::publish::{DELIVERY_ATTEMPT, MESSAGE_DUE};
use crate::store::messages::is_unsettled;
use crate::store::work::is_waiting;

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
        if !is_waiting(tx, timer.subject_id).await? {
            return Ok(Effects::none());
        }
        let lease_end = now.saturating_add(self.0.lease()).map_err(Error::internal)?;
        let again = TimerChange::set(DELIVERY_ATTEMPT, timer.subject_id, "", timer.estate_id, lease_end);
        self.0.wakes.run(Errand::Attempt(DeliveryId::from(timer.subject_id)));
        Ok(Effects { timers: vec![again], ..Effects::none() })
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
        if !is_unsettled(tx, timer.subject_id).await? {
            return Ok(Effects::none());
        }
        let lease_end = now.saturating_add(self.0.lease()).map_err(Error::internal)?;
        let again = TimerChange::set(MESSAGE_DUE, timer.subject_id, "", timer.estate_id, lease_end);
        self.0.wakes.run(Errand::Judge(MessageId::from(timer.subject_id)));
        Ok(Effects { timers: vec![again], ..Effects::none() })
    }
}
