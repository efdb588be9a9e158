//! A part of a report becomes an order of its own. Five trips: the whole read, and in one transaction the whole and the part
//! written.

use prost::Message;
use steward_kit::ids::WorkOrderId;
use steward_kit::{Error, Result};
use steward_kit_store::{StoreResult, store_error};

use super::App;
use super::transact::{Call, TRIES, Target};
use crate::domain::{Split, WorkOrder, split};
use crate::events::effects_of;
use crate::store::{self, Change, Saved, save_transitions};

impl App {
    /// Splits a part off; answers with the part.
    pub(crate) async fn split_work_order<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: &Split) -> Result<R> {
        for _ in 0..TRIES {
            let before = self.load(call.access, target.id).await?;
            if target.etag.is_some_and(|seen| seen != before.row_version) {
                break;
            }
            let estate = call.access.scope.estate(before.estate_id)?;
            let rules = self.rules.of(before.estate_id, before.receive_time).await?;
            let now = self.clock.now();
            let part = (WorkOrderId::new(), self.numbers.next(rules.year(now)).await?);
            let (whole, part) = match split(&before, command, part, &rules.context(), now) {
                Ok(decided) => decided,
                Err(refusal) => return self.unless_repeated(call, refusal.into()).await,
            };
            let answer = (call.answer)(&WorkOrder { row_version: 1, ..part.order.clone() }, call.access);
            let effects = effects_of(&whole, Some(self.claim(call, &answer)));
            let of_part = effects_of(&part, None);
            let mut tx = self.db.begin().await?;
            let change = Change { before: &before, transition: &whole };
            match save_transitions(&mut *tx, &self.cipher, &[change], &effects, now).await? {
                Ok(Saved::Yes) => {}
                Ok(Saved::Stale) if target.etag.is_some() => break,
                Ok(Saved::Stale) => continue,
                Err(error) => {
                    drop(tx);
                    return self.failed(call, error).await;
                }
            }
            match store::create_work_order(&mut *tx, &self.cipher, estate, &part, &of_part, rules.epoch, now).await? {
                Ok(store::Created::Yes) => {}
                Ok(store::Created::PolicyMoved) => {
                    drop(tx);
                    self.rules.policies.refresh().await?;
                    continue;
                }
                Ok(store::Created::UnitUnknown) => return Err(Error::bug("the unit of an order is gone")),
                Err(error) => return Err(store_error(error)),
            }
            tx.commit().await.store()?;
            self.after_commit(before.id, &effects);
            self.after_commit(part.order.id, &of_part);
            return Ok(answer);
        }
        self.unless_repeated(call, Error::Stale { resource: "work order" }).await
    }
}
