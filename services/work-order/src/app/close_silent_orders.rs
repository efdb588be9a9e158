//! Nobody objected to completed orders: they close by themselves (WO-78). Two trips, however many there are.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::ids::WorkOrderId;
use steward_kit_store::Effects;

use super::App;
use crate::domain::{AutoCloseDue, auto_close_due};

impl App {
    /// Closes orders whose silence is over.
    pub(crate) async fn close_silent_orders(
        &self,
        tx: &mut PgConnection,
        due: &[(WorkOrderId, AutoCloseDue)],
        now: Timestamp,
    ) -> Result<Effects> {
        self.by_timers(tx, due, now, |order, due, context| auto_close_due(order, *due, context, now)).await
    }
}
