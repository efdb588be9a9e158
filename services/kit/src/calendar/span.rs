//! A limit: a number, its unit and its calendar (P-5: no bare numbers, no unknown units, no limit without a calendar).
//!
//! Compact text: `15min`, `24h`, `3wd`, `7d`, `2w`, `3mo`, `1q`, `1hy`, `1y`, and with the calendar written out
//! `15min@24x7`, `4h@business`. [`FromStr`] lets the unit imply the calendar (XC-22). A loader that wants each document
//! to say so itself uses [`Span::parse_with`] with what the document declares in its `calendars` block.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::factor::Factor;
use super::unit::{CalendarId, Family, Unit};

/// A limit such as `3wd` or `4h@business`. Never zero, at most about a hundred years.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    value: u32,
    unit: Unit,
    calendar: CalendarId,
}

/// Why a span is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpanError {
    /// No digits in front.
    #[error("`{text}` does not start with a number; write for example `15min`")]
    Number {
        /// The text as given.
        text: String,
    },
    /// A bare number.
    #[error("`{text}` has no unit; write one of s, min, h, wd, d, w, mo, q, hy, y behind the number")]
    UnitMissing {
        /// The text as given.
        text: String,
    },
    /// A unit that does not exist, or is ambiguous such as `m`.
    #[error("`{unit}` in `{text}` is not a unit; units are s, min, h, wd, d, w, mo, q, hy, y")]
    UnknownUnit {
        /// The text as given.
        text: String,
        /// The part read as the unit.
        unit: String,
    },
    /// Neither the text nor its document names a calendar (P-5).
    #[error("`{text}` has no calendar; write `{text}@24x7` or `{text}@<hours>`, or declare one for its unit")]
    CalendarMissing {
        /// The text as given.
        text: String,
    },
    /// The text behind `@` is not a calendar name.
    #[error("`{name}` is not a calendar; use 24x7, working, civil or the name of a working-hours calendar")]
    CalendarName {
        /// The name as given.
        name: String,
    },
    /// The unit is not counted on that calendar.
    #[error("{unit} is not counted on calendar {calendar}")]
    CalendarUnsuited {
        /// The unit.
        unit: Unit,
        /// The calendar it does not go with.
        calendar: CalendarId,
    },
    /// A zero span: "no limit" is said by leaving the limit out.
    #[error("a span of zero is not a limit")]
    Zero,
    /// Longer than about a hundred years.
    #[error("{value}{unit} is longer than the {max}{unit} a span may have")]
    TooLong {
        /// The value as given.
        value: u64,
        /// The unit.
        unit: Unit,
        /// The longest value of that unit.
        max: u32,
    },
}

/// The calendars that a document declares for spans that name none. `None` means that such a span is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitCalendars {
    /// For seconds, minutes and hours.
    pub clock: Option<CalendarId>,
    /// For working days.
    pub working_days: Option<CalendarId>,
    /// For days and longer units.
    pub civil_days: Option<CalendarId>,
}

impl UnitCalendars {
    fn of(&self, unit: Unit) -> Option<CalendarId> {
        match unit.family() {
            Family::Clock => self.clock.clone(),
            Family::WorkingDays => self.working_days.clone(),
            Family::CivilDays => self.civil_days.clone(),
        }
    }
}

impl Span {
    /// Makes a span. Fails if it is zero, too long, or the unit is not counted on that calendar.
    pub fn new(value: u32, unit: Unit, calendar: CalendarId) -> Result<Self, SpanError> {
        if value == 0 {
            return Err(SpanError::Zero);
        }
        if value > unit.max() {
            return Err(SpanError::TooLong { value: value.into(), unit, max: unit.max() });
        }
        if !calendar.suits(unit) {
            return Err(SpanError::CalendarUnsuited { unit, calendar });
        }
        Ok(Self { value, unit, calendar })
    }

    /// How many units.
    pub const fn value(&self) -> u32 {
        self.value
    }

    /// The unit.
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// The calendar it is counted on.
    pub const fn calendar(&self) -> &CalendarId {
        &self.calendar
    }

    /// Reads compact text; a span that names no calendar gets the one declared for its unit (P-5).
    pub fn parse_with(text: &str, declared: &UnitCalendars) -> Result<Self, SpanError> {
        Self::read(text, |unit| declared.of(unit))
    }

    /// The limit under an extreme-weather mode (WO-71): `30min` by 3/2 is `45min`.
    ///
    /// Clock units are exact to the second (a rest is rounded up); working days, days and months are rounded up to
    /// whole ones, because their deadline is always the end of a day.
    pub fn extended_by(&self, factor: Factor) -> Result<Self, SpanError> {
        if let Some(value) = factor.exact(self.value.into()) {
            return Self::of_wide(value, self.unit, self.calendar.clone());
        }
        let smallest = match self.unit {
            Unit::Second | Unit::Minute | Unit::Hour => Unit::Second,
            Unit::WorkingDay => Unit::WorkingDay,
            Unit::Day | Unit::Week => Unit::Day,
            Unit::Month | Unit::Quarter | Unit::HalfYear | Unit::Year => Unit::Month,
        };
        let value = factor.rounded_up(u64::from(self.value) * u64::from(self.unit.parts()));
        Self::of_wide(value, smallest, self.calendar.clone())
    }

    fn of_wide(value: u64, unit: Unit, calendar: CalendarId) -> Result<Self, SpanError> {
        let narrow = u32::try_from(value).map_err(|_| SpanError::TooLong { value, unit, max: unit.max() })?;
        Self::new(narrow, unit, calendar)
    }

    fn read(text: &str, implied: impl Fn(Unit) -> Option<CalendarId>) -> Result<Self, SpanError> {
        let given = || text.to_owned();
        let (amount, calendar) = match text.split_once('@') {
            Some((amount, calendar)) => (amount, Some(calendar.parse::<CalendarId>()?)),
            None => (text, None),
        };
        let digits = amount.len() - amount.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, symbol) = amount.split_at(digits);
        if number.is_empty() {
            return Err(SpanError::Number { text: given() });
        }
        if symbol.is_empty() {
            return Err(SpanError::UnitMissing { text: given() });
        }
        let unit = Unit::from_symbol(symbol).ok_or_else(|| SpanError::UnknownUnit { text: given(), unit: symbol.to_owned() })?;
        let calendar = calendar.or_else(|| implied(unit)).ok_or_else(|| SpanError::CalendarMissing { text: given() })?;
        Self::of_wide(number.parse().unwrap_or(u64::MAX), unit, calendar)
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        Self::read(text, |unit| Some(CalendarId::implied_by(unit)))
    }
}

/// Shortest text that reads back as the same span; `{:#}` always writes the calendar.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.value, self.unit)?;
        if f.alternate() || self.calendar != CalendarId::implied_by(self.unit) {
            write!(f, "@{}", self.calendar)?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Span {
    type Error = SpanError;

    fn try_from(text: String) -> Result<Self, SpanError> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}
