//! The work goes on (WO-43).

use jiff::Timestamp;

use super::actor::Actor;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::Refusal;
use super::state::Verb;
use super::transition::{Fact, Transition};
use super::work_order::WorkOrder;

/// A resumption.
#[derive(Clone, Debug)]
pub struct Resume {
    /// Who.
    pub actor: Actor,
}

/// Resumes. Paused clocks run on with what they had left.
///
/// # Errors
/// `StateForbids`, `CalendarUnknown`.
pub fn resume(order: &WorkOrder, cmd: &Resume, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Resume)?;
    // Clocks that the suspension did not pause have run: what they came to is taken before they are computed anew.
    draft.settle(now);
    draft.end_suspension(now);
    draft.recompute_open()?;
    draft.tell(now, Fact::Resumed);
    draft.note(Action::Resume, now, []);
    Ok(draft.finish())
}
