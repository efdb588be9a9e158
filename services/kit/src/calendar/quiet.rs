//! A window of local time that recurs every day and may cross midnight, such as the quiet hours `21:00-09:00` (NT-28)
//! or the renovation ban `12:00-14:00` (WO-69).
//!
//! The window holds its first minute and not its last: at 09:00 sharp `21:00-09:00` is over. Whether rest days are
//! quiet as a whole is asked of [`Calendars::day`](super::Calendars::day).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::day_time::{DayTime, DayTimeError};
use super::error::CalendarError;

/// A daily window of local time; `to` before `from` means the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DailyWindow {
    from: DayTime,
    to: DayTime,
}

/// Why a window is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DailyWindowError {
    /// Not `HH:MM-HH:MM`.
    #[error("`{0}` is not a daily window; write for example 21:00-09:00")]
    Malformed(String),
    /// A bound is not a time of day.
    #[error(transparent)]
    Bound(#[from] DayTimeError),
    /// Both bounds are equal: nothing or everything, nobody can tell.
    #[error("a window from {0} to {0} is either empty or the whole day; write 00:00-24:00 for the whole day")]
    Ambiguous(DayTime),
    /// 24:00 is an end only.
    #[error("a window cannot begin at 24:00; write 00:00")]
    BeginsAtEnd,
}

impl DailyWindow {
    /// Makes a window.
    pub fn new(from: DayTime, to: DayTime) -> Result<Self, DailyWindowError> {
        if from == DayTime::MIDNIGHT_NEXT {
            return Err(DailyWindowError::BeginsAtEnd);
        }
        if from == to {
            return Err(DailyWindowError::Ambiguous(from));
        }
        Ok(Self { from, to })
    }

    /// First minute inside.
    pub const fn from(&self) -> DayTime {
        self.from
    }

    /// First minute outside again.
    pub const fn to(&self) -> DayTime {
        self.to
    }

    /// Whether the window runs into the next day.
    pub fn crosses_midnight(&self) -> bool {
        self.to < self.from
    }

    /// Whether a local time of day lies inside.
    pub fn contains(&self, local: Time) -> bool {
        let minute = minute_of_day(local);
        let (from, to) = (self.from.minutes(), self.to.minutes());
        if self.crosses_midnight() { minute >= from || minute < to } else { minute >= from && minute < to }
    }

    /// Whether an instant lies inside, by the clock of the zone.
    pub fn contains_instant(&self, at: Timestamp, zone: &TimeZone) -> bool {
        self.contains(zone.to_datetime(at).time())
    }

    /// The first instant at or after `at` that lies outside the window: when a deferred message may go (NT-28).
    /// `None` for a window of the whole day.
    pub fn next_open(&self, at: Timestamp, zone: &TimeZone) -> Result<Option<Timestamp>, CalendarError> {
        if self.from.minutes() == 0 && self.to == DayTime::MIDNIGHT_NEXT {
            return Ok(None);
        }
        let local = zone.to_datetime(at);
        if !self.contains(local.time()) {
            return Ok(Some(at));
        }
        let date = if minute_of_day(local.time()) < self.to.minutes() { local.date() } else { local.date().tomorrow()? };
        let end = self.to.on(date, zone)?;
        if end > at {
            return Ok(Some(end));
        }
        // The clock went back over the end of the window, and `at` is in the second pass.
        Ok(Some(zone.to_ambiguous_timestamp(self.to.local(date)?).later()?))
    }
}

fn minute_of_day(time: Time) -> u16 {
    // A civil time has 0..24 hours and 0..60 minutes, so neither cast loses anything.
    time.hour() as u16 * 60 + time.minute() as u16
}

impl FromStr for DailyWindow {
    type Err = DailyWindowError;

    fn from_str(text: &str) -> Result<Self, DailyWindowError> {
        let (from, to) = text.split_once('-').ok_or_else(|| DailyWindowError::Malformed(text.to_owned()))?;
        Self::new(from.parse()?, to.parse()?)
    }
}

impl fmt::Display for DailyWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

impl TryFrom<String> for DailyWindow {
    type Error = DailyWindowError;

    fn try_from(text: String) -> Result<Self, DailyWindowError> {
        text.parse()
    }
}

impl From<DailyWindow> for String {
    fn from(window: DailyWindow) -> Self {
        window.to_string()
    }
}
