//! A completed order ends. Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{Close, close};

impl App {
    /// Does the verb [`close`] to one order.
    pub(crate) async fn close_work_order<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: Close) -> Result<R> {
        self.transact(call, target, |order, context, now| close(order, &command, context, now)).await
    }
}
