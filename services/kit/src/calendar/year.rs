//! One published holiday year: the days a State Council notice names, and nothing else (XC-20).
//!
//! The file has the shape of the public holiday-cn data set (`year`, `papers`, `days[{name, date, isOffDay}]`), with two
//! optional fields of ours: `notice` (the document number) and `region`, which makes it a regional addition. A year is
//! named after its notice, so it may hold days of the December before it. A file that could silently give wrong
//! deadlines is refused as a whole, with the place of the fault.

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::lunar::LunarDate;
use super::region::RegionKey;

/// A validated holiday year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HolidayYear {
    year: i16,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<RegionKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
    papers: Vec<String>,
    days: Vec<HolidayDay>,
}

/// One day that differs from the plain week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolidayDay {
    /// Name of the holiday, also for its make-up days.
    pub name: String,
    /// The day.
    pub date: Date,
    /// Off, or a make-up working day.
    #[serde(rename = "isOffDay")]
    pub is_off_day: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "$schema", default)]
    _schema: Option<String>,
    #[serde(rename = "$id", default)]
    _id: Option<String>,
    year: i16,
    #[serde(default)]
    region: Option<RegionKey>,
    #[serde(default)]
    notice: Option<String>,
    papers: Vec<String>,
    days: Vec<HolidayDay>,
}

/// Why a holiday year is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum YearError {
    /// Not JSON, or not of the expected shape.
    #[error("not a holiday year: {0}")]
    Malformed(String),
    /// A year no notice can be about.
    #[error("year: {0} is not between 1949 and 2200")]
    YearOutOfRange(i16),
    /// Nothing to check the data against.
    #[error("papers: name the address of at least one official notice")]
    NoPapers,
    /// A paper is not an address.
    #[error("papers[{index}]: `{text}` is not a web address")]
    PaperNotAnAddress {
        /// Position in `papers`.
        index: usize,
        /// The text found.
        text: String,
    },
    /// The public data set has files without days for years not yet announced: loading one would hide that.
    #[error("days: empty; a year that is not announced yet must not be loaded")]
    NotYetAnnounced,
    /// A day without a name.
    #[error("days[{index}]: {date} has no name")]
    NameMissing {
        /// Position in `days`.
        index: usize,
        /// The day.
        date: Date,
    },
    /// A date of another year.
    #[error("days[{index}]: {date} is neither in {year} nor in the December before it")]
    WrongYear {
        /// Position in `days`.
        index: usize,
        /// The day.
        date: Date,
        /// The year of the file.
        year: i16,
    },
    /// A date given more than once.
    #[error("days[{index}]: {date} is given twice")]
    Duplicate {
        /// Position of the second.
        index: usize,
        /// The day.
        date: Date,
    },
    /// Monday to Friday needs no make-up mark; one there is a slip of the date.
    #[error("days[{index}]: {date} is a {weekday:?} and cannot be a make-up working day")]
    MakeUpOnWeekday {
        /// Position in `days`.
        index: usize,
        /// The day.
        date: Date,
        /// Its weekday.
        weekday: Weekday,
    },
    /// A day that is a holiday by law every year is absent: the file is cut off or of another country.
    #[error("days: {date} ({name}) is a holiday by law and is not marked as off")]
    StatutoryDayMissing {
        /// The day.
        date: Date,
        /// The holiday.
        name: &'static str,
    },
}

impl HolidayYear {
    /// Reads and validates a file. The first fault is reported.
    pub fn parse(json: &str) -> Result<Self, YearError> {
        let file: File = serde_json::from_str(json).map_err(|e| YearError::Malformed(e.to_string()))?;
        check_head(&file)?;
        check_days(&file)?;
        let File { year, region, notice, papers, mut days, .. } = file;
        days.sort_by_key(|day| day.date);
        let read = Self { year, region, notice, papers, days };
        if read.region.is_none() {
            read.check_statutory()?;
        }
        Ok(read)
    }

    /// The file again, days in order.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self)
    }

    /// The year of the notice.
    pub const fn year(&self) -> i16 {
        self.year
    }

    /// The region it adds to; none for the national calendar.
    pub const fn region(&self) -> Option<&RegionKey> {
        self.region.as_ref()
    }

    /// Document number of the notice.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// Addresses of the official notices.
    pub fn papers(&self) -> &[String] {
        &self.papers
    }

    /// The days, in order.
    pub fn days(&self) -> &[HolidayDay] {
        &self.days
    }

    /// What the file says of a date, if anything.
    pub fn day(&self, date: Date) -> Option<&HolidayDay> {
        self.days.binary_search_by_key(&date, |day| day.date).ok().map(|index| &self.days[index])
    }

    /// Holidays fixed by the national regulation in every version since 2008.
    fn check_statutory(&self) -> Result<(), YearError> {
        if self.year < 2008 {
            return Ok(());
        }
        let solar = [(1, 1, "元旦"), (5, 1, "劳动节"), (10, 1, "国庆节"), (10, 2, "国庆节"), (10, 3, "国庆节")];
        let lunar = [(1, 1, "春节"), (1, 2, "春节"), (5, 5, "端午节"), (8, 15, "中秋节")];
        let solar = solar.into_iter().filter_map(|(m, d, name)| Some((Date::new(self.year, m, d).ok()?, name)));
        let lunar =
            lunar.into_iter().filter_map(|(month, day, name)| Some((LunarDate::new(self.year, month, false, day).ok()?.to_civil(), name)));
        for (date, name) in solar.chain(lunar) {
            // A notice need not name a holiday that falls on a weekend.
            let is_off = self.day(date).map_or(is_weekend(date), |day| day.is_off_day);
            if !is_off {
                return Err(YearError::StatutoryDayMissing { date, name });
            }
        }
        Ok(())
    }
}

fn check_head(file: &File) -> Result<(), YearError> {
    if !(1949..=2200).contains(&file.year) {
        return Err(YearError::YearOutOfRange(file.year));
    }
    if file.papers.is_empty() {
        return Err(YearError::NoPapers);
    }
    let is_address = |text: &str| text.starts_with("https://") || text.starts_with("http://");
    if let Some(index) = file.papers.iter().position(|text| !is_address(text)) {
        return Err(YearError::PaperNotAnAddress { index, text: file.papers[index].clone() });
    }
    if file.days.is_empty() {
        return Err(YearError::NotYetAnnounced);
    }
    Ok(())
}

fn check_days(file: &File) -> Result<(), YearError> {
    let mut seen = std::collections::BTreeSet::new();
    for (index, day) in file.days.iter().enumerate() {
        let date = day.date;
        if day.name.trim().is_empty() {
            return Err(YearError::NameMissing { index, date });
        }
        let in_december_before = date.year() == file.year - 1 && date.month() == 12;
        if date.year() != file.year && !in_december_before {
            return Err(YearError::WrongYear { index, date, year: file.year });
        }
        if !seen.insert(date) {
            return Err(YearError::Duplicate { index, date });
        }
        // A region may put a national holiday back to work, so there the mark is meaningful.
        if file.region.is_none() && !day.is_off_day && !is_weekend(date) {
            return Err(YearError::MakeUpOnWeekday { index, date, weekday: date.weekday() });
        }
    }
    Ok(())
}

/// Saturday or Sunday.
pub(super) fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}
