//! The work on site begins, once what the policy asks for is confirmed (WO-47, WO-49). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{StartWork, start_work};

impl App {
    /// Does the verb [`start_work`] to one order.
    pub(crate) async fn start_work<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: StartWork) -> Result<R> {
        self.transact(call, target, |order, context, now| start_work(order, &command, context, now)).await
    }
}
