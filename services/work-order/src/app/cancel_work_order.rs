//! An order ends that needs no work (WO-41). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{Cancel, cancel};

impl App {
    /// Does the verb [`cancel`] to one order.
    pub(crate) async fn cancel_work_order<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: Cancel) -> Result<R> {
        self.transact(call, target, |order, context, now| cancel(order, &command, context, now)).await
    }
}
