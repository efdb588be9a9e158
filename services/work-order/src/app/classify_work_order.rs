//! Category and urgency are set by hand; clocks are computed anew from the receipt (WO-11, WO-73). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Beside, Call, Target};
use crate::domain::{Classify, classify};

impl App {
    /// Does the verb [`classify`] to one order.
    pub(crate) async fn classify_work_order<R: Message + Default>(
        &self,
        call: &Call<'_, R>,
        target: Target,
        command: Classify,
    ) -> Result<R> {
        let is_about_staff = command.accused.as_ref().is_some_and(|accused| !accused.is_empty());
        let beside = Beside { is_about_staff, ..Beside::default() };
        self.transact_with(call, target, beside, |order, context, now| classify(order, &command, context, now)).await
    }
}
