//! Lunar dates and lunar birthdays (XC-24), by the rules of GB/T 33661-2017 as computed by `icu_calendar`.
//!
//! Kept to the lunar years 1901 to 2100, where the tables of independent sources agree (but for single months after
//! 2056). Two rules for birthdays, decided here once:
//!
//! * one in a leap month is kept in that leap month when the year has it, and otherwise in the ordinary month;
//! * one on day 30 is kept on the 29th when the month has 29 days.

use icu_calendar::cal::ChineseTraditional;
use icu_calendar::types::Month;
use icu_calendar::{Date as IcuDate, Iso};
use jiff::civil::Date;
use thiserror::Error;

/// First and last lunar year, named by the civil year in which they begin.
pub const LUNAR_YEARS: std::ops::RangeInclusive<i16> = 1901..=2100;

/// A lunar date that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LunarDate {
    year: i16,
    month: u8,
    is_leap_month: bool,
    day: u8,
}

/// Why a lunar date is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LunarError {
    /// Outside 1901 to 2100.
    #[error("lunar year {0} is outside 1901 to 2100")]
    YearOutOfRange(i16),
    /// The year has no such month, or the month no such day.
    #[error("lunar year {year} has no month {month}{} day {day}", if *.is_leap_month { " (leap)" } else { "" })]
    NoSuchDay {
        /// Lunar year.
        year: i16,
        /// Month.
        month: u8,
        /// Whether the leap month was meant.
        is_leap_month: bool,
        /// Day.
        day: u8,
    },
    /// Months are 1 to 12 and days 1 to 30.
    #[error("no lunar year has a month {month} with a day {day}")]
    NoSuchBirthday {
        /// Month.
        month: u8,
        /// Day.
        day: u8,
    },
}

impl LunarDate {
    /// Makes a lunar date; `year` is the civil year in which the lunar year begins.
    pub fn new(year: i16, month: u8, is_leap_month: bool, day: u8) -> Result<Self, LunarError> {
        let date = Self { year, month, is_leap_month, day };
        date.icu().map(|_| date)
    }

    /// The lunar date of a civil date.
    pub fn from_civil(date: Date) -> Result<Self, LunarError> {
        let out_of_range = || LunarError::YearOutOfRange(date.year());
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        let iso = IcuDate::try_new_iso(date.year().into(), month, day).map_err(|_| out_of_range())?;
        let lunar = iso.to_calendar(ChineseTraditional::new());
        let year = i16::try_from(lunar.year().extended_year()).map_err(|_| out_of_range())?;
        if !LUNAR_YEARS.contains(&year) {
            return Err(LunarError::YearOutOfRange(year));
        }
        let month = lunar.month();
        Ok(Self { year, month: month.number(), is_leap_month: month.to_input().is_leap(), day: lunar.day_of_month().0 })
    }

    /// The civil date.
    pub fn to_civil(self) -> Date {
        // Both steps hold for every value `new` and `from_civil` let through: the years end in 2101.
        self.icu().ok().and_then(civil).unwrap_or(Date::MAX)
    }

    /// The civil year in which the lunar year begins.
    pub const fn year(self) -> i16 {
        self.year
    }

    /// Month, 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// Whether it is the leap month of that number.
    pub const fn is_leap_month(self) -> bool {
        self.is_leap_month
    }

    /// Day, 1 to 30.
    pub const fn day(self) -> u8 {
        self.day
    }

    fn icu(self) -> Result<IcuDate<ChineseTraditional>, LunarError> {
        let Self { year, month, is_leap_month, day } = self;
        if !LUNAR_YEARS.contains(&year) {
            return Err(LunarError::YearOutOfRange(year));
        }
        let refused = LunarError::NoSuchDay { year, month, is_leap_month, day };
        if !(1..=12).contains(&month) {
            return Err(refused);
        }
        let input = if is_leap_month { Month::leap(month) } else { Month::new(month) };
        IcuDate::try_new(i32::from(year).into(), input, day, ChineseTraditional::new()).map_err(|_| refused)
    }
}

fn civil(date: IcuDate<ChineseTraditional>) -> Option<Date> {
    let iso = date.to_calendar(Iso);
    let year = i16::try_from(iso.year().extended_year()).ok()?;
    Date::new(year, i8::try_from(iso.month().ordinal).ok()?, i8::try_from(iso.day_of_month().0).ok()?).ok()
}

/// A birthday kept by the lunar calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LunarBirthday {
    month: u8,
    is_leap_month: bool,
    day: u8,
}

impl LunarBirthday {
    /// Makes a birthday: month 1 to 12, day 1 to 30.
    pub fn new(month: u8, is_leap_month: bool, day: u8) -> Result<Self, LunarError> {
        if !(1..=12).contains(&month) || !(1..=30).contains(&day) {
            return Err(LunarError::NoSuchBirthday { month, day });
        }
        Ok(Self { month, is_leap_month, day })
    }

    /// The lunar birthday of somebody born on a civil date.
    pub fn of_birth(date: Date) -> Result<Self, LunarError> {
        let LunarDate { month, is_leap_month, day, .. } = LunarDate::from_civil(date)?;
        Ok(Self { month, is_leap_month, day })
    }

    /// The civil date on which it is kept in a lunar year.
    pub fn in_lunar_year(self, year: i16) -> Result<Date, LunarError> {
        // The month asked for wins over the day: a short leap month keeps a 30th on its 29th.
        let attempts = [(self.is_leap_month, self.day), (self.is_leap_month, 29), (false, self.day), (false, 29)];
        let mut refused = LunarError::YearOutOfRange(year);
        for (is_leap_month, day) in attempts {
            match LunarDate::new(year, self.month, is_leap_month, day.min(self.day)) {
                Ok(date) => return Ok(date.to_civil()),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// The next civil date on which it is kept, today included.
    pub fn next_on_or_after(self, today: Date) -> Result<Date, LunarError> {
        // The lunar year that contains a civil day began in its civil year or in the one before.
        let mut year = today.year() - 1;
        loop {
            match self.in_lunar_year(year) {
                Ok(date) if date >= today => return Ok(date),
                Err(error) if year > today.year() || !LUNAR_YEARS.contains(&(year + 1)) => return Err(error),
                Ok(_) | Err(_) => year += 1,
            }
        }
    }
}
