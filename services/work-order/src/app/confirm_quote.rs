//! The customer agrees to what the work costs (WO-49). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{ConfirmQuote, confirm_quote};

impl App {
    /// Does the verb [`confirm_quote`] to one order.
    pub(crate) async fn confirm_quote<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: ConfirmQuote) -> Result<R> {
        self.transact(call, target, |order, context, now| confirm_quote(order, &command, context, now)).await
    }
}
