//! Someone is on site (WO-18). Two trips.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Call, Target};
use crate::domain::{Arrive, arrive};

impl App {
    /// Does the verb [`arrive`] to one order.
    pub(crate) async fn arrive_on_site<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: Arrive) -> Result<R> {
        self.transact(call, target, |order, context, now| arrive(order, &command, context, now)).await
    }
}
