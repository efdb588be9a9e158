//! The work stands still for a reason (WO-43).

use jiff::Timestamp;

use super::actor::Actor;
use super::case::SuspensionReason;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::Refusal;
use super::state::Verb;
use super::transition::{Fact, Transition};
use super::work_order::{Suspension, WorkOrder};

/// A suspension.
#[derive(Clone, Debug)]
pub struct Suspend {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub reason: SuspensionReason,
}

/// Suspends. Clocks whose rule names the reason stand still; the others run on.
///
/// # Errors
/// `StateForbids`, `CalendarUnknown`.
pub fn suspend(order: &WorkOrder, cmd: &Suspend, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Suspend)?;
    draft.settle(now);
    draft.order.suspensions.push(Suspension { reason: cmd.reason, from: now, to: None });
    draft.recompute_open()?;
    draft.tell(now, Fact::Suspended { reason: cmd.reason });
    draft.note(Action::Suspend, now, [("reason", cmd.reason.to_string())]);
    Ok(draft.finish())
}
