//! Nobody objected to a completed order: it closes by itself (WO-78). Two trips.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::ids::WorkOrderId;
use steward_kit_store::Effects;

use super::App;
use crate::domain::{AutoCloseDue, auto_close_due};

impl App {
    /// Closes an order whose silence is over.
    pub(crate) async fn close_silent_order(
        &self,
        tx: &mut PgConnection,
        id: WorkOrderId,
        due: AutoCloseDue,
        now: Timestamp,
    ) -> Result<Effects> {
        self.by_timer(tx, id, now, |order, context| auto_close_due(order, due, context, now)).await
    }
}
