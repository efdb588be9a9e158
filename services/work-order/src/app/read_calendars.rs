//! What is known of the years and of working hours.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use steward_kit::calendar::{Calendars, RegionKey, YearState};
use steward_kit::{Error, Result};
use steward_kit_store::calendars::HoursVersion;

use super::App;

/// The state of a year, national or in a region.
#[derive(Clone, Debug)]
pub(crate) struct YearView {
    pub(crate) year: i16,
    /// The region whose document it is; `None` for the national one.
    pub(crate) region: Option<RegionKey>,
    /// `None` while it is not announced.
    pub(crate) announced: Option<AnnouncedYear>,
}

/// What is known of an announced year.
#[derive(Clone, Debug)]
pub(crate) struct AnnouncedYear {
    pub(crate) working_day_count: u32,
    pub(crate) papers: Vec<String>,
    /// When it was loaded; `None` for one that ships with the product.
    pub(crate) load_time: Option<Timestamp>,
}

/// Whether the years that matter now are announced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outlook {
    /// Month of the present local date, 1 to 12.
    pub(crate) month: i8,
    pub(crate) this: Known,
    pub(crate) next: Known,
}

/// Whether a year is announced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) year: i16,
    pub(crate) announced: bool,
}

impl App {
    /// Every year from the first known one to the next one, oldest first, each with the documents of regions behind it. Two
    /// trips.
    pub(crate) async fn list_calendar_years(&self) -> Result<Vec<YearView>> {
        let calendars = self.rules.calendars.current().await?.calendars;
        let loaded = self.rules.calendars.loaded_years().await?;
        let loaded: BTreeMap<(i16, Option<RegionKey>), _> =
            loaded.into_iter().map(|loaded| ((loaded.year.year(), loaded.year.region().cloned()), loaded)).collect();
        let next = self.national_date()?.year() + 1;
        let known = || calendars.years().announced().chain(loaded.keys().map(|(year, _)| *year));
        let (first, last) = (known().min().unwrap_or(next), known().max().unwrap_or(next).max(next));
        let mut views = Vec::new();
        for year in first..=last {
            let national = loaded.get(&(year, None)).map(|loaded| loaded.load_time);
            views.push(view(&calendars, year, None, national));
            let regional = loaded.values().filter(|loaded| loaded.year.year() == year && loaded.year.region().is_some());
            views.extend(regional.map(|loaded| YearView {
                announced: Some(AnnouncedYear {
                    papers: loaded.year.papers().to_vec(),
                    ..announced(&calendars, loaded.year.year(), loaded.year.region(), Some(loaded.load_time))
                }),
                year,
                region: loaded.year.region().cloned(),
            }));
        }
        Ok(views)
    }

    /// The working hours that hold, by name and scope. One trip.
    pub(crate) async fn list_working_hours(&self) -> Result<Vec<HoursVersion>> {
        self.rules.calendars.hours().await
    }

    /// Whether this year and the next are announced. From memory.
    pub(crate) async fn calendar_outlook(&self) -> Result<Outlook> {
        let calendars = self.rules.calendars.current().await?.calendars;
        let today = self.national_date()?;
        let known = |year| Known { year, announced: calendars.years().announced().any(|announced| announced == year) };
        Ok(Outlook { month: today.month(), this: known(today.year()), next: known(today.year() + 1) })
    }

    /// The calendar is the nation's: its years turn where its notices are made.
    fn national_date(&self) -> Result<Date> {
        let zone = TimeZone::get("Asia/Shanghai").map_err(Error::internal)?;
        Ok(zone.to_datetime(self.clock.now()).date())
    }
}

/// A year as it stands in `calendars`. What a region adds is announced by its own document, whatever the nation's state.
pub(super) fn view(calendars: &Calendars, year: i16, region: Option<&RegionKey>, load_time: Option<Timestamp>) -> YearView {
    let known = match calendars.years().state(year) {
        YearState::Announced(document) => {
            Some(AnnouncedYear { papers: document.papers().to_vec(), ..announced(calendars, year, region, load_time) })
        }
        YearState::NotAnnounced => region.map(|_| announced(calendars, year, region, load_time)),
    };
    YearView { year, region: region.cloned(), announced: known }
}

fn announced(calendars: &Calendars, year: i16, region: Option<&RegionKey>, load_time: Option<Timestamp>) -> AnnouncedYear {
    let calendars = calendars.for_region(region.cloned());
    AnnouncedYear { working_day_count: calendars.working_days(date(year, 1, 1), date(year, 12, 31)).0, papers: Vec::new(), load_time }
}
