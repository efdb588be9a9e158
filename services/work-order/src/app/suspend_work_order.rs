//! The work stands still for a reason; the clocks that the policy names for it too (WO-43). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{Suspend, suspend};

impl App {
    /// Does the verb [`suspend`] to one order.
    pub(crate) async fn suspend_work_order<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: Suspend) -> Result<R> {
        self.transact(call, target, |order, context, now| suspend(order, &command, context, now)).await
    }
}
