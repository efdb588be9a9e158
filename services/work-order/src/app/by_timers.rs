//! The one flow of everything that timers do to orders. Two trips in the timers' transaction, however many orders there are; its
//! end is the end of the timers: the effect and its timer go together.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::auth::Scope;
use steward_kit::ids::WorkOrderId;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, store_error};
use uuid::Uuid;

use super::App;
use crate::domain::{Context, Refusal, Transition, WorkOrder};
use crate::events::effects_of;
use crate::store::{Change, Saved, load_work_orders, lock_work_orders, save_transitions};

impl App {
    /// Does to orders, each another one, what their timers are for; `T` is what a timer knows beside its order. The orders are
    /// locked (see [`Self::lock_for_timers`]), so nobody is faster. The effects are returned for the caller to write, with those of
    /// the other timers of its batch.
    pub(super) async fn by_timers<T>(
        &self,
        tx: &mut PgConnection,
        due: &[(WorkOrderId, T)],
        now: Timestamp,
        decide: impl Fn(&WorkOrder, &T, &Context<'_>) -> Result<Transition, Refusal>,
    ) -> Result<Effects> {
        let scope = Scope::system("a timer fired");
        let ids: Vec<Uuid> = due.iter().map(|(id, _)| id.as_uuid()).collect();
        let loaded = load_work_orders(&mut *tx, &self.cipher, &scope, &ids).await?;
        let mut orders: HashMap<WorkOrderId, WorkOrder> = loaded.into_iter().map(|order| (order.id, order)).collect();
        let mut decided = Vec::with_capacity(due.len());
        for (id, timer) in due {
            // Gone only if somebody deleted it by hand: then its timer has nothing to do.
            let Some(before) = orders.remove(id) else { continue };
            let rules = self.rules.of(before.estate_id, before.receive_time).await?;
            let transition = decide(&before, timer, &rules.context())?;
            if !transition.is_empty() {
                decided.push((before, transition));
            }
        }
        if decided.is_empty() {
            return Ok(Effects::none());
        }
        let changes: Vec<Change<'_>> = decided.iter().map(|(before, transition)| Change { before, transition }).collect();
        match save_transitions(tx, &self.cipher, &changes, &Effects::none(), now).await? {
            Ok(Saved::Yes) => {}
            Ok(Saved::Stale) => return Err(Error::bug("a locked order was changed by someone else")),
            Err(error) => return Err(store_error(error)),
        }
        let mut effects = Effects::none();
        for (_, transition) in &decided {
            effects.merge(effects_of(transition, None));
        }
        Ok(effects)
    }

    /// Locks the orders whose timers are about to fire.
    pub(crate) async fn lock_for_timers(&self, tx: &mut PgConnection, orders: &[Uuid]) -> Result<()> {
        lock_work_orders(tx, &Scope::system("timers are about to fire"), orders).await
    }
}
