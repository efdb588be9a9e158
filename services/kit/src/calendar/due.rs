//! When a limit without pauses is over (XC-21 to XC-23).
//!
//! * Seconds, minutes and hours run from the instant, around the clock or inside named working hours.
//! * Working days and days: the start day is not counted; the limit ends at 24:00 of the last day, which is the instant
//!   of 00:00 of the next day in the zone.
//! * Months, quarters, half-years, years: to the corresponding day, or the end of a month without one, at 24:00.
//!
//! What happens at the due instant is still in time; what happens after it is late.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::calendars::Calendars;
use super::error::CalendarError;
use super::grid::{DAY, Grid};
use super::span::Span;
use super::timeline::Timeline;
use super::unit::{CalendarId, Family, Unit};

/// When a limit is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last instant in time.
    pub time: Timestamp,
    /// Years whose notice was needed and is not loaded. Not empty means provisional (XC-20): recompute when loaded, and
    /// keep it out of published figures.
    pub provisional_years: Vec<i16>,
}

impl Due {
    /// Whether a year was needed that is not announced.
    pub fn is_provisional(&self) -> bool {
        !self.provisional_years.is_empty()
    }
}

/// Policy flags of the computation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DueRules {
    /// A limit in days or longer units whose last day is a rest day moves on to the next working day (XC-21). Off for
    /// service limits, on for legal ones.
    pub roll_past_rest_day: bool,
}

impl Calendars {
    /// When a limit is over, with service rules. See [`due_with`](Self::due_with).
    pub fn due(&self, start: Timestamp, span: &Span, zone: &TimeZone) -> Result<Due, CalendarError> {
        self.due_with(start, span, zone, DueRules::default())
    }

    /// When a limit that started at `start` is over; `zone` is the zone of the estate (XC-25). Fails if the span names
    /// hours that are not loaded, or the result is out of range.
    pub fn due_with(&self, start: Timestamp, span: &Span, zone: &TimeZone, rules: DueRules) -> Result<Due, CalendarError> {
        let mut provisional = BTreeSet::new();
        let first = zone.to_datetime(start).date();
        let last = match (span.unit().family(), span.calendar()) {
            (Family::Clock, CalendarId::Hours(_)) => {
                let timeline = Timeline::compute_with(self, start, span, zone, &[], rules)?;
                let time = timeline.due_time().at().ok_or(CalendarError::OutOfRange)?;
                return Ok(Due { time, provisional_years: timeline.provisional_years().to_vec() });
            }
            (Family::Clock, CalendarId::AroundTheClock | CalendarId::Working | CalendarId::Civil) => {
                let time = start.checked_add(SignedDuration::from_secs(seconds(span)))?;
                return Ok(Due { time, provisional_years: Vec::new() });
            }
            (Family::WorkingDays, _) => {
                let mut date = first;
                let mut left = span.value();
                while left > 0 {
                    date = date.tomorrow()?;
                    left -= u32::from(self.consult(date, &mut provisional));
                }
                date
            }
            (Family::CivilDays, _) => {
                let mut date = corresponding(first, span)?;
                while rules.roll_past_rest_day && !self.consult(date, &mut provisional) {
                    date = date.tomorrow()?;
                }
                date
            }
        };
        Ok(Due { time: end_of_day(last, zone)?, provisional_years: provisional.into_iter().collect() })
    }

    /// How a span is counted from a start day, and how much has to be counted.
    pub(super) fn grid(&self, span: &Span, first: Date) -> Result<(Grid, i128), CalendarError> {
        let nanos = || i128::from(seconds(span)) * 1_000_000_000;
        Ok(match (span.unit().family(), span.calendar()) {
            (Family::Clock, CalendarId::Hours(name)) => (Grid::Hours(self.hours(name)?.clone()), nanos()),
            (Family::Clock, CalendarId::AroundTheClock | CalendarId::Working | CalendarId::Civil) => (Grid::Continuous, nanos()),
            (Family::WorkingDays, _) => (Grid::WorkingDays, i128::from(span.value()) * DAY),
            (Family::CivilDays, _) => {
                let days = corresponding(first, span)?.duration_since(first).as_hours() / 24;
                (Grid::CivilDays, i128::from(days) * DAY)
            }
        })
    }
}

fn seconds(span: &Span) -> i64 {
    i64::from(span.value()) * i64::from(span.unit().parts())
}

/// The last day of a limit in civil days, before any roll (XC-23).
fn corresponding(first: Date, span: &Span) -> Result<Date, CalendarError> {
    let count = i64::from(span.value()) * i64::from(span.unit().parts());
    let distance = match span.unit() {
        Unit::Month | Unit::Quarter | Unit::HalfYear | Unit::Year => jiff::Span::new().try_months(count)?,
        Unit::Second | Unit::Minute | Unit::Hour | Unit::WorkingDay | Unit::Day | Unit::Week => jiff::Span::new().try_days(count)?,
    };
    Ok(first.checked_add(distance)?)
}

/// 24:00 of a date: the first instant of the next.
pub(super) fn end_of_day(date: Date, zone: &TimeZone) -> Result<Timestamp, CalendarError> {
    Ok(zone.to_timestamp(date.tomorrow()?.at(0, 0, 0, 0))?)
}
