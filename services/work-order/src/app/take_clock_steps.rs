//! The timer of a clock fired: its steps that are due are taken, each once, at the instant at which it was due (WO-44).
//! Two trips.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::ids::WorkOrderId;
use steward_kit_store::Effects;

use super::App;
use crate::domain::{ClockDue, clock_due};

impl App {
    /// Takes the steps of a clock that are due.
    pub(crate) async fn take_clock_steps(&self, tx: &mut PgConnection, id: WorkOrderId, due: &ClockDue, now: Timestamp) -> Result<Effects> {
        self.by_timer(tx, id, now, |order, context| clock_due(order, due, context, now)).await
    }
}
