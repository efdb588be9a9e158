//! The timer of a clock fired (WO-44).

use jiff::Timestamp;

use super::actor;
use super::context::Context;
use super::draft::Draft;
use super::refusal::Refusal;
use super::transition::{TimerKey, Transition};
use super::work_order::WorkOrder;

/// A timer that fired; it no longer exists.
#[derive(Clone, Debug)]
pub struct ClockDue {
    /// Name of the clock.
    pub clock: String,
    /// Cycle of the order.
    pub cycle: u32,
}

/// Takes every step of the clock that is due, in order, each once, each at the instant at which it was due; the timer for
/// the next step is set. A timer that fired for a clock which has moved on makes an empty transition.
///
/// # Errors
/// `CalendarUnknown`.
pub fn clock_due(order: &WorkOrder, cmd: &ClockDue, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &actor::system(), ctx, now);
    draft.note_fired(TimerKey::Clock { clock: cmd.clock.clone(), cycle: cmd.cycle });
    draft.close_if_silent()?;
    draft.resume_if_over()?;
    let open = draft.open_clocks().into_iter();
    let due: Vec<usize> = open
        .filter(|index| {
            let clock = &draft.order.clocks[*index];
            clock.name == cmd.clock && clock.cycle == cmd.cycle
        })
        .collect();
    draft.take_steps(&due, now, true, None);
    Ok(draft.finish())
}
