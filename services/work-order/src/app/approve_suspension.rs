//! A second person agrees that the work stands still (WO-43). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{ApproveSuspension, approve_suspension};

impl App {
    /// Does the verb [`approve_suspension`] to one order.
    pub(crate) async fn approve_suspension<R: Message + Default>(
        &self,
        call: &Call<'_, R>,
        target: Target,
        command: ApproveSuspension,
    ) -> Result<R> {
        self.transact(call, target, |order, context, now| approve_suspension(order, &command, context, now)).await
    }
}
