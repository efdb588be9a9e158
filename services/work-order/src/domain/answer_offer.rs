//! Whoever an order is offered to takes it, or does not (WO-23).

use jiff::Timestamp;

use super::actor::Actor;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::{Place, Refusal};
use super::roster::{Bar, Candidate, bars};
use super::state::Verb;
use super::transition::Transition;
use super::work_order::WorkOrder;

/// Taking what is offered.
#[derive(Clone, Debug)]
pub struct AcceptOffer {
    /// To whom it is offered; the context's `taker`.
    pub actor: Actor,
}

/// Not taking it.
#[derive(Clone, Debug)]
pub struct DeclineOffer {
    /// To whom it is offered.
    pub actor: Actor,
    /// Why, without personal data.
    pub reason: String,
}

/// Takes the order: assigned and accepted in one.
///
/// # Errors
/// `OfferLapsed`, `NotOffered`, `StateForbids`, `Barred` by the first of the reasons that bar them now, `CalendarUnknown`.
pub fn accept_offer(order: &WorkOrder, cmd: &AcceptOffer, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.only_offered(&cmd.actor)?;
    draft.permit(Verb::AcceptOffer)?;
    // What is offered to them was counted with what they have.
    let taker = ctx.taker.map(|taker| Candidate { open: taker.open.saturating_sub(1), ..taker.clone() });
    let bar = match &taker {
        None => Some(Bar::NotOnRoster),
        Some(taker) => bars(&draft.order, taker, ctx.lines, now).first().copied(),
    };
    if let Some(bar) = bar {
        return Err(draft.barred(bar));
    }
    draft.take_for(&cmd.actor, Action::AcceptOffer)?;
    Ok(draft.finish())
}

/// Leaves the order to the next.
///
/// # Errors
/// `OfferLapsed`, `NotOffered`, `StateForbids`.
pub fn decline_offer(order: &WorkOrder, cmd: &DeclineOffer, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.only_offered(&cmd.actor)?;
    draft.permit(Verb::DeclineOffer)?;
    draft.order.dispatch.offer = None;
    draft.order.dispatch.due = Some(now);
    draft.note(Action::DeclineOffer, now, [("reason", cmd.reason.clone())]);
    Ok(draft.finish())
}

impl Draft<'_> {
    /// Refuses everybody but whoever the order is offered to, and them when the offer ran out: noticed or not.
    fn only_offered(&self, actor: &Actor) -> Result<(), Refusal> {
        let (dispatch, place) = (&self.order.dispatch, Place::of(&self.order));
        match dispatch.offer.as_ref().filter(|offer| offer.to == actor.subject) {
            Some(offer) if self.now < offer.until => Ok(()),
            Some(_) => Err(Refusal::OfferLapsed { place }),
            None if dispatch.cycle == self.order.cycle && dispatch.was_asked(&actor.subject) => Err(Refusal::OfferLapsed { place }),
            None => Err(Refusal::NotOffered { place }),
        }
    }
}
