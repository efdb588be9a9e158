//! The one flow of everything that a timer does to an order. Two trips in the timer's transaction, whose end is the end of
//! the timer: the effect and its timer go together.

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
use crate::store::{Saved, load_work_order, lock_work_orders, save_transition};

impl App {
    /// Does to an order what its timer is for. The order is locked (see [`Self::lock_for_timers`]), so nobody is faster. The
    /// effects are returned for the caller to write, with those of the other timers of its batch.
    pub(super) async fn by_timer(
        &self,
        tx: &mut PgConnection,
        id: WorkOrderId,
        now: Timestamp,
        decide: impl FnOnce(&WorkOrder, &Context<'_>) -> Result<Transition, Refusal>,
    ) -> Result<Effects> {
        let scope = Scope::system("a timer fired");
        // Gone only if somebody deleted it by hand: then its timer has nothing to do.
        let Some(before) = load_work_order(&mut *tx, &self.cipher, &scope, id).await? else { return Ok(Effects::none()) };
        let rules = self.rules.of(before.estate_id, before.receive_time).await?;
        let transition = decide(&before, &rules.context())?;
        if transition.is_empty() {
            return Ok(Effects::none());
        }
        let effects = effects_of(&transition, None);
        match save_transition(tx, &self.cipher, &before, &transition, &Effects::none(), now).await? {
            Ok(Saved::Yes) => Ok(effects),
            Ok(Saved::Stale) => Err(Error::bug("a locked order was changed by someone else")),
            Err(error) => Err(store_error(error)),
        }
    }

    /// Locks the orders whose timers are about to fire.
    pub(crate) async fn lock_for_timers(&self, tx: &mut PgConnection, orders: &[Uuid]) -> Result<()> {
        lock_work_orders(tx, &Scope::system("timers are about to fire"), orders).await
    }
}
