//! Somebody is looked for who takes an order (WO-23). By a timer that is due at once, so that nobody waits for the comparing, and again
//! when an offer ran out or was declined. Five trips in the timer's transaction: the order, the roster with what each has, the unit's
//! last visitor, and the two of every timer.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::ids::WorkOrderId;
use steward_kit_store::Effects;

use super::App;
use crate::domain::{Roster, WorkOrder, dispatch_due};
use crate::store::{find_last_visitor, list_candidates, load_work_order};

impl App {
    /// Looks for somebody for an order whose timer fired.
    pub(crate) async fn dispatch_work_order(&self, tx: &mut PgConnection, id: WorkOrderId, now: Timestamp) -> Result<Effects> {
        let scope = Scope::system("somebody is looked for who takes an order");
        let Some(order) = load_work_order(&mut *tx, &self.cipher, &scope, id).await? else { return Ok(Effects::none()) };
        let roster = roster_around(tx, &scope, &order).await?;
        self.by_timers(tx, &[(id, roster)], now, |order, roster, ctx| dispatch_due(order, roster, ctx, now)).await
    }
}

/// Everybody who could have an order or not. Two trips.
async fn roster_around(tx: &mut PgConnection, scope: &Scope, order: &WorkOrder) -> Result<Roster> {
    let estate = scope.estate(order.estate_id)?;
    let candidates = list_candidates(&mut *tx, estate).await?;
    let last_visitor = match order.unit_id {
        Some(unit) => find_last_visitor(tx, estate, unit, order.id).await?,
        None => None,
    };
    Ok(Roster::new(candidates, last_visitor))
}
