//! One of the roster takes an order that is nobody's (WO-23). Three trips: the order, whoever takes it, and the write, which is guarded
//! by the versions of both.
//!
//! Two who want one order meet at its version, two grabs of one worker at theirs: neither is ever given twice.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Beside, Call, Target};
use crate::domain::{Grab, grab};

impl App {
    /// Does the verb [`grab`] to one order, for the caller.
    pub(crate) async fn grab_work_order<R: Message + Default>(&self, call: &Call<'_, R>, target: Target) -> Result<R> {
        let command = Grab { actor: call.actor() };
        let beside = Beside { taker: Some(&command.actor.subject), ..Beside::default() };
        self.transact_with(call, target, beside, |order, context, now| grab(order, &command, context, now)).await
    }
}
