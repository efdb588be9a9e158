//! The set of loaded holiday years, and what it knows of a date.
//!
//! A year is either announced or not, and the second is a state, not an error and never a guess: the weekend rule is
//! used and everything computed with it is marked provisional, with the year named (XC-20). December of a year can still
//! be changed by the notice of the next, so both files are asked; that notice is out before the days in question.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::region::RegionKey;
use super::year::{HolidayDay, HolidayYear, is_weekend};

/// Loaded years: national ones, and regional additions that win day by day.
#[derive(Clone, Debug, Default)]
pub struct CalendarYears {
    national: BTreeMap<i16, Arc<HolidayYear>>,
    regional: BTreeMap<(RegionKey, i16), Arc<HolidayYear>>,
}

/// Whether the State Council's notice for a year is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum YearState {
    /// The official year.
    Announced(Arc<HolidayYear>),
    /// Weekends only, provisional.
    NotAnnounced,
}

/// What a date is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind<'a> {
    /// An ordinary working day.
    Working,
    /// A weekend day worked to make up for a holiday.
    MakeUp {
        /// The holiday it makes up for.
        name: &'a str,
    },
    /// An ordinary Saturday or Sunday.
    Weekend,
    /// A public holiday, also when it falls on a weekend.
    Holiday {
        /// Its name.
        name: &'a str,
    },
}

/// A date as the calendar knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day<'a> {
    /// The date.
    pub date: Date,
    /// What it is.
    pub kind: DayKind<'a>,
    /// Whether its year is announced; if not, `kind` is only the weekend rule.
    pub announced: bool,
}

impl Day<'_> {
    /// Whether the day is worked.
    pub const fn is_working(&self) -> bool {
        match self.kind {
            DayKind::Working | DayKind::MakeUp { .. } => true,
            DayKind::Weekend | DayKind::Holiday { .. } => false,
        }
    }

    /// Why the day is a rest day: the name of the holiday or `周末`; `None` for a working day.
    pub const fn rest_name(&self) -> Option<&str> {
        match self.kind {
            DayKind::Working | DayKind::MakeUp { .. } => None,
            DayKind::Weekend => Some("周末"),
            DayKind::Holiday { name } => Some(name),
        }
    }
}

impl CalendarYears {
    /// No year at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a year, or replaces the one of the same region and year. Returns the one replaced.
    pub fn load(&mut self, year: HolidayYear) -> Option<Arc<HolidayYear>> {
        let year = Arc::new(year);
        match year.region().cloned() {
            None => self.national.insert(year.year(), year),
            Some(region) => self.regional.insert((region, year.year()), year),
        }
    }

    /// The state of a year on the national calendar. A regional file alone does not make a year announced.
    pub fn state(&self, year: i16) -> YearState {
        self.national.get(&year).map_or(YearState::NotAnnounced, |year| YearState::Announced(Arc::clone(year)))
    }

    /// Announced years, in order.
    pub fn announced(&self) -> impl Iterator<Item = i16> + '_ {
        self.national.keys().copied()
    }

    /// What a date is for a region, or nationally.
    pub fn day(&self, date: Date, region: Option<&RegionKey>) -> Day<'_> {
        let kind = match self.rule(date, region) {
            Some(rule) if rule.is_off_day => DayKind::Holiday { name: &rule.name },
            Some(rule) if is_weekend(date) => DayKind::MakeUp { name: &rule.name },
            None if is_weekend(date) => DayKind::Weekend,
            Some(_) | None => DayKind::Working,
        };
        Day { date, kind, announced: self.national.contains_key(&date.year()) }
    }

    fn rule(&self, date: Date, region: Option<&RegionKey>) -> Option<&HolidayDay> {
        let next = (date.month() == 12).then(|| date.year().saturating_add(1));
        let files = || next.into_iter().chain([date.year()]);
        let regional = region
            .filter(|_| !self.regional.is_empty())
            .and_then(|region| files().find_map(|year| self.regional.get(&(region.clone(), year))?.day(date)));
        regional.or_else(|| files().find_map(|year| self.national.get(&year)?.day(date)))
    }
}
