//! One callback attempt; a bad score reopens the order in the same step (WO-28 to WO-31). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{RecordCallback, record_callback};

impl App {
    /// Does the verb [`record_callback`] to one order.
    pub(crate) async fn record_callback<R: Message + Default>(
        &self,
        call: &Call<'_, R>,
        target: Target,
        command: RecordCallback,
    ) -> Result<R> {
        self.transact(call, target, |order, context, now| record_callback(order, &command, context, now)).await
    }
}
