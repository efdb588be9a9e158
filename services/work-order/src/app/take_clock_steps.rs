//! Timers of clocks fired: their steps that are due are taken, each once, at the instant at which it was due (WO-44). Two trips,
//! however many clocks there are.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::ids::WorkOrderId;
use steward_kit_store::Effects;

use super::App;
use crate::domain::{ClockDue, clock_due};

impl App {
    /// Takes the steps of clocks that are due, each of another order.
    pub(crate) async fn take_clock_steps(&self, tx: &mut PgConnection, due: &[(WorkOrderId, ClockDue)], now: Timestamp) -> Result<Effects> {
        self.by_timers(tx, due, now, |order, due, context| clock_due(order, due, context, now)).await
    }
}
