//! The case is assessed, and the customer told or not (WO-20). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{Assess, assess};

impl App {
    /// Does the verb [`assess`] to one order.
    pub(crate) async fn assess_work_order<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: Assess) -> Result<R> {
        self.transact(call, target, |order, context, now| assess(order, &command, context, now)).await
    }
}
