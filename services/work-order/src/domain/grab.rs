//! One of the roster takes an order that is nobody's: assigned and accepted in one.

use jiff::Timestamp;

use super::actor::Actor;
use super::case::Milestone;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::Refusal;
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
/// `StateForbids`, `Barred` by the first of the reasons that bar the worker, `CalendarUnknown`.
pub fn grab(order: &WorkOrder, cmd: &Grab, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Grab)?;
    let bar = match ctx.taker {
        None => Some(Bar::NotOnRoster),
        Some(candidate) => bars(&draft.order, candidate, ctx.lines, now).first().copied(),
    };
    if let Some(bar) = bar {
        return Err(draft.barred(bar));
    }
    draft.note_take();
    let before = draft.order.assignee.replace(cmd.actor.subject.clone()).unwrap_or_default();
    draft.order.first_receiver.get_or_insert_with(|| cmd.actor.subject.clone());
    draft.order.state = State::Assigned;
    if draft.order.milestone_time(Milestone::Pushed).is_none() {
        draft.reach(Milestone::Pushed, now)?;
    }
    draft.reach(Milestone::Assigned, now)?;
    draft.tell(now, Fact::Assigned);
    draft.note_worker();
    draft.order.state = State::Accepted;
    draft.reach(Milestone::Accepted, now)?;
    draft.tell(now, Fact::Accepted);
    draft.note(Action::Grab, now, [("assignee", cmd.actor.subject.clone()), ("assignee_before", before)]);
    Ok(draft.finish())
}
