//! A time of day to the minute, up to and including 24:00.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::error::CalendarError;

/// Minutes since local midnight, 0 to 1440. Text `09:00`, `24:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DayTime(u16);

/// The text is not a time of day.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not a time of day; write 00:00 to 24:00")]
pub struct DayTimeError(String);

impl DayTime {
    /// 24:00, the end of the day.
    pub const MIDNIGHT_NEXT: Self = Self(1440);

    /// The time of day so many minutes after midnight; `None` after 24:00.
    pub fn of_minutes(minutes: u16) -> Option<Self> {
        (minutes <= 1440).then_some(Self(minutes))
    }

    /// Minutes since midnight.
    pub const fn minutes(self) -> u16 {
        self.0
    }

    /// The instant of this time on a local date. A time skipped by a clock change is moved forward by the change; a
    /// repeated one is its first occurrence.
    pub fn on(self, date: Date, zone: &TimeZone) -> Result<Timestamp, CalendarError> {
        Ok(zone.to_timestamp(self.local(date)?)?)
    }

    /// The local date and time; 24:00 is 00:00 of the next date.
    pub(super) fn local(self, date: Date) -> Result<DateTime, CalendarError> {
        let (date, minutes) = if self.0 == 1440 { (date.tomorrow()?, 0) } else { (date, self.0) };
        // Both quotients are below 24 and 60, so the casts keep the value.
        Ok(date.at((minutes / 60) as i8, (minutes % 60) as i8, 0, 0))
    }
}

impl FromStr for DayTime {
    type Err = DayTimeError;

    fn from_str(text: &str) -> Result<Self, DayTimeError> {
        let part = |range: std::ops::Range<usize>| {
            text.get(range).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?.parse::<u16>().ok()
        };
        match (text.len(), part(0..2), text.get(2..3), part(3..5)) {
            (5, Some(hour), Some(":"), Some(minute)) if minute < 60 && hour * 60 + minute <= 1440 => Ok(Self(hour * 60 + minute)),
            _ => Err(DayTimeError(text.to_owned())),
        }
    }
}

impl fmt::Display for DayTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl TryFrom<String> for DayTime {
    type Error = DayTimeError;

    fn try_from(text: String) -> Result<Self, DayTimeError> {
        text.parse()
    }
}

impl From<DayTime> for String {
    fn from(time: DayTime) -> Self {
        time.to_string()
    }
}
