//! Whoever an order is offered to takes it, or does not (WO-23). Taking it is three trips: the order, whoever takes it, and the write,
//! which is guarded by the versions of both: it is never taken twice. Leaving it is two.

use prost::Message;
use steward_kit::Result;

use super::App;
use super::transact::{Beside, Call, Target};
use crate::domain::{AcceptOffer, DeclineOffer, accept_offer, decline_offer};

impl App {
    /// Does the verb [`accept_offer`] to one order, for the caller.
    pub(crate) async fn accept_offer<R: Message + Default>(&self, call: &Call<'_, R>, target: Target) -> Result<R> {
        let command = AcceptOffer { actor: call.actor() };
        let beside = Beside { taker: Some(&command.actor.subject), ..Beside::default() };
        self.transact_with(call, target, beside, |order, context, now| accept_offer(order, &command, context, now)).await
    }

    /// Does the verb [`decline_offer`] to one order.
    pub(crate) async fn decline_offer<R: Message + Default>(&self, call: &Call<'_, R>, target: Target, command: DeclineOffer) -> Result<R> {
        self.transact(call, target, |order, context, now| decline_offer(order, &command, context, now)).await
    }
}
