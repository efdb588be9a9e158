//! Pauses end: by approval they begin to count, and at their longest they are over, whenever that is noticed (WO-43).

use jiff::Timestamp;

use super::actor::{self, Actor};
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::{Place, Refusal};
use super::state::Verb;
use super::suspension::Approval;
use super::transition::{Fact, TimerKey, Transition};
use super::work_order::WorkOrder;

/// A second person's word.
#[derive(Clone, Debug)]
pub struct ApproveSuspension {
    /// Who; not who asked.
    pub actor: Actor,
}

/// Approves the present suspension: clocks that it pauses stand still from when it was asked for; one that was late before stays late.
///
/// # Errors
/// `StateForbids`, `NothingToApprove`, `ApproverAsked`, `CalendarUnknown`.
pub fn approve_suspension(order: &WorkOrder, cmd: &ApproveSuspension, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::ApproveSuspension)?;
    draft.settle(now);
    let place = Place::of(&draft.order);
    let waiting = draft.order.suspensions.last_mut().filter(|last| last.to.is_none());
    let Some(suspension) = waiting.filter(|last| last.approval == Approval::Awaited) else {
        return Err(Refusal::NothingToApprove { place });
    };
    if order.field.suspension_asked_by.as_deref() == Some(cmd.actor.subject.as_str()) {
        return Err(Refusal::ApproverAsked { place });
    }
    suspension.approval = Approval::Given;
    let reason = suspension.reason;
    draft.recompute_open()?;
    draft.tell(now, Fact::SuspensionApproved { reason });
    draft.note(Action::ApproveSuspension, now, [("reason", reason.to_string())]);
    Ok(draft.finish())
}

/// The timer of the longest pause fired; it no longer exists. An order that has moved on makes an empty transition.
///
/// # Errors
/// `CalendarUnknown`.
pub fn pause_over(order: &WorkOrder, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &actor::system(), ctx, now);
    draft.note_fired(TimerKey::PauseOver);
    draft.close_if_silent()?;
    draft.resume_if_over()?;
    Ok(draft.finish())
}

impl Draft<'_> {
    /// Takes the work up again at the instant at which the longest pause was over.
    pub(super) fn resume_if_over(&mut self) -> Result<(), Refusal> {
        let over = self.order.suspension().and_then(|suspension| suspension.max_to).filter(|over| *over <= self.now);
        let Some(at) = over else { return Ok(()) };
        self.as_system(|draft| {
            draft.settle(at);
            draft.end_suspension(at);
            draft.recompute_open()?;
            draft.tell(at, Fact::Resumed);
            draft.note(Action::Resume, at, [("by", "max_duration".to_owned())]);
            Ok(())
        })
    }
}
