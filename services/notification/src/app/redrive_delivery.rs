//! A dead delivery is put back to work. The receiver sees the same id.

use prost::Message;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::App;
use super::transact::{Call, TRIES, Target};
use crate::domain::delivery::Delivery;
use crate::domain::ids::DeliveryId;
use crate::events::publish::attempt_timer;
use crate::store::deliveries::load_delivery;
use crate::store::messages::load_message;
use crate::store::work::save_progress;

impl App {
    /// Redrives a dead delivery. Three trips.
    pub(crate) async fn redrive_delivery<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target<DeliveryId>,
        answer: impl Fn(&Delivery) -> R,
    ) -> Result<R> {
        let scope = &call.access.scope;
        for _ in 0..TRIES {
            let before = load_delivery(self.db.pool(), scope, target.id).await?;
            if target.is_stale(before.row_version) {
                break;
            }
            let mut message = load_message(self.db.pool(), scope, before.message_id).await?;
            let now = self.clock.now();
            let mut delivery = before.clone();
            if let Err(refusal) = delivery.redrive(&mut message, &call.key.principal, now) {
                return self.unless_repeated(call, refusal.into()).await;
            }
            let response = answer(&Delivery { row_version: before.row_version + 1, ..delivery.clone() });
            let effects = Effects { claim: call.claim(&response), events: Vec::new(), timers: vec![attempt_timer(&delivery, now)] };
            match save_progress(self.db.pool(), &delivery, &message, None, None, &effects, now).await {
                Ok(true) => {
                    self.db.wake(&effects);
                    return Ok(response);
                }
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "delivery" }).await
    }
}
