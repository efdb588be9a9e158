//! A calendar became known, or better known: clocks that count by it are computed anew (XC-20).

use jiff::Timestamp;
use jiff::civil::Date;
use steward_kit::calendar::CalendarId;

use super::actor;
use super::clock::{Clock, ClockState, Verdict};
use super::context::Context;
use super::draft::{Detail, Draft};
use super::history::Action;
use super::refusal::Refusal;
use super::transition::Transition;
use super::work_order::WorkOrder;

/// What was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalendarLoaded {
    /// An official year, for the first time or with corrections.
    Year(i16),
    /// Working hours of this name.
    Hours(String),
}

/// Computes every clock anew that counts by what was loaded, stopped ones of an order under way too: a verdict by a wrong calendar
/// is a wrong verdict. Of an order that has ended only what rests on a year not announced is judged again; what was final stays
/// final. A breach that the calendar revokes is taken back, and can come again. A clock that comes out the same is not touched.
///
/// # Errors
/// `CalendarUnknown`.
pub fn calendar_loaded(order: &WorkOrder, loaded: &CalendarLoaded, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &actor::system(), ctx, now);
    draft.close_if_silent()?;
    for index in 0..draft.order.clocks.len() {
        let clock = &draft.order.clocks[index];
        let is_final = order.state.is_ended() && !clock.is_open() && !clock.is_provisional();
        if clock.state == ClockState::Void || is_final || !loaded.counts_for(clock, ctx) {
            continue;
        }
        let before = clock.clone();
        let clock = &mut draft.order.clocks[index];
        clock.compute(&draft.order.suspensions, ctx).map_err(|error| Refusal::of_calendar("clock", error))?;
        if *clock == before {
            continue;
        }
        if let Some(stop) = clock.stop_time {
            clock.verdict = Some(clock.verdict_at(stop));
        } else if clock.is_late() && clock.due_time.is_none_or(|due| due > now) {
            clock.revoke_breach(now);
        }
        let corrected = clock.verdict != before.verdict;
        let detail = detail(clock, &before, loaded, corrected);
        draft.write(if corrected { Action::ClockCorrected } else { Action::ClockRecomputed }, now, detail);
    }
    Ok(draft.finish())
}

impl CalendarLoaded {
    /// Whether a clock may count by it. One that has no due time, because it stands still, may reach any day.
    fn counts_for(&self, clock: &Clock, ctx: &Context<'_>) -> bool {
        match (self, clock.limit.calendar()) {
            (Self::Year(year), CalendarId::Working | CalendarId::Hours(_)) => {
                let local = |at| ctx.zone.to_datetime(at).date();
                let starts_before_its_end = local(clock.start_time).year() <= *year;
                // A notice may change the days of the December before its year.
                let ends_after_its_begin = clock.due_time.is_none_or(|due| december_before(local(due)) >= *year);
                clock.provisional_years.contains(year) || (starts_before_its_end && ends_after_its_begin)
            }
            (Self::Year(_), CalendarId::AroundTheClock | CalendarId::Civil) => false,
            (Self::Hours(name), CalendarId::Hours(own)) => own.as_ref() == name.as_str(),
            (Self::Hours(_), CalendarId::Working | CalendarId::AroundTheClock | CalendarId::Civil) => false,
        }
    }
}

/// The last year whose notice may be about a date.
fn december_before(date: Date) -> i16 {
    if date.month() == 12 { date.year().saturating_add(1) } else { date.year() }
}

fn detail(clock: &Clock, before: &Clock, loaded: &CalendarLoaded, corrected: bool) -> Detail {
    let mut detail = Detail::from([("clock".to_owned(), clock.name.clone()), ("cycle".to_owned(), clock.cycle.to_string())]);
    match loaded {
        CalendarLoaded::Year(year) => detail.insert("year".to_owned(), year.to_string()),
        CalendarLoaded::Hours(name) => detail.insert("calendar".to_owned(), name.clone()),
    };
    if let Some(due) = clock.due_time.filter(|due| Some(*due) != before.due_time) {
        detail.insert("due_time".to_owned(), due.to_string());
    }
    if corrected {
        detail.insert("verdict".to_owned(), clock.verdict.map_or("open", Verdict::as_str).to_owned());
    }
    detail
}
