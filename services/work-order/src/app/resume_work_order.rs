//! The work goes on; paused clocks run on with what they had left. Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{Resume, resume};

impl App {
    /// Does the verb [`resume`] to one order.
    pub(crate) async fn resume_work_order<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: Resume) -> Result<R> {
        self.transact(call, target, |order, context, now| resume(order, &command, context, now)).await
    }
}
