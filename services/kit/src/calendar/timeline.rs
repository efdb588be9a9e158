//! A clock with pauses, interval by interval: what `ExplainClock` shows and what timers are set from (WO-43, 44, 72).
//!
//! **Clock units.** Counting stops at `from` of a pause and goes on at `to`; the due instant moves by exactly the time
//! that would have been counted in between. A pause outside working hours moves nothing.
//!
//! **Day units.** Days are counted whole. A day counts if the clock is running when it ends, at 24:00. So a pause inside
//! one day moves nothing, a pause over the end of a working day takes that day out, and one wholly inside rest days moves
//! nothing. The due instant stays a 24:00, and is never inside a pause.
//!
//! **Percent.** Progress is linear in what is counted: 50 percent of `3wd` is noon of the second counted day. It goes on
//! after 100 by the same rules; a roll past rest days belongs to the 100. An instant that falls into a pause of a counted day moves to the end of the pause.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::calendars::Calendars;
use super::due::DueRules;
use super::error::CalendarError;
use super::grid::{Course, DAY, Grid, Slice};
use super::pause::{Pause, normalised};
use super::span::Span;

/// What a clock did in an interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntervalKind {
    /// It ran.
    Counted,
    /// The rest of the start day, which day units do not count (XC-21).
    StartDay,
    /// Rest days: the holiday's name, or `周末`.
    Rest {
        /// Name of the rest.
        name: Arc<str>,
    },
    /// A pause.
    Paused {
        /// Its reason.
        reason: Arc<str>,
    },
    /// Outside the windows of a working-hours calendar.
    OutsideHours,
}

/// A stretch of a clock's course. Only an open pause, always the last, has no end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub to: Option<Timestamp>,
    /// What happened.
    pub kind: IntervalKind,
}

/// An amount of counted time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// For clock units.
    Time(SignedDuration),
    /// For day units: whole days that have ended.
    Days(u32),
}

/// When a clock is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueTime {
    /// At this instant; what happens at it is in time.
    At(Timestamp),
    /// An open pause came first: there is no due instant until it ends.
    Suspended {
        /// Counted so far.
        counted: Amount,
        /// Still to count.
        remaining: Amount,
    },
}

impl DueTime {
    /// The instant, if the clock is not suspended.
    pub const fn at(self) -> Option<Timestamp> {
        match self {
            Self::At(time) => Some(time),
            Self::Suspended { .. } => None,
        }
    }
}

/// A computed clock.
#[derive(Clone, Debug)]
pub struct Timeline {
    calendars: Calendars,
    zone: TimeZone,
    start: Timestamp,
    pauses: Vec<Pause>,
    grid: Grid,
    total: i128,
    due: DueTime,
    provisional_years: Vec<i16>,
    intervals: Vec<Interval>,
}

impl Timeline {
    /// Computes a clock with service rules. See [`compute_with`](Self::compute_with).
    pub fn compute(calendars: &Calendars, start: Timestamp, span: &Span, zone: &TimeZone, pauses: &[Pause]) -> Result<Self, CalendarError> {
        Self::compute_with(calendars, start, span, zone, pauses, DueRules::default())
    }

    /// Computes a clock. Pauses may come in any order and overlap. Fails if a pause ends before it begins, if the span
    /// names hours that are not loaded, or if the result is out of range.
    pub fn compute_with(
        calendars: &Calendars,
        start: Timestamp,
        span: &Span,
        zone: &TimeZone,
        pauses: &[Pause],
        rules: DueRules,
    ) -> Result<Self, CalendarError> {
        let (grid, total) = calendars.grid(span, zone.to_datetime(start).date())?;
        let mut timeline = Self {
            calendars: calendars.clone(),
            zone: zone.clone(),
            start,
            pauses: normalised(pauses)?,
            grid,
            total,
            due: DueTime::At(start),
            provisional_years: Vec::new(),
            intervals: Vec::new(),
        };
        timeline.settle(rules)?;
        Ok(timeline)
    }

    /// When the clock is due.
    pub const fn due_time(&self) -> DueTime {
        self.due
    }

    /// Years that were needed up to the due time (or to the open pause) and are not announced (XC-20).
    pub fn provisional_years(&self) -> &[i16] {
        &self.provisional_years
    }

    /// The course from the start to the due time, without gaps; it ends with the open pause of a suspended clock.
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// When `percent` of the limit is counted; 0 is the start (or the end of a pause it began in), 100 the due time, more
    /// goes on by the same rules (WO-44). `None` if an open pause, or the end of time, comes first.
    pub fn at_percent(&self, percent: u32) -> Option<Timestamp> {
        let target = self.total * i128::from(percent) / 100;
        let reached = self.reach(target, |_| {}).ok()?.0.at()?;
        // Only day units can land inside a pause, and 100 percent never does.
        let inside = self.pauses.iter().find(|pause| pause.from < reached && reached < pause.end());
        inside.map_or(Some(reached), |pause| pause.to)
    }

    /// How much is counted at an instant, also after the due time.
    pub fn counted_until(&self, at: Timestamp) -> Amount {
        self.amount(self.measured_until(at))
    }

    /// Whole percent of the limit counted at an instant, also above 100.
    pub fn percent_at(&self, at: Timestamp) -> u32 {
        u32::try_from(self.measured_until(at) * 100 / self.total.max(1)).unwrap_or(u32::MAX)
    }

    fn settle(&mut self, rules: DueRules) -> Result<(), CalendarError> {
        loop {
            let mut intervals = Vec::new();
            let (due, mut provisional) = self.reach(self.total, |interval| push_merged(&mut intervals, interval))?;
            self.due = due;
            self.intervals = intervals;
            let rolls = rules.roll_past_rest_day
                && matches!(self.grid, Grid::CivilDays)
                && due.at().is_some_and(|at| !self.last_day_works(at, &mut provisional));
            self.provisional_years = provisional.into_iter().collect();
            if !rolls {
                return Ok(());
            }
            self.total += DAY;
        }
    }

    fn last_day_works(&self, due: Timestamp, provisional: &mut BTreeSet<i16>) -> bool {
        let last = Timestamp::from_nanosecond(due.as_nanosecond() - 1).unwrap_or(due);
        self.calendars.consult(self.zone.to_datetime(last).date(), provisional)
    }

    const fn course(&self) -> Course<'_> {
        Course { grid: &self.grid, calendars: &self.calendars, zone: &self.zone, start: self.start, pauses: self.pauses.as_slice() }
    }

    /// Walks until `target` is counted or the clock is suspended, and hands over the intervals on the way.
    fn reach(&self, target: i128, mut record: impl FnMut(Interval)) -> Result<(DueTime, BTreeSet<i16>), CalendarError> {
        let mut counted = 0;
        let mut reached = None;
        if target == 0 {
            return Ok((DueTime::At(self.start), BTreeSet::new()));
        }
        let provisional = self.course().walk(|slice| {
            let Slice { from, to, kind, measure } = slice;
            let at = to.filter(|_| measure > 0 && counted + measure >= target).map(|to| {
                let length = to.as_nanosecond() - from.as_nanosecond();
                Timestamp::from_nanosecond(from.as_nanosecond() + share(length, target - counted, measure))
            });
            counted += if at.is_none() { measure } else { target - counted };
            match at {
                Some(at) => {
                    let at = at.unwrap_or(Timestamp::MAX);
                    record(Interval { from, to: Some(at), kind });
                    reached = Some(at);
                    ControlFlow::Break(())
                }
                None => {
                    record(Interval { from, to, kind });
                    ControlFlow::Continue(())
                }
            }
        })?;
        let due = reached
            .map_or_else(|| DueTime::Suspended { counted: self.amount(counted), remaining: self.amount(target - counted) }, DueTime::At);
        Ok((due, provisional))
    }

    fn measured_until(&self, at: Timestamp) -> i128 {
        let mut counted = 0;
        let walked = self.course().walk(|Slice { from, to, measure, .. }| {
            let to = to.unwrap_or(Timestamp::MAX);
            if at <= from {
                return ControlFlow::Break(());
            }
            let length = to.as_nanosecond() - from.as_nanosecond();
            counted += share(measure, at.min(to).as_nanosecond() - from.as_nanosecond(), length.max(1));
            ControlFlow::Continue(())
        });
        // A walk that leaves the range of time has counted all there is.
        debug_assert!(walked.is_ok() || walked == Err(CalendarError::OutOfRange), "walk cannot fail otherwise");
        counted
    }

    fn amount(&self, measure: i128) -> Amount {
        match self.grid {
            Grid::Continuous | Grid::Hours(_) => Amount::Time(SignedDuration::from_nanos_i128(measure)),
            Grid::WorkingDays | Grid::CivilDays => Amount::Days(u32::try_from(measure / DAY).unwrap_or(u32::MAX)),
        }
    }
}

/// `of` times `part` over `whole`, rounded down. On a 24x7 clock all three may be millennia, whose product no integer holds;
/// there `of` is `whole`, and nothing is multiplied.
const fn share(of: i128, part: i128, whole: i128) -> i128 {
    of / whole * part + of % whole * part / whole
}

/// Neighbours of one kind become one interval.
fn push_merged(intervals: &mut Vec<Interval>, next: Interval) {
    match intervals.last_mut() {
        Some(last) if last.kind == next.kind => last.to = next.to,
        Some(_) | None => intervals.push(next),
    }
}
