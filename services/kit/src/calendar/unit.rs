//! Units of a limit, and the calendars a limit can be counted on.
//!
//! A unit belongs to one family, and a family says which calendars make sense: clock units run around the clock or
//! inside named working hours (XC-22), working days run on the official calendar (XC-20), all others on civil days
//! (XC-23). Anything else, such as `3wd@24x7`, is refused when the span is made.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::span::SpanError;

/// Unit of a [`Span`](super::Span).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// `s`
    Second,
    /// `min`
    Minute,
    /// `h`
    Hour,
    /// `wd`: working day of the official calendar (XC-20)
    WorkingDay,
    /// `d`: civil day
    Day,
    /// `w`: seven civil days
    Week,
    /// `mo`: to the corresponding day, or the month end (XC-23)
    Month,
    /// `q`: three months
    Quarter,
    /// `hy`: six months
    HalfYear,
    /// `y`: twelve months
    Year,
}

/// What a unit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Elapsed time from the instant of the start.
    Clock,
    /// Working days after the start day.
    WorkingDays,
    /// Civil days after the start day.
    CivilDays,
}

impl Unit {
    /// Every unit, shortest first.
    pub const ALL: [Self; 10] = [
        Self::Second,
        Self::Minute,
        Self::Hour,
        Self::WorkingDay,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::HalfYear,
        Self::Year,
    ];

    /// The text of the unit in a compact span.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "h",
            Self::WorkingDay => "wd",
            Self::Day => "d",
            Self::Week => "w",
            Self::Month => "mo",
            Self::Quarter => "q",
            Self::HalfYear => "hy",
            Self::Year => "y",
        }
    }

    /// What the unit counts.
    pub const fn family(self) -> Family {
        match self {
            Self::Second | Self::Minute | Self::Hour => Family::Clock,
            Self::WorkingDay => Family::WorkingDays,
            Self::Day | Self::Week | Self::Month | Self::Quarter | Self::HalfYear | Self::Year => Family::CivilDays,
        }
    }

    /// How many of its smallest kin (second, working day, day or month) one unit is.
    pub(crate) const fn parts(self) -> u32 {
        match self {
            Self::Second | Self::WorkingDay | Self::Day | Self::Month => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Week => 7,
            Self::Quarter => 3,
            Self::HalfYear => 6,
            Self::Year => 12,
        }
    }

    /// The longest value accepted: about a hundred years, so that every computation is bounded.
    pub(super) const fn max(self) -> u32 {
        match self {
            Self::Second => 3_155_760_000,
            Self::Minute => 52_596_000,
            Self::Hour => 876_600,
            Self::WorkingDay => 25_000,
            Self::Day => 36_525,
            Self::Week => 5_217,
            Self::Month => 1_200,
            Self::Quarter => 400,
            Self::HalfYear => 200,
            Self::Year => 100,
        }
    }

    pub(super) fn from_symbol(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.symbol() == text)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

/// The calendar a limit is counted on (XC-22: explicit for each limit).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CalendarId {
    /// `24x7`: every second counts.
    AroundTheClock,
    /// `working`: official working days (XC-20).
    Working,
    /// `civil`: plain days.
    Civil,
    /// A named working-hours calendar, such as `business`.
    Hours(Arc<str>),
}

impl CalendarId {
    /// The text of the calendar.
    pub fn as_str(&self) -> &str {
        match self {
            Self::AroundTheClock => "24x7",
            Self::Working => "working",
            Self::Civil => "civil",
            Self::Hours(name) => name,
        }
    }

    /// The calendar a unit is counted on when the text names none: 24x7 for clock units (XC-22).
    pub const fn implied_by(unit: Unit) -> Self {
        match unit.family() {
            Family::Clock => Self::AroundTheClock,
            Family::WorkingDays => Self::Working,
            Family::CivilDays => Self::Civil,
        }
    }

    pub(super) fn suits(&self, unit: Unit) -> bool {
        match self {
            Self::AroundTheClock | Self::Hours(_) => unit.family() == Family::Clock,
            Self::Working => unit.family() == Family::WorkingDays,
            Self::Civil => unit.family() == Family::CivilDays,
        }
    }
}

impl FromStr for CalendarId {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        match text {
            "24x7" => Ok(Self::AroundTheClock),
            "working" => Ok(Self::Working),
            "civil" => Ok(Self::Civil),
            name if is_name(name) => Ok(Self::Hours(name.into())),
            other => Err(SpanError::CalendarName { name: other.to_owned() }),
        }
    }
}

/// Names of working-hours calendars: lower case, `a-z` first, then letters, digits and `_`, at most 40.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

impl fmt::Display for CalendarId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for CalendarId {
    type Error = SpanError;

    fn try_from(text: String) -> Result<Self, SpanError> {
        text.parse()
    }
}

impl From<CalendarId> for String {
    fn from(id: CalendarId) -> Self {
        id.as_str().to_owned()
    }
}
