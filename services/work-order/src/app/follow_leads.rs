//! Duplicates hear what became of the order that leads them, and it hears when one of their reporters is dissatisfied (WO-39). By timers
//! of each order, due at once: no transaction waits for more than one order, and a crash between two of them loses none.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::ids::WorkOrderId;
use steward_kit_store::Effects;
use uuid::Uuid;

use super::App;
use crate::domain::{WorkOrder, follow_lead, hear_dissent};
use crate::store::load_work_orders;

impl App {
    /// Tells duplicates. Two trips more than other timers: which orders lead them, and how those stand.
    pub(crate) async fn follow_leads(&self, tx: &mut PgConnection, due: &[(WorkOrderId, ())], now: Timestamp) -> Result<Effects> {
        let scope = Scope::system("duplicates follow their lead");
        let ids: Vec<Uuid> = due.iter().map(|(id, ())| id.as_uuid()).collect();
        let duplicates = load_work_orders(&mut *tx, &self.cipher, &scope, &ids).await?;
        let leads: Vec<Uuid> = duplicates.iter().filter_map(|order| order.lineage.duplicate_of).map(|id| id.as_uuid()).collect();
        let leads = load_work_orders(&mut *tx, &self.cipher, &scope, &leads).await?;
        let leads: HashMap<WorkOrderId, WorkOrder> = leads.into_iter().map(|order| (order.id, order)).collect();
        self.by_timers(tx, due, now, |order, (), ctx| {
            let lead = order.lineage.duplicate_of.and_then(|id| leads.get(&id));
            follow_lead(order, lead, ctx, now)
        })
        .await
    }

    /// Tells leads.
    pub(crate) async fn hear_dissent(&self, tx: &mut PgConnection, due: &[(WorkOrderId, ())], now: Timestamp) -> Result<Effects> {
        self.by_timers(tx, due, now, |order, (), ctx| hear_dissent(order, ctx, now)).await
    }
}
