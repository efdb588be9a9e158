//! The customer is told what the work costs (WO-49). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{QuoteWork, quote_work};

impl App {
    /// Does the verb [`quote_work`] to one order.
    pub(crate) async fn quote_work<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: QuoteWork) -> Result<R> {
        self.transact(call, target, |order, context, now| quote_work(order, &command, context, now)).await
    }
}
