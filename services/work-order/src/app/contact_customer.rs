//! The customer was contacted, or an attempt failed (WO-14, WO-17). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{ContactCustomer, contact};

impl App {
    /// Does the verb [`contact`] to one order.
    pub(crate) async fn contact_customer<R: Message + Default>(
        &self,
        call: &Call<'_, R>,
        target: Target,
        command: ContactCustomer,
    ) -> Result<R> {
        self.transact(call, target, |order, context, now| contact(order, &command, context, now)).await
    }
}
