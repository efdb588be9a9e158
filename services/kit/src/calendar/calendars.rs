//! The snapshot every deadline is computed with: loaded years and named working hours. Immutable and cheap to clone, so
//! that one computation sees one state of the world, and a newly loaded year is a new snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use jiff::civil::Date;

use super::error::CalendarError;
use super::hours::WorkingHours;
use super::region::RegionKey;
use super::year::HolidayYear;
use super::years::{CalendarYears, Day};

/// The national notices that ship with the product, one file a year (see `docs/calendar.md` on adding one).
const SHIPPED: [&str; 2] = [include_str!("../../data/holidays/2025.json"), include_str!("../../data/holidays/2026.json")];

/// An immutable snapshot of all calendars, seen from one region or nationally.
#[derive(Clone, Debug, Default)]
pub struct Calendars {
    years: Arc<CalendarYears>,
    hours: Arc<BTreeMap<String, Arc<WorkingHours>>>,
    region: Option<RegionKey>,
}

impl Calendars {
    /// The years that ship with the product, and no working hours: those are data of a plan.
    pub fn shipped() -> Self {
        static SNAPSHOT: LazyLock<Calendars> = LazyLock::new(|| {
            let mut years = CalendarYears::new();
            for file in SHIPPED {
                years.load(HolidayYear::parse(file).expect("shipped years are compiled in and read by a test"));
            }
            Calendars::new(years, [])
        });
        SNAPSHOT.clone()
    }

    /// A snapshot of these years and hours; of two hours with one name the later wins.
    pub fn new(years: CalendarYears, hours: impl IntoIterator<Item = WorkingHours>) -> Self {
        let hours = hours.into_iter().map(|hours| (hours.name().to_owned(), Arc::new(hours))).collect();
        Self { years: Arc::new(years), hours: Arc::new(hours), region: None }
    }

    /// A new snapshot with one more year, or with that year replaced.
    #[must_use]
    pub fn with_year(&self, year: HolidayYear) -> Self {
        let mut years = CalendarYears::clone(&self.years);
        years.load(year);
        Self { years: Arc::new(years), ..self.clone() }
    }

    /// A new snapshot with one more working-hours calendar, or with that one replaced.
    #[must_use]
    pub fn with_hours(&self, hours: WorkingHours) -> Self {
        let mut all = BTreeMap::clone(&self.hours);
        all.insert(hours.name().to_owned(), Arc::new(hours));
        Self { hours: Arc::new(all), ..self.clone() }
    }

    /// The same snapshot as a region sees it: its additions win over the national days.
    #[must_use]
    pub fn for_region(&self, region: Option<RegionKey>) -> Self {
        Self { region, ..self.clone() }
    }

    /// The loaded years.
    pub fn years(&self) -> &CalendarYears {
        &self.years
    }

    /// A working-hours calendar by name.
    pub fn hours(&self, name: &str) -> Result<&Arc<WorkingHours>, CalendarError> {
        self.hours.get(name).ok_or_else(|| CalendarError::UnknownHours { name: name.to_owned() })
    }

    /// What a date is.
    pub fn day(&self, date: Date) -> Day<'_> {
        self.years.day(date, self.region.as_ref())
    }

    /// Years touched by `from..=to` that are not announced: what start-up and loading warn about (XC-20).
    pub fn not_announced(&self, from: Date, to: Date) -> Vec<i16> {
        (from.year()..=to.year()).filter(|year| !self.years.announced().any(|known| known == *year)).collect()
    }

    /// Number of working days in `from..=to`, and the years of that range that are not announced.
    pub fn working_days(&self, from: Date, to: Date) -> (u32, Vec<i16>) {
        let mut provisional = BTreeSet::new();
        let mut count = 0;
        let mut next = (from <= to).then_some(from);
        while let Some(date) = next.filter(|date| *date <= to) {
            count += u32::from(self.consult(date, &mut provisional));
            next = date.tomorrow().ok();
        }
        (count, provisional.into_iter().collect())
    }

    /// Whether a date is worked; its year is noted when it is not announced.
    pub(super) fn consult(&self, date: Date, provisional: &mut BTreeSet<i16>) -> bool {
        let day = self.day(date);
        if !day.announced {
            provisional.insert(date.year());
        }
        day.is_working()
    }
}
