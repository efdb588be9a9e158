//! A completed or closed order is opened again in a new cycle (WO-31, WO-45). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{Reopen, reopen};

impl App {
    /// Does the verb [`reopen`] to one order.
    pub(crate) async fn reopen_work_order<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: Reopen) -> Result<R> {
        self.transact(call, target, |order, context, now| reopen(order, &command, context, now)).await
    }
}
