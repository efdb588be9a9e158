//! One person is made accountable (WO-22): no more of them than they may have. Three trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Beside, Call, Target};
use crate::domain::{Assign, assign};

impl App {
    /// Does the verb [`assign`] to one order.
    pub(crate) async fn assign_work_order<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: Assign) -> Result<R> {
        let beside = Beside { taker: Some(&command.assignee), ..Beside::default() };
        self.transact_with(call, target, beside, |order, context, now| assign(order, &command, context, now)).await
    }
}
