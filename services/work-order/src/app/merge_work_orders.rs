//! Reports of one matter become one (WO-39). Five trips: in one transaction the rows are locked in their order, read and written; two more
//! where orders that are merged lead others themselves.

use std::collections::HashMap;

use prost::Message;
use steward_kit::ids::WorkOrderId;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{Lead, Merge, Refusal, Transition, WorkOrder, follow_to, lead, merge};
use crate::events::effects_of;
use crate::store::{Change, Saved, load_work_orders, lock_work_orders, save_transitions};

impl App {
    /// Merges `duplicates` into `target`.
    pub(crate) async fn merge_work_orders<R: Message + Default>(
        &self,
        call: &Call<'_, R>,
        target: Target,
        duplicates: &[WorkOrderId],
    ) -> Result<R> {
        if duplicates.contains(&target.id) {
            return Err(Error::invalid("duplicate_ids", "MERGED_INTO_ITSELF", "must not name the order that leads"));
        }
        let scope = &call.access.scope;
        let mut tx = self.db.begin().await?;
        let ids: Vec<Uuid> = [target.id].iter().chain(duplicates).map(|id| id.as_uuid()).collect();
        lock_work_orders(&mut tx, scope, &ids).await?;
        let mut found: HashMap<WorkOrderId, WorkOrder> =
            load_work_orders(&mut *tx, &self.cipher, scope, &ids).await?.into_iter().map(|order| (order.id, order)).collect();
        let mut take = |id: WorkOrderId| found.remove(&id).ok_or_else(|| Error::not_found("work order", id));
        let leading = take(target.id)?;
        let merged = duplicates.iter().map(|id| take(*id)).collect::<Result<Vec<_>>>()?;
        if target.etag.is_some_and(|seen| seen != leading.row_version) {
            drop(tx);
            return self.unless_repeated(call, Error::Stale { resource: "work order" }).await;
        }
        if merged.iter().any(|order| order.estate_id != leading.estate_id) {
            return Err(Error::invalid("duplicate_ids", "ESTATES_DIFFER", "must be orders of the estate of the one that leads"));
        }
        let led: Vec<Uuid> = merged.iter().flat_map(|order| &order.lineage.duplicates).map(|id| id.as_uuid()).collect();
        let mut followers = Vec::new();
        if !led.is_empty() {
            lock_work_orders(&mut tx, scope, &led).await?;
            followers = load_work_orders(&mut *tx, &self.cipher, scope, &led).await?;
        }
        // Not before the locks are held: what happened to the orders while they were waited for happened before this.
        let now = self.clock.now();
        let decided = match self.decide_merge(call, &leading, &merged, &followers, now).await? {
            Ok(decided) => decided,
            Err(refusal) => {
                drop(tx);
                return self.unless_repeated(call, refusal.into()).await;
            }
        };
        let (_, led_by) = decided.first().ok_or_else(|| Error::bug("a merge without its lead"))?;
        let saved = WorkOrder { row_version: leading.row_version + 1, ..led_by.order.clone() };
        let answer = (call.answer)(&saved, call.access);
        let mut effects = effects_of(led_by, Some(self.claim(call, &answer)));
        for (_, transition) in decided.iter().skip(1) {
            effects.merge(effects_of(transition, None));
        }
        let changes: Vec<Change<'_>> = decided.iter().map(|(before, transition)| Change { before, transition }).collect();
        match save_transitions(&mut *tx, &self.cipher, &changes, &effects, now).await? {
            Ok(Saved::Yes) => {}
            Ok(Saved::Stale) => return Err(Error::bug("a locked order was changed by someone else")),
            Err(error) => {
                drop(tx);
                return self.failed(call, error).await;
            }
        }
        tx.commit().await.store()?;
        for (before, _) in &decided {
            self.after_commit(before.id, &effects);
        }
        Ok(answer)
    }

    /// What becomes of each order, the lead first.
    async fn decide_merge<'a, R>(
        &self,
        call: &Call<'_, R>,
        leading: &'a WorkOrder,
        merged: &'a [WorkOrder],
        followers: &'a [WorkOrder],
        now: jiff::Timestamp,
    ) -> Result<Result<Vec<(&'a WorkOrder, Transition)>, Refusal>> {
        let actor = call.actor();
        let duplicates = merged.iter().flat_map(|order| [order.id].into_iter().chain(order.lineage.duplicates.iter().copied())).collect();
        let rules = self.rules.of(leading.estate_id, leading.receive_time).await?;
        let mut decided = Vec::with_capacity(1 + merged.len() + followers.len());
        match lead(leading, &Lead { actor: actor.clone(), duplicates }, &rules.context(), now) {
            Ok(transition) => decided.push((leading, transition)),
            Err(refusal) => return Ok(Err(refusal)),
        }
        let command = Merge { actor, lead: leading };
        for order in merged {
            let rules = self.rules.of(order.estate_id, order.receive_time).await?;
            match merge(order, &command, &rules.context(), now) {
                Ok(transition) => decided.push((order, transition)),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        for order in followers {
            let rules = self.rules.of(order.estate_id, order.receive_time).await?;
            decided.push((order, follow_to(order, &command, &rules.context(), now)));
        }
        Ok(Ok(decided))
    }
}
