//! The work stands still for a reason (WO-43).

use jiff::Timestamp;

use super::actor::Actor;
use super::case::SuspensionReason;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::Refusal;
use super::state::Verb;
use super::suspension::{Approval, Suspension};
use super::transition::{Fact, Transition};
use super::work_order::WorkOrder;

/// A suspension.
#[derive(Clone, Debug)]
pub struct Suspend {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub reason: SuspensionReason,
}

/// Suspends. Clocks whose rule names the reason stand still, once whoever has to agree did; the others run on.
///
/// # Errors
/// `StateForbids`, `CalendarUnknown`.
pub fn suspend(order: &WorkOrder, cmd: &Suspend, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Suspend)?;
    draft.settle(now);
    let rule = order.terms.suspensions.iter().find(|rule| rule.reason == cmd.reason);
    let longest = rule.and_then(|rule| rule.max_duration.as_ref()).map(|span| ctx.calendars.due(now, span, ctx.zone)).transpose();
    let max_to = longest.map_err(|error| Refusal::of_calendar("reason", error))?.map(|due| due.time);
    let awaits_approval = rule.is_some_and(|rule| rule.needs_approval);
    let approval = if awaits_approval { Approval::Awaited } else { Approval::NotNeeded };
    draft.order.field.suspension_asked_by = Some(cmd.actor.subject.clone());
    draft.order.suspensions.push(Suspension { reason: cmd.reason, from: now, to: None, max_to, approval });
    draft.recompute_open()?;
    draft.tell(now, Fact::Suspended { reason: cmd.reason, awaits_approval });
    let until = max_to.map(|over| over.to_string()).unwrap_or_default();
    let waits = if awaits_approval { "awaited".to_owned() } else { String::new() };
    draft.note(Action::Suspend, now, [("reason", cmd.reason.to_string()), ("max_time", until), ("approval", waits)]);
    Ok(draft.finish())
}
