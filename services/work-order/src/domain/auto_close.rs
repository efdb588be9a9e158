//! A completed order closes by itself when nobody objects (WO-78).
//!
//! It closes at the instant at which the silence was over, whenever that is noticed: every verb and every timer looks
//! first, so that what becomes of an order does not depend on how late a timer fires.

use jiff::Timestamp;

use super::actor;
use super::close::close_in;
use super::context::Context;
use super::draft::Draft;
use super::refusal::Refusal;
use super::transition::{TimerKey, Transition};
use super::work_order::{CloseCode, WorkOrder};

/// The timer of the silence fired; it no longer exists.
#[derive(Clone, Copy, Debug)]
pub struct AutoCloseDue {
    /// Cycle of the order.
    pub cycle: u32,
}

/// Closes the order if its silence is over. A timer that fired for an order which has moved on makes an empty transition.
///
/// # Errors
/// `CalendarUnknown`.
pub fn auto_close_due(order: &WorkOrder, cmd: AutoCloseDue, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &actor::system(), ctx, now);
    draft.note_fired(TimerKey::AutoClose { cycle: cmd.cycle });
    draft.close_if_silent()?;
    Ok(draft.finish())
}

impl Draft<'_> {
    /// From the completion on, silence counts.
    pub(super) fn await_silence(&mut self, completed: Timestamp) -> Result<(), Refusal> {
        let Some(span) = &self.order.terms.auto_close else { return Ok(()) };
        let due = self.ctx.calendars.due(completed, span, self.ctx.zone);
        self.order.auto_close_time = Some(due.map_err(|error| Refusal::of_calendar("occur_time", error))?.time);
        Ok(())
    }

    /// Ends a silence that is over by now.
    pub(super) fn close_if_silent(&mut self) -> Result<(), Refusal> {
        match self.order.auto_close_time.filter(|due| *due <= self.now) {
            Some(due) => self.as_system(|draft| close_in(draft, due, CloseCode::AutoClosed)),
            None => Ok(()),
        }
    }
}
