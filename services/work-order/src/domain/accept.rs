//! The assignee takes the order.

use jiff::Timestamp;

use super::actor::Actor;
use super::case::Milestone;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::Refusal;
use super::state::{State, Verb};
use super::transition::{Fact, Transition};
use super::work_order::WorkOrder;

/// An acceptance.
#[derive(Clone, Debug)]
pub struct Accept {
    /// Who accepts; must be the assignee.
    pub actor: Actor,
}

/// Accepts.
///
/// # Errors
/// `StateForbids`, `NotTheAssignee`, `CalendarUnknown`.
pub fn accept(order: &WorkOrder, cmd: &Accept, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Accept)?;
    draft.only_assignee()?;
    draft.note_worker();
    draft.order.state = State::Accepted;
    draft.reach(Milestone::Accepted, now)?;
    draft.tell(now, Fact::Accepted);
    draft.note(Action::Accept, now, []);
    Ok(draft.finish())
}
