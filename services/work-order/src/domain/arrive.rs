//! Someone is on site (WO-18).

use jiff::Timestamp;

use super::actor::Actor;
use super::case::Milestone;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::plausible::event_time;
use super::refusal::Refusal;
use super::state::{State, Verb};
use super::transition::{Fact, Transition};
use super::work_order::WorkOrder;

/// An arrival.
#[derive(Clone, Debug)]
pub struct Arrive {
    /// Who; must be the assignee.
    pub actor: Actor,
    /// When; `None` means now.
    pub occur_time: Option<Timestamp>,
}

/// Records an arrival. Whoever stands at the door has accepted.
///
/// # Errors
/// `StateForbids`, `NotTheAssignee`, `TimeNotPlausible`, `CalendarUnknown`.
pub fn arrive(order: &WorkOrder, cmd: &Arrive, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Arrive)?;
    draft.only_assignee()?;
    let at = event_time(order, cmd.occur_time, order.cycle_start(), ctx, now)?;
    draft.note_worker();
    draft.order.state = State::OnSite;
    if order.state == State::Assigned {
        draft.reach(Milestone::Accepted, at)?;
    }
    draft.reach(Milestone::Arrived, at)?;
    draft.tell(at, Fact::Arrived);
    draft.note(Action::Arrive, at, []);
    Ok(draft.finish())
}
