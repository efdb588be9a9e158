//! The time after a start, cut into slices that count and slices that do not.
//!
//! One walk serves every question of a [`Timeline`](super::Timeline): when is it due, when is 80 percent of it gone, how
//! much has been counted. It goes by pauses on a 24x7 clock and by local days elsewhere, never by minutes.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::Date};

use super::calendars::Calendars;
use super::due::end_of_day;
use super::error::CalendarError;
use super::hours::WorkingHours;
use super::pause::Pause;
use super::timeline::IntervalKind;

/// Measure of one counted day. A day counts the same when a clock change makes it 23 or 25 hours long.
pub(super) const DAY: i128 = 86_400_000_000_000;

/// Nothing is searched further ahead than this.
const HORIZON_DAYS: u32 = 110_000;

/// What a clock counts.
#[derive(Clone, Debug)]
pub(super) enum Grid {
    /// Every nanosecond.
    Continuous,
    /// Nanoseconds inside windows.
    Hours(Arc<WorkingHours>),
    /// Whole working days after the start day.
    WorkingDays,
    /// Whole days after the start day.
    CivilDays,
}

/// A stretch of one kind. Only counted slices have a measure; only an open pause has no end.
#[derive(Clone, Debug)]
pub(super) struct Slice {
    pub(super) from: Timestamp,
    pub(super) to: Option<Timestamp>,
    pub(super) kind: IntervalKind,
    pub(super) measure: i128,
}

/// What a walk reads.
pub(super) struct Course<'a> {
    pub(super) grid: &'a Grid,
    pub(super) calendars: &'a Calendars,
    pub(super) zone: &'a TimeZone,
    pub(super) start: Timestamp,
    /// Normalised.
    pub(super) pauses: &'a [Pause],
}

type Flow = ControlFlow<()>;

impl Course<'_> {
    /// Visits slices in order from the start, without gaps, until the visitor breaks or an open pause is reached.
    /// Returns the years that were consulted and are not announced.
    pub(super) fn walk(&self, mut visit: impl FnMut(Slice) -> Flow) -> Result<BTreeSet<i16>, CalendarError> {
        let mut provisional = BTreeSet::new();
        match self.grid {
            Grid::Continuous => {
                if self.overlay(self.start, Timestamp::MAX, IntervalKind::Counted, &mut visit).is_continue() {
                    return Err(CalendarError::OutOfRange);
                }
            }
            Grid::Hours(hours) => self.walk_hours(hours, &mut provisional, &mut visit)?,
            Grid::WorkingDays | Grid::CivilDays => self.walk_days(&mut provisional, &mut visit)?,
        }
        Ok(provisional)
    }

    fn walk_hours(
        &self,
        hours: &WorkingHours,
        provisional: &mut BTreeSet<i16>,
        visit: &mut impl FnMut(Slice) -> Flow,
    ) -> Result<(), CalendarError> {
        let first = self.zone.to_datetime(self.start).date();
        let mut cursor = self.start;
        // A night shift of the evening before may still be running at the start.
        let mut date = first.yesterday()?;
        for _ in 0..HORIZON_DAYS {
            for (open, close) in hours.opening_on(date, date < first, self.calendars, self.zone, provisional)? {
                let open = open.max(cursor);
                if close <= open {
                    continue;
                }
                if open > cursor && self.overlay(cursor, open, self.gap(hours, date), visit).is_break() {
                    return Ok(());
                }
                if self.overlay(open, close, IntervalKind::Counted, visit).is_break() {
                    return Ok(());
                }
                cursor = close;
            }
            let midnight = end_of_day(date, self.zone)?;
            if midnight > cursor {
                if self.overlay(cursor, midnight, self.gap(hours, date), visit).is_break() {
                    return Ok(());
                }
                cursor = midnight;
            }
            date = date.tomorrow()?;
        }
        Err(CalendarError::OutOfRange)
    }

    fn gap(&self, hours: &WorkingHours, date: Date) -> IntervalKind {
        let day = self.calendars.day(date);
        match day.rest_name().filter(|_| hours.follows_official_days()) {
            Some(name) => IntervalKind::Rest { name: name.into() },
            None => IntervalKind::OutsideHours,
        }
    }

    /// Cuts one stretch along the pauses. Breaks at an open pause.
    fn overlay(&self, from: Timestamp, to: Timestamp, kind: IntervalKind, visit: &mut impl FnMut(Slice) -> Flow) -> Flow {
        let mut cursor = from;
        let next = self.pauses.partition_point(|pause| pause.end() <= from);
        for pause in self.pauses[next..].iter().take_while(|pause| pause.from < to) {
            if pause.from > cursor {
                visit(Slice::stretch(cursor, pause.from, kind.clone()))?;
            }
            let paused = IntervalKind::Paused { reason: pause.reason.clone() };
            let begin = pause.from.max(cursor);
            let Some(end) = pause.to else {
                visit(Slice { from: begin, to: None, kind: paused, measure: 0 })?;
                return Flow::Break(());
            };
            cursor = end.min(to);
            visit(Slice::stretch(begin, cursor, paused))?;
        }
        if cursor < to {
            visit(Slice::stretch(cursor, to, kind))?;
        }
        Flow::Continue(())
    }

    fn walk_days(&self, provisional: &mut BTreeSet<i16>, visit: &mut impl FnMut(Slice) -> Flow) -> Result<(), CalendarError> {
        let mut date = self.zone.to_datetime(self.start).date();
        let mut from = end_of_day(date, self.zone)?;
        if visit(Slice::idle(self.start, from, IntervalKind::StartDay)).is_break() {
            return Ok(());
        }
        for _ in 0..HORIZON_DAYS {
            date = date.tomorrow()?;
            let to = end_of_day(date, self.zone)?;
            let works = match self.grid {
                Grid::WorkingDays => self.calendars.consult(date, provisional),
                Grid::CivilDays | Grid::Continuous | Grid::Hours(_) => true,
            };
            let slice = if !works {
                let name = self.calendars.day(date).rest_name().unwrap_or_default().into();
                Slice::idle(from, to, IntervalKind::Rest { name })
            } else if let Some(pause) = self.pause_at_end(to) {
                let kind = IntervalKind::Paused { reason: pause.reason.clone() };
                if pause.to.is_none() {
                    // Nothing more is ever counted while the pause is open, so the day loop ends here.
                    let _stopped = visit(Slice { from, to: None, kind, measure: 0 });
                    return Ok(());
                }
                Slice::idle(from, to, kind)
            } else {
                Slice { from, to: Some(to), kind: IntervalKind::Counted, measure: DAY }
            };
            if visit(slice).is_break() {
                return Ok(());
            }
            from = to;
        }
        Err(CalendarError::OutOfRange)
    }

    /// The pause in force when a day ends at `end`: its last instant before 24:00 is paused.
    fn pause_at_end(&self, end: Timestamp) -> Option<&Pause> {
        let next = self.pauses.partition_point(|pause| pause.end() < end);
        self.pauses.get(next).filter(|pause| pause.from < end)
    }
}

impl Slice {
    fn stretch(from: Timestamp, to: Timestamp, kind: IntervalKind) -> Self {
        let counts = matches!(kind, IntervalKind::Counted);
        let measure = if counts { to.as_nanosecond() - from.as_nanosecond() } else { 0 };
        Self { from, to: Some(to), kind, measure }
    }

    fn idle(from: Timestamp, to: Timestamp, kind: IntervalKind) -> Self {
        Self { from, to: Some(to), kind, measure: 0 }
    }
}
