//! Named working-hours calendars: weekly windows of local time in which a minute or an hour counts.
//!
//! A window says on which days it opens and may cross midnight; it then belongs to the day on which it opens, so the
//! night shift of the last working day before a holiday runs to its end. Windows may overlap: a minute counts once.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::calendars::Calendars;
use super::error::CalendarError;
use super::quiet::DailyWindow;
use super::unit::is_name;

/// A named set of windows, such as `business`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "HoursFile", into = "HoursFile")]
pub struct WorkingHours {
    name: String,
    windows: Vec<HoursWindow>,
}

/// One window and the days on which it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoursWindow {
    /// Days on which it opens.
    pub days: OpenDays,
    /// `HH:MM-HH:MM`, may cross midnight.
    pub hours: DailyWindow,
}

/// On which days a window opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenDays {
    /// Official working days, make-up days included.
    Working,
    /// Weekends and holidays.
    Rest,
    /// Every day.
    Every,
    /// These weekdays, whatever the official calendar says: 1 is Monday, 7 is Sunday.
    Weekdays(BTreeSet<u8>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HoursFile {
    name: String,
    windows: Vec<HoursWindow>,
}

/// Why a working-hours calendar is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HoursError {
    /// The name is reserved or not a name.
    #[error("`{0}` cannot name a working-hours calendar; use a-z, 0-9 and _, and not working or civil")]
    Name(String),
    /// A calendar that never opens would never let a deadline come.
    #[error("`{0}` has no windows")]
    NoWindows(String),
    /// Weekdays are 1 to 7, at least one.
    #[error("windows[{index}]: weekdays must be numbers from 1 (Monday) to 7 (Sunday), at least one")]
    Weekdays {
        /// Position in `windows`.
        index: usize,
    },
}

impl WorkingHours {
    /// Makes a calendar.
    pub fn new(name: &str, windows: Vec<HoursWindow>) -> Result<Self, HoursError> {
        if !is_name(name) || matches!(name, "working" | "civil") {
            return Err(HoursError::Name(name.to_owned()));
        }
        if windows.is_empty() {
            return Err(HoursError::NoWindows(name.to_owned()));
        }
        for (index, window) in windows.iter().enumerate() {
            if let OpenDays::Weekdays(days) = &window.days
                && (days.is_empty() || days.iter().any(|day| !(1..=7).contains(day)))
            {
                return Err(HoursError::Weekdays { index });
            }
        }
        Ok(Self { name: name.to_owned(), windows })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The windows.
    pub fn windows(&self) -> &[HoursWindow] {
        &self.windows
    }

    /// Whether any window depends on the official calendar.
    pub(super) fn follows_official_days(&self) -> bool {
        self.windows.iter().any(|window| match window.days {
            OpenDays::Working | OpenDays::Rest => true,
            OpenDays::Every | OpenDays::Weekdays(_) => false,
        })
    }

    /// The windows that open on a date, by opening time; years consulted and not announced are added to `provisional`.
    /// With `crossing_only`, windows that end on the same date are left out.
    pub(super) fn opening_on(
        &self,
        date: Date,
        crossing_only: bool,
        calendars: &Calendars,
        zone: &TimeZone,
        provisional: &mut BTreeSet<i16>,
    ) -> Result<Vec<(Timestamp, Timestamp)>, CalendarError> {
        let mut open = Vec::with_capacity(self.windows.len());
        for window in &self.windows {
            let HoursWindow { days, hours } = window;
            if crossing_only && !hours.crosses_midnight() {
                continue;
            }
            let opens = match days {
                OpenDays::Working => calendars.consult(date, provisional),
                OpenDays::Rest => !calendars.consult(date, provisional),
                OpenDays::Every => true,
                OpenDays::Weekdays(days) => days.contains(&number(date.weekday())),
            };
            if opens {
                let last = if hours.crosses_midnight() { date.tomorrow()? } else { date };
                open.push((hours.from().on(date, zone)?, hours.to().on(last, zone)?));
            }
        }
        open.sort_unstable();
        Ok(open)
    }
}

fn number(weekday: Weekday) -> u8 {
    weekday.to_monday_one_offset().unsigned_abs()
}

impl TryFrom<HoursFile> for WorkingHours {
    type Error = HoursError;

    fn try_from(file: HoursFile) -> Result<Self, HoursError> {
        Self::new(&file.name, file.windows)
    }
}

impl From<WorkingHours> for HoursFile {
    fn from(hours: WorkingHours) -> Self {
        Self { name: hours.name, windows: hours.windows }
    }
}
