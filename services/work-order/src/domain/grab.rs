//! One of the roster takes an order that is nobody's: assigned and accepted in one.

use jiff::Timestamp;

use super::actor::Actor;
use super::case::Milestone;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::{Place, Refusal};
use super::roster::{Bar, bars};
use super::state::{State, Verb};
use super::transition::{Fact, Transition};
use super::work_order::WorkOrder;

/// A grab.
#[derive(Clone, Debug)]
pub struct Grab {
    /// Who takes it; the context's `taker`.
    pub actor: Actor,
}

/// Takes the order.
///
/// # Errors
/// `StateForbids`, `NotOffered` when it is offered to another, `Barred` by the first of the reasons that bar the worker, `CalendarUnknown`.
pub fn grab(order: &WorkOrder, cmd: &Grab, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Grab)?;
    // What is offered to one is nobody else's to take.
    draft.lapse_offer();
    if draft.order.dispatch.offer.as_ref().is_some_and(|offer| offer.to != cmd.actor.subject) {
        return Err(Refusal::NotOffered { place: Place::of(&draft.order) });
    }
    let bar = match ctx.taker {
        None => Some(Bar::NotOnRoster),
        Some(candidate) => bars(&draft.order, candidate, ctx.lines, now).first().copied(),
    };
    if let Some(bar) = bar {
        return Err(draft.barred(bar));
    }
    draft.take_for(&cmd.actor, Action::Grab)?;
    Ok(draft.finish())
}

impl Draft<'_> {
    /// The order is the actor's from now on.
    pub(super) fn take_for(&mut self, actor: &Actor, action: Action) -> Result<(), Refusal> {
        let now = self.now;
        self.note_take();
        let before = self.order.assignee.replace(actor.subject.clone()).unwrap_or_default();
        self.order.first_receiver.get_or_insert_with(|| actor.subject.clone());
        self.order.state = State::Assigned;
        if self.order.milestone_time(Milestone::Pushed).is_none() {
            self.reach(Milestone::Pushed, now)?;
        }
        self.reach(Milestone::Assigned, now)?;
        self.tell(now, Fact::Assigned);
        self.note_worker();
        self.order.state = State::Accepted;
        self.reach(Milestone::Accepted, now)?;
        self.tell(now, Fact::Accepted);
        self.note(action, now, [("assignee", actor.subject.clone()), ("assignee_before", before)]);
        Ok(())
    }
}
