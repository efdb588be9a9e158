//! The staff say whose matter a case is (WO-50). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{SetLiability, set_liability};

impl App {
    /// Does the verb [`set_liability`] to one order.
    pub(crate) async fn set_liability<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: SetLiability) -> Result<R> {
        self.transact(call, target, |order, context, now| set_liability(order, &command, context, now)).await
    }
}
