//! Work has stood still for as long as the policy lets it: it is taken up again (WO-43). Two trips, however many orders there are.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::ids::WorkOrderId;
use steward_kit_store::Effects;

use super::App;
use crate::domain::pause_over;

impl App {
    /// Takes up the work of orders whose longest pause is over.
    pub(crate) async fn end_longest_pauses(&self, tx: &mut PgConnection, due: &[(WorkOrderId, ())], now: Timestamp) -> Result<Effects> {
        self.by_timers(tx, due, now, |order, (), context| pause_over(order, context, now)).await
    }
}
