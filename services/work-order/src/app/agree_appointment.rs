//! A visit is agreed with the customer, or put off; clocks move to it (WO-46, WO-18). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{Appoint, appoint};

impl App {
    /// Does the verb [`appoint`] to one order.
    pub(crate) async fn agree_appointment<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: Appoint) -> Result<R> {
        self.transact(call, target, |order, context, now| appoint(order, &command, context, now)).await
    }
}
