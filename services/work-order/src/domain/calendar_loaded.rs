//! A calendar year became known: what rested on the weekend rule is computed anew (XC-20).

use jiff::Timestamp;

use super::actor::Actor;
use super::clock::{ClockState, Verdict};
use super::context::Context;
use super::draft::{Detail, Draft};
use super::history::Action;
use super::refusal::Refusal;
use super::transition::Transition;
use super::work_order::WorkOrder;

/// A year was loaded.
#[derive(Clone, Debug)]
pub struct CalendarLoaded {
    /// The year.
    pub year: i16,
}

/// Computes every clock anew that rested on the year, stopped ones too: their verdict was provisional. A breach that the
/// calendar revokes is taken back, and can come again.
///
/// # Errors
/// `CalendarUnknown`.
pub fn calendar_loaded(order: &WorkOrder, cmd: &CalendarLoaded, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &Actor::system(), ctx, now);
    draft.close_if_silent()?;
    for index in 0..draft.order.clocks.len() {
        let clock = &mut draft.order.clocks[index];
        if clock.state == ClockState::Void || !clock.provisional_years.contains(&cmd.year) {
            continue;
        }
        let (due_before, verdict_before) = (clock.due_time, clock.verdict);
        clock.compute(&draft.order.suspensions, ctx).map_err(|error| Refusal::of_calendar("clock", error))?;
        if let Some(stop) = clock.stop_time {
            clock.verdict = Some(clock.verdict_at(stop));
        } else if clock.is_late() && clock.due_time.is_none_or(|due| due > now) {
            clock.revoke_breach(now);
        }
        let mut detail = Detail::from([
            ("clock".to_owned(), clock.name.clone()),
            ("cycle".to_owned(), clock.cycle.to_string()),
            ("year".to_owned(), cmd.year.to_string()),
        ]);
        let action = if clock.verdict == verdict_before { Action::ClockRecomputed } else { Action::ClockCorrected };
        detail.extend(clock.due_time.filter(|due| Some(*due) != due_before).map(|due| ("due_time".to_owned(), due.to_string())));
        let verdict = clock.verdict.map_or("open", Verdict::as_str).to_owned();
        if action == Action::ClockCorrected {
            detail.insert("verdict".to_owned(), verdict);
        }
        draft.write(action, now, detail);
    }
    Ok(draft.finish())
}
