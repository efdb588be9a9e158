//! The work is done, with proof (WO-48); the callback falls due. Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{Complete, complete};

impl App {
    /// Does the verb [`complete`] to one order.
    pub(crate) async fn complete_work_order<R: Message + Default>(
        &self,
        call: &Call<'_, R>,
        target: Target,
        command: Complete,
    ) -> Result<R> {
        self.transact(call, target, |order, context, now| complete(order, &command, context, now)).await
    }
}
