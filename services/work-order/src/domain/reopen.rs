//! The order is opened again in a new cycle (WO-31, WO-45).
//!
//! Clocks that start on receipt start again from the reopening, except those that run in the first cycle only. Clocks of
//! the cycle before that are still open no longer apply; verdicts stay.

use jiff::Timestamp;

use super::actor::Actor;
use super::case::Milestone;
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::refusal::{Place, Refusal};
use super::state::{State, Verb};
use super::transition::{Fact, Transition};
use super::work_order::WorkOrder;

/// A reopening.
#[derive(Clone, Debug)]
pub struct Reopen {
    /// Who.
    pub actor: Actor,
    /// Why, without personal data.
    pub reason: String,
}

/// Reopens a completed order, or a closed one within the policy's window.
///
/// # Errors
/// `StateForbids`, `ReopenWindowOver`, `CalendarUnknown`.
pub fn reopen(order: &WorkOrder, cmd: &Reopen, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::Reopen)?;
    if draft.reopening_is_too_late()? {
        return Err(Refusal::ReopenWindowOver { place: Place::of(&draft.order) });
    }
    reopen_in(&mut draft, now, &cmd.reason)?;
    Ok(draft.finish())
}

/// The reopening itself, also as the consequence of a callback.
pub(super) fn reopen_in(draft: &mut Draft<'_>, at: Timestamp, reason: &str) -> Result<(), Refusal> {
    draft.settle(at);
    draft.void(at, |_| true);
    let order = &mut draft.order;
    order.cycle += 1;
    order.state = State::Reopened;
    order.assignee = None;
    order.workers.clear();
    order.promise_time = None;
    order.close_code = None;
    order.auto_close_time = None;
    order.urge_escalated = false;
    draft.stop_major_window();
    draft.reach(Milestone::Received, at)?;
    draft.reach(Milestone::Pushed, at)?;
    draft.tell(at, Fact::Reopened);
    draft.have_duplicates_follow();
    let cycle = draft.order.cycle.to_string();
    draft.note(Action::Reopen, at, [("cycle", cycle), ("reason", reason.to_owned())]);
    Ok(())
}

impl Draft<'_> {
    /// Whether it was closed for longer than the policy lets an order be reopened.
    pub(super) fn reopening_is_too_late(&self) -> Result<bool, Refusal> {
        let closed = self.order.milestone_time(Milestone::Closed);
        let (Some(closed), Some(window)) = (closed, &self.order.terms.reopen_window) else { return Ok(false) };
        let due = self.ctx.calendars.due(closed, window, self.ctx.zone).map_err(|error| Refusal::of_calendar("reason", error))?;
        Ok(self.now > due.time)
    }
}
