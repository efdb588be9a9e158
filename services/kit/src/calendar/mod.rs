//! Business time (mechanism M1): what "in 15 minutes", "in three working days", "after three months" mean as instants.
//!
//! Everything here is a pure function of its arguments: no clock, no database, no configuration. Data comes in as a
//! [`Calendars`] snapshot; the zone of the estate is an argument (XC-25); results are instants.
//!
//! The pieces, from the ground up:
//!
//! * [`Span`]: a limit with its unit and calendar, `3wd`, `4h@business` (P-5, XC-22).
//! * [`HolidayYear`], [`CalendarYears`]: published holidays and make-up days. A year not announced is a state, and what is
//!   computed with it is provisional; make-up days are never guessed (XC-20).
//! * [`WorkingHours`]: named weekly windows, night shifts included. [`DailyWindow`]: quiet hours (NT-28, WO-69).
//! * [`Calendars::due`]: the end of a limit (XC-21, XC-23, WO-72).
//! * [`Timeline`]: a clock with pauses, its intervals and percentages (WO-43, WO-44).
//! * [`LunarDate`], [`LunarBirthday`], [`Festival`]: lunar dates (XC-24).
//!
//! `services/kit/docs/calendar.md` explains the rules to operators and app teams.

mod calendars;
mod day_time;
mod due;
mod error;
mod factor;
mod festival;
mod grid;
mod hours;
mod lunar;
mod pause;
mod quiet;
mod region;
mod span;
mod timeline;
mod unit;
mod year;
mod years;

#[cfg(test)]
mod tests;

pub use calendars::Calendars;
pub use day_time::{DayTime, DayTimeError};
pub use due::{Due, DueRules};
pub use error::CalendarError;
pub use factor::{Factor, FactorError};
pub use festival::Festival;
pub use hours::{HoursError, HoursWindow, OpenDays, WorkingHours};
pub use lunar::{LUNAR_YEARS, LunarBirthday, LunarDate, LunarError};
pub use pause::Pause;
pub use quiet::{DailyWindow, DailyWindowError};
pub use region::{RegionKey, RegionKeyError};
pub use span::{Span, SpanError, UnitCalendars};
pub use timeline::{Amount, DueTime, Interval, IntervalKind, Timeline};
pub use unit::{CalendarId, Family, Unit};
pub use year::{HolidayDay, HolidayYear, YearError};
pub use years::{CalendarYears, Day, DayKind, YearState};
