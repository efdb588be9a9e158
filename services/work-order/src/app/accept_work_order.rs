//! The assignee takes the order. Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{Accept, accept};

impl App {
    /// Does the verb [`accept`] to one order.
    pub(crate) async fn accept_work_order<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: Accept) -> Result<R> {
        self.transact(call, target, |order, context, now| accept(order, &command, context, now)).await
    }
}
