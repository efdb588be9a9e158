//! How a due time came about, interval by interval.

use jiff::Timestamp;
use steward_kit::calendar::{CalendarError, Interval, IntervalKind, Span, Timeline};

use super::clock::{Clock, ClockState};
use super::context::Context;
use super::policy::PolicySource;
use super::work_order::WorkOrder;

/// What ExplainClock answers, beside the clock itself with its steps.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Stretches from the start to the due time, without gaps; after it one `Late` stretch to the stop, or to now.
    pub stretches: Vec<Stretch>,
    /// Years not announced that the due time rests on.
    pub provisional_years: Vec<i16>,
    /// The policy version that decided.
    pub source: PolicySource,
}

/// One stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// From, inclusive.
    pub from: Timestamp,
    /// To, exclusive; an open pause ends now.
    pub to: Timestamp,
    /// Whether and why it counts.
    pub kind: StretchKind,
    /// Holiday, suspension's reason, or `start_day`, `late`; empty for time that counts.
    pub label: String,
}

/// Whether and why a stretch counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StretchKind {
    /// Counts against the limit.
    Counted,
    /// A day that the calendar does not count.
    Rest,
    /// Outside working hours.
    OutsideHours,
    /// A suspension that pauses the clock.
    Paused,
}

/// What a deadline would be, before anything exists.
#[derive(Clone, Debug)]
pub struct Estimate {
    /// When it would be due.
    pub due_time: Timestamp,
    /// Years not announced that it rests on.
    pub provisional_years: Vec<i16>,
    /// Stretches from start to due, without gaps.
    pub stretches: Vec<Stretch>,
}

/// Explains a clock of the order.
///
/// # Errors
/// The calendar of its limit is not loaded any more.
pub fn explain(order: &WorkOrder, clock: &Clock, ctx: &Context<'_>, now: Timestamp) -> Result<Explanation, CalendarError> {
    let timeline = clock.timeline(&order.suspensions, ctx)?;
    let mut stretches: Vec<Stretch> = timeline.intervals().iter().map(|interval| stretch(interval, now)).collect();
    let own_due = timeline.due_time().at();
    let due = own_due.map(|own| clock.appointment_end.map_or(own, |end| end.max(own)));
    if let (Some(own), Some(due)) = (own_due, due.filter(|due| own_due < Some(*due))) {
        stretches.push(Stretch { from: own, to: due, kind: StretchKind::Counted, label: "appointment".to_owned() });
    }
    // A void clock counts no further than its due time: nobody noted when it ceased to matter.
    let end = match clock.state {
        ClockState::Running | ClockState::Paused => Some(now),
        ClockState::Stopped => clock.stop_time,
        ClockState::Void => None,
    };
    if let (Some(due), Some(end)) = (due, end.filter(|end| due < Some(*end))) {
        stretches.push(Stretch { from: due, to: end, kind: StretchKind::Counted, label: "late".to_owned() });
    }
    let provisional_years = timeline.provisional_years().to_vec();
    Ok(Explanation { stretches, provisional_years, source: clock.terms.source })
}

/// Computes what a deadline would be (ComputeDueTime). Reads only the calendars and the zone of the context.
///
/// # Errors
/// The span's calendar is not loaded, or the result is out of range.
pub fn estimate(start: Timestamp, span: &Span, ctx: &Context<'_>) -> Result<Estimate, CalendarError> {
    let timeline = Timeline::compute(ctx.calendars, start, span, ctx.zone, &[])?;
    let due_time = timeline.due_time().at().ok_or(CalendarError::OutOfRange)?;
    let stretches = timeline.intervals().iter().map(|interval| stretch(interval, due_time)).collect();
    Ok(Estimate { due_time, provisional_years: timeline.provisional_years().to_vec(), stretches })
}

fn stretch(interval: &Interval, open_end: Timestamp) -> Stretch {
    let (kind, label) = match &interval.kind {
        IntervalKind::Counted => (StretchKind::Counted, String::new()),
        IntervalKind::StartDay => (StretchKind::Rest, "start_day".to_owned()),
        IntervalKind::Rest { name } => (StretchKind::Rest, name.to_string()),
        IntervalKind::Paused { reason } => (StretchKind::Paused, reason.to_string()),
        IntervalKind::OutsideHours => (StretchKind::OutsideHours, String::new()),
    };
    Stretch { from: interval.from, to: interval.to.unwrap_or(open_end.max(interval.from)), kind, label }
}
