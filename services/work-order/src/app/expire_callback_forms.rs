//! Forms in the app were not answered in time: phone calls are owed (WO-29). Two trips, however many there are.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::ids::WorkOrderId;
use steward_kit_store::Effects;

use super::App;
use crate::domain::callback_form_due;

impl App {
    /// Gives up waiting for the forms of orders.
    pub(crate) async fn expire_callback_forms(&self, tx: &mut PgConnection, due: &[(WorkOrderId, ())], now: Timestamp) -> Result<Effects> {
        self.by_timers(tx, due, now, |order, (), context| callback_form_due(order, context, now)).await
    }
}
