//! The customer urges; the first time in a cycle escalates (WO-75). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{Urge, urge};

impl App {
    /// Does the verb [`urge`] to one order.
    pub(crate) async fn urge_work_order<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: Urge) -> Result<R> {
        self.transact(call, target, |order, context, now| urge(order, &command, context, now)).await
    }
}
