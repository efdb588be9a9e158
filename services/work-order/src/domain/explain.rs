//! How a due time came about, interval by interval.

use jiff::Timestamp;
use steward_kit::calendar::{CalendarError, Interval, IntervalKind, Span, Timeline};

use super::clock::{Clock, ClockState, DueBasis};
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
    /// Which limit decided.
    pub basis: DueBasis,
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
    let (due, basis) = clock.due_by(&timeline);
    match (basis, timeline.due_time().at(), due) {
        (DueBasis::Appointment, Some(from), Some(to)) => {
            stretches.push(Stretch { from, to, kind: StretchKind::Counted, label: "appointment".to_owned() });
        }
        // What an authority wants counts every minute: neither rest days nor pauses are its concern.
        (DueBasis::External, _, Some(to)) => {
            let from = clock.start_time;
            stretches = vec![Stretch { from, to, kind: StretchKind::Counted, label: "external_due".to_owned() }];
            stretches.retain(|stretch| stretch.from < stretch.to);
        }
        (DueBasis::Limit | DueBasis::Promise | DueBasis::Appointment | DueBasis::External, _, _) => {}
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
    Ok(Explanation { stretches, provisional_years, source: clock.terms.source, basis })
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
