//! Whether a case is a major complaint (WO-38), and when it no longer is. By timers: the first is due at once, so that nobody
//! waits for the counting. Two trips in the timer's transaction, and one for each rule that counts cases around.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::ids::WorkOrderId;
use steward_kit_store::Effects;

use super::App;
use crate::domain::{judge_major, major_window_over};
use crate::store::{count_around, load_work_order};

impl App {
    /// Judges an order whose timer fired.
    pub(crate) async fn judge_major(&self, tx: &mut PgConnection, id: WorkOrderId, now: Timestamp) -> Result<Effects> {
        let scope = Scope::system("a case is judged by the cases around it");
        let Some(order) = load_work_order(&mut *tx, &self.cipher, &scope, id).await? else { return Ok(Effects::none()) };
        let rules = self.rules.of(order.estate_id, order.receive_time).await?;
        let mut around = BTreeMap::new();
        for rule in rules.context().policies.major_rules().into_iter().filter(|rule| rule.counts_around()) {
            around.insert(rule.code.clone(), count_around(&mut *tx, &scope, &order, rule).await?);
        }
        self.by_timers(tx, &[(id, around)], now, |order, around, ctx| judge_major(order, around, ctx, now)).await
    }

    /// The windows of orders are over.
    pub(crate) async fn end_major_windows(&self, tx: &mut PgConnection, due: &[(WorkOrderId, ())], now: Timestamp) -> Result<Effects> {
        self.by_timers(tx, due, now, |order, (), ctx| major_window_over(order, ctx, now)).await
    }
}
