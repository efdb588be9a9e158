//! One of the roster takes an order that is nobody's (WO-23). Six trips: the order, and in one transaction the worker's row locked,
//! what they have under way counted, and the write, which is guarded by the order's version.
//!
//! Two who want one order meet at its version, two grabs of one worker at their row: neither is ever given twice.

use prost::Message;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;

use super::App;
use super::transact::{Call, TRIES, Target};
use crate::domain::{Context, Grab, WorkOrder, grab};
use crate::events::effects_of;
use crate::store::{Change, Saved, count_under_way, lock_worker, save_transitions};

impl App {
    /// Takes one order for the caller.
    pub(crate) async fn grab_work_order<R: Message + Default>(&self, call: &Call<'_, R>, target: Target) -> Result<R> {
        for _ in 0..TRIES {
            let before = self.load(call.access, target.id).await?;
            if target.etag.is_some_and(|seen| seen != before.row_version) {
                break;
            }
            let rules = self.rules.of(before.estate_id, before.receive_time).await?;
            let lines = self.lines_around(&before, false).await?;
            let context = Context { lines: &lines, ..rules.context() };
            let estate = call.access.scope.estate(before.estate_id)?;
            let actor = call.actor();
            let mut tx = self.db.begin().await?;
            let worker = lock_worker(&mut tx, estate, &actor.subject).await?;
            let open = count_under_way(&mut *tx, estate, &actor.subject).await?;
            // Not before the lock is held: a shift may end while one waits.
            let now = self.clock.now();
            let transition = match grab(&before, &Grab { actor, worker, open }, &context, now) {
                Ok(transition) => transition,
                Err(refusal) => {
                    drop(tx);
                    return self.unless_repeated(call, refusal.into()).await;
                }
            };
            let saved = WorkOrder { row_version: before.row_version + 1, ..transition.order.clone() };
            let answer = (call.answer)(&saved, call.access);
            let effects = effects_of(&transition, Some(self.claim(call, &answer)));
            let change = Change { before: &before, transition: &transition };
            match save_transitions(&mut *tx, &self.cipher, &[change], &effects, now).await? {
                Ok(Saved::Yes) => {
                    tx.commit().await.store()?;
                    self.after_commit(target.id, &effects);
                    return Ok(answer);
                }
                // Somebody was faster. The next look says who has it, unless the caller saw another version.
                Ok(Saved::Stale) if target.etag.is_some() => break,
                Ok(Saved::Stale) => {}
                Err(error) => {
                    drop(tx);
                    return self.failed(call, error).await;
                }
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "work order" }).await
    }
}
