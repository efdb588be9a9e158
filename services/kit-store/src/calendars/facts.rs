//! Calendars as facts: what work-order publishes when one is loaded, and how another service takes it in.

use aws_lc_rs::digest;
use jiff::Timestamp;
use prost::Name;
use serde_json::json;
use sqlx::PgConnection;
use steward_kit::calendar::{DailyWindow, DayTime, HolidayYear, HoursWindow, OpenDays, WorkingHours};
use steward_kit::error::Violations;
use steward_kit::proto::{timestamp, to_timestamp};
use steward_kit::{Error, Result};
use steward_proto::event::v1::Event;
use steward_proto::plan::v1 as plan;
use steward_proto::work_order::v1 as pb;
use uuid::Uuid;

use super::{CalendarStore, HoursVersion, LoadedYear};
use crate::effects::{Effects, NewEvent};
use crate::inbox::{EventHandler, payload};
use crate::policy::PolicyScope;

impl CalendarStore {
    /// The fact that a year was loaded, with the whole document.
    pub fn year_fact(loaded: &LoadedYear) -> NewEvent {
        let LoadedYear { year, load_time, loaded_by } = loaded;
        let region = year.region().map(|region| region.as_str().to_owned()).unwrap_or_default();
        let day = |day: &steward_kit::calendar::HolidayDay| pb::CalendarDay {
            name: day.name.clone(),
            date: day.date.to_string(),
            is_off_day: day.is_off_day,
        };
        let fact = pb::CalendarYearLoaded {
            year: year.year().into(),
            notice: year.notice().unwrap_or_default().to_owned(),
            papers: year.papers().to_vec(),
            days: year.days().iter().map(day).collect(),
            content_hash: hash(&year.to_json().to_string()),
            load_time: Some(to_timestamp(*load_time)),
            loaded_by: loaded_by.clone(),
            region: region.clone(),
        };
        // One subject for each year and region: what is said of it arrives in the order it was said in.
        NewEvent::new(subject(&format!("calendar-year/{}/{region}", year.year())), None, *load_time, &fact)
    }

    /// The fact that working hours were loaded, with the whole document.
    ///
    /// # Errors
    /// The document does not serialise.
    pub fn hours_fact(loaded: &HoursVersion) -> Result<NewEvent> {
        let fact = pb::WorkingHoursLoaded { working_hours: Some(hours_message(loaded)?), loaded_by: loaded.loaded_by.clone() };
        let subject = subject(&format!("working-hours/{}/{:?}", loaded.hours.name(), loaded.scope.id()));
        Ok(NewEvent::new(subject, None, loaded.load_time, &fact))
    }

    /// Whether an event says something of calendars.
    pub fn wants(kind: &str) -> bool {
        kind == pb::CalendarYearLoaded::full_name() || kind == pb::WorkingHoursLoaded::full_name()
    }

    /// Takes in what work-order says of calendars. A fact that comes twice, or after a later one, changes nothing.
    ///
    /// # Errors
    /// A fact that cannot be read is poison; else those of the statements.
    pub async fn hear(&self, tx: &mut PgConnection, event: &Event) -> Result<()> {
        if event.r#type == pb::CalendarYearLoaded::full_name() {
            self.apply_year(tx, &read_year(&payload(event)?)?).await?;
        } else if event.r#type == pb::WorkingHoursLoaded::full_name() {
            let fact: pb::WorkingHoursLoaded = payload(event)?;
            let mut bad = Violations::new();
            let hours = fact.working_hours.unwrap_or_default();
            let read = read_hours(&mut bad, "working_hours", &hours);
            let load_time = bad.timestamp("load_time", hours.load_time.as_ref());
            let new = bad.build(|| read.zip(load_time))?;
            let ((hours_read, scope), load_time) = new;
            let loaded = HoursVersion { hours: hours_read, scope, version: hours.version, load_time, loaded_by: fact.loaded_by };
            if hours.content_hash != hours_hash(&loaded.hours)? {
                return Err(Error::bug("working hours that are not those that were loaded"));
            }
            self.apply_hours(tx, &loaded).await?;
        }
        Ok(())
    }
}

/// The consumer itself: `Consumer::new(db, clock, calendars::SOURCE, calendars::CONSUMER, CalendarStore::new(db))`.
#[tonic::async_trait]
impl EventHandler for CalendarStore {
    fn wants(&self, kind: &str) -> bool {
        Self::wants(kind)
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, _now: Timestamp) -> Result<Effects> {
        self.hear(tx, event).await?;
        Ok(Effects::none())
    }
}

/// Working hours as the contract shows them.
///
/// # Errors
/// The document does not serialise.
pub fn hours_message(version: &HoursVersion) -> Result<pb::WorkingHours> {
    let window = |window: &HoursWindow| {
        let (days, weekdays) = match &window.days {
            OpenDays::Working => (pb::OpenDays::Working, Vec::new()),
            OpenDays::Rest => (pb::OpenDays::Rest, Vec::new()),
            OpenDays::Every => (pb::OpenDays::Every, Vec::new()),
            OpenDays::Weekdays(days) => (pb::OpenDays::Weekdays, days.iter().map(|day| i32::from(*day)).collect()),
        };
        let (from, to) = (window.hours.from().minutes(), window.hours.to().minutes());
        pb::WorkingHoursWindow { days: days.into(), weekdays, from_minute: from.into(), to_minute: to.into() }
    };
    let level = match version.scope {
        PolicyScope::Base => plan::PolicyScopeLevel::Base,
        PolicyScope::Group(_) => plan::PolicyScopeLevel::Group,
        PolicyScope::Region(_) => plan::PolicyScopeLevel::Region,
        PolicyScope::Estate(_) => plan::PolicyScopeLevel::Estate,
    };
    let id = version.scope.id().map(|id| id.to_string()).unwrap_or_default();
    Ok(pb::WorkingHours {
        name: version.hours.name().to_owned(),
        scope: Some(plan::PolicyScope { level: level.into(), id }),
        windows: version.hours.windows().iter().map(window).collect(),
        version: version.version,
        load_time: Some(to_timestamp(version.load_time)),
        content_hash: hours_hash(&version.hours)?,
    })
}

/// Working hours out of a message, every fault noted by its place.
pub fn read_hours(bad: &mut Violations, at: &str, hours: &pb::WorkingHours) -> Option<(WorkingHours, PolicyScope)> {
    let mut windows = Vec::with_capacity(hours.windows.len());
    for (index, window) in hours.windows.iter().enumerate() {
        match read_window(window) {
            Ok(window) => windows.push(window),
            Err(fault) => bad.add(format!("{at}.windows[{index}]"), "WORKING_HOURS_INVALID", fault),
        }
    }
    let scope = read_scope(bad, &format!("{at}.scope"), hours.scope.as_ref());
    match WorkingHours::new(&hours.name, windows) {
        Ok(hours) => scope.map(|scope| (hours, scope)),
        Err(fault) => {
            bad.add(at, "WORKING_HOURS_INVALID", fault.to_string());
            None
        }
    }
}

fn read_window(window: &pb::WorkingHoursWindow) -> Result<HoursWindow, String> {
    let minute = |minute: i32| u16::try_from(minute).ok().and_then(DayTime::of_minutes).ok_or("a minute of the day is 0 to 1440");
    let hours = DailyWindow::new(minute(window.from_minute)?, minute(window.to_minute)?).map_err(|fault| fault.to_string())?;
    let days = match window.days() {
        pb::OpenDays::Unspecified => return Err("days must be given".to_owned()),
        pb::OpenDays::Working => OpenDays::Working,
        pb::OpenDays::Rest => OpenDays::Rest,
        pb::OpenDays::Every => OpenDays::Every,
        pb::OpenDays::Weekdays => {
            let number = |day: &i32| u8::try_from(*day).map_err(|_| "a weekday is 1 to 7".to_owned());
            OpenDays::Weekdays(window.weekdays.iter().map(number).collect::<Result<_, _>>()?)
        }
    };
    if !window.weekdays.is_empty() && window.days() != pb::OpenDays::Weekdays {
        return Err("weekdays are given with OPEN_DAYS_WEEKDAYS only".to_owned());
    }
    Ok(HoursWindow { days, hours })
}

fn read_scope(bad: &mut Violations, at: &str, scope: Option<&plan::PolicyScope>) -> Option<PolicyScope> {
    let scope = bad.required(at, scope)?;
    let field = format!("{at}.id");
    match scope.level() {
        plan::PolicyScopeLevel::Unspecified => {
            bad.add(format!("{at}.level"), "required", "must be given");
            None
        }
        plan::PolicyScopeLevel::Base if scope.id.is_empty() => Some(PolicyScope::Base),
        plan::PolicyScopeLevel::Base => {
            bad.add(field, "WORKING_HOURS_INVALID", "the base has no id");
            None
        }
        plan::PolicyScopeLevel::Group => bad.id(&field, &scope.id).map(PolicyScope::Group),
        plan::PolicyScopeLevel::Region => bad.id(&field, &scope.id).map(PolicyScope::Region),
        plan::PolicyScopeLevel::Estate => bad.id(&field, &scope.id).map(PolicyScope::Estate),
    }
}

fn read_year(fact: &pb::CalendarYearLoaded) -> Result<LoadedYear> {
    let day = |day: &pb::CalendarDay| json!({"name": day.name, "date": day.date, "isOffDay": day.is_off_day});
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let document = json!({
        "year": fact.year,
        "region": given(&fact.region),
        "notice": given(&fact.notice),
        "papers": fact.papers,
        "days": fact.days.iter().map(day).collect::<Vec<_>>(),
    });
    let year = HolidayYear::parse(&document.to_string()).map_err(Error::internal)?;
    if fact.content_hash != hash(&year.to_json().to_string()) {
        return Err(Error::bug("a calendar year that is not the one that was loaded"));
    }
    let load_time = fact.load_time.as_ref().and_then(timestamp).ok_or_else(|| Error::bug("a calendar year without a time"))?;
    Ok(LoadedYear { year, load_time, loaded_by: fact.loaded_by.clone() })
}

fn hours_hash(hours: &WorkingHours) -> Result<String> {
    Ok(hash(&serde_json::to_string(hours).map_err(Error::internal)?))
}

fn hash(document: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, document.as_bytes()))
}

/// The same id for the same thing, in every service and every time.
fn subject(name: &str) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest::digest(&digest::SHA256, name.as_bytes()).as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
