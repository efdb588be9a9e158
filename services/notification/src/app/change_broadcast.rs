//! A broadcast is paused, set going again or stopped (NT-46).

use prost::Message;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::App;
use super::transact::{Call, TRIES, Target};
use crate::domain::broadcast::Broadcast;
use crate::domain::codes::BroadcastChangeKind;
use crate::domain::ids::BroadcastId;
use crate::events::broadcasts::of_change;
use crate::store::broadcasts::{load_broadcast, save_change};

impl App {
    /// Changes the state of a broadcast. Two trips. A page that is being made meanwhile writes nothing: it asks for the version that
    /// it saw.
    pub(crate) async fn change_broadcast<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target<BroadcastId>,
        (change, reason): (BroadcastChangeKind, &str),
        answer: impl Fn(&Broadcast) -> Result<R>,
    ) -> Result<R> {
        for _ in 0..TRIES {
            let mut broadcast = match load_broadcast(self.db.pool(), &call.access.scope, target.id).await {
                Ok(broadcast) => broadcast,
                Err(refusal) => return self.unless_repeated(call, refusal).await,
            };
            let before = broadcast.row_version;
            if target.is_stale(before) {
                break;
            }
            let now = self.clock.now();
            let changed = match change {
                BroadcastChangeKind::Paused => broadcast.pause(call.actor(), reason, now),
                BroadcastChangeKind::Resumed => broadcast.resume(call.actor(), reason, now),
                BroadcastChangeKind::Stopped => broadcast.stop(call.actor(), reason, now),
                BroadcastChangeKind::Created => return Err(Error::bug("a broadcast is created once")),
            };
            if let Err(refusal) = changed {
                return self.unless_repeated(call, refusal.into()).await;
            }
            let response = answer(&broadcast)?;
            let effects = Effects { claim: call.claim(&response), ..of_change(&broadcast, now) };
            match save_change(self.db.pool(), &broadcast, before, &effects, now).await {
                Ok(true) => {
                    self.db.wake(&effects);
                    return Ok(response);
                }
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "broadcast" }).await
    }
}
