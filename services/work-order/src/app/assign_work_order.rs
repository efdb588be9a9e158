//! One person is made accountable (WO-22). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{Assign, assign};

impl App {
    /// Does the verb [`assign`] to one order.
    pub(crate) async fn assign_work_order<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: Assign) -> Result<R> {
        self.transact(call, target, |order, context, now| assign(order, &command, context, now)).await
    }
}
