//! One person is made accountable (WO-22).

use jiff::Timestamp;

use super::actor::Actor;
use super::case::Milestone;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::Refusal;
use super::roster::{Bar, Candidate};
use super::state::{State, Verb};
use super::transition::{Fact, Transition};
use super::work_order::WorkOrder;

/// An assignment.
#[derive(Clone, Debug)]
pub struct Assign {
    /// Who assigns.
    pub actor: Actor,
    /// Staff subject who becomes accountable.
    pub assignee: String,
    /// Why they get more than their limit, without personal data; empty when they shall not.
    pub over_limit_reason: String,
    /// Roles of who assigns.
    pub roles: Vec<String>,
}

/// Assigns, or hands over. Clocks that start on assignment start anew; given to whoever has it already, nothing but a
/// history line is made, so that no clock can be turned back that way.
///
/// # Errors
/// `StateForbids`, `Barred` when the order complains about the assignee or their line or they have as many orders as they may,
/// `CalendarUnknown`.
pub fn assign(order: &WorkOrder, cmd: &Assign, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Assign)?;
    if ctx.lines.involve(&order.accused, &cmd.assignee) {
        return Err(draft.barred(Bar::Accused));
    }
    let mut over_limit = false;
    let previous = draft.order.assignee.replace(cmd.assignee.clone()).unwrap_or_default();
    if previous != cmd.assignee {
        let may_exceed = cmd.roles.iter().any(|role| order.terms.limit_override_roles.contains(role));
        over_limit = ctx.taker.is_some_and(Candidate::is_at_limit);
        if over_limit && (cmd.over_limit_reason.is_empty() || !may_exceed) {
            return Err(draft.barred(Bar::AtLimit));
        }
        draft.note_take();
        draft.order.state = State::Assigned;
        draft.order.first_receiver.get_or_insert_with(|| cmd.assignee.clone());
        if draft.order.milestone_time(Milestone::Pushed).is_none() {
            draft.reach(Milestone::Pushed, now)?;
        }
        draft.reach(Milestone::Assigned, now)?;
        draft.tell(now, Fact::Assigned);
    }
    let reason = if over_limit { cmd.over_limit_reason.clone() } else { String::new() };
    let detail = [("assignee", cmd.assignee.clone()), ("assignee_before", previous), ("over_limit_reason", reason)];
    draft.note(Action::Assign, now, detail);
    Ok(draft.finish())
}
