//! An official year is loaded, and every deadline that rested on the weekend rule for it is computed anew (XC-20). Four
//! trips in one transaction; the recomputation follows by a timer.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::calendar::{Calendars, HolidayYear, YearState};
use steward_kit::idempotency::RequestKey;
use steward_kit::{Error, Result};
use steward_kit_store::idempotency::replay;
use steward_kit_store::{Claim, Effects, NewEvent, StoreResult, TimerChange};
use steward_proto::work_order::v1 as pb;
use uuid::Uuid;

use super::App;
use super::recompute_clocks::Progress;

/// Kind of the timer that recomputes clocks, a batch at a time. Its key is a [`Progress`].
pub(crate) const RECOMPUTE_CLOCKS: &str = "recompute_clocks";

/// The state of a year.
#[derive(Clone, Debug)]
pub(crate) struct YearView {
    pub(crate) year: i16,
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
    /// Loads a year.
    pub(crate) async fn load_calendar_year<R: Message + Default>(
        &self,
        access: &Access,
        key: &RequestKey,
        document: &str,
        answer: fn(&YearView) -> R,
    ) -> Result<R> {
        if let Some(first) = replay(&self.db, key).await? {
            return R::decode(first).map_err(Error::internal);
        }
        // The year is the nation's: it binds every estate, so the caller must reach all of them.
        if access.scope.estates().is_some() {
            return Err(access.deny(&access.permission));
        }
        let year = HolidayYear::parse(document).map_err(|fault| Error::invalid("document_json", "POLICY_INVALID", fault.to_string()))?;
        let now = self.clock.now();
        let calendars = self.rules.calendars.current().await?.calendars.with_year(year.clone());
        let answer = answer(&view(&calendars, year.year(), Some(now)));
        let subject = Uuid::now_v7();
        let told = pb::CalendarYearLoaded { year: year.year().into() };
        let effects = Effects {
            claim: Some(Claim::new(key, &answer)),
            events: vec![NewEvent::new(subject, None, now, &told)],
            timers: vec![TimerChange::set(RECOMPUTE_CLOCKS, subject, Progress { year: year.year(), after: None }.key(), None, now)],
        };
        let mut tx = self.db.begin().await?;
        self.rules.calendars.load(&mut tx, &year, &access.principal.subject, now).await?;
        if let Err(error) = effects.try_write(&self.db, &mut tx, now).await {
            drop(tx);
            return self.first_answer(key, error).await;
        }
        tx.commit().await.store()?;
        self.db.wake(&effects);
        self.rules.policies.refresh().await?;
        Ok(answer)
    }

    /// Every year from the first known one to the next one, oldest first. Two trips.
    pub(crate) async fn list_calendar_years(&self) -> Result<Vec<YearView>> {
        let calendars = self.rules.calendars.current().await?.calendars;
        let loaded = crate::store::list_loaded_years(self.db.pool()).await?;
        let next = self.national_date()?.year() + 1;
        let known: Vec<i16> = calendars.years().announced().collect();
        let first = known.first().copied().unwrap_or(next);
        let last = known.last().copied().unwrap_or(next).max(next);
        Ok((first..=last).map(|year| view(&calendars, year, loaded.get(&year).copied())).collect())
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

fn view(calendars: &Calendars, year: i16, load_time: Option<Timestamp>) -> YearView {
    let announced = match calendars.years().state(year) {
        YearState::NotAnnounced => None,
        YearState::Announced(document) => Some(AnnouncedYear {
            working_day_count: calendars.working_days(date(year, 1, 1), date(year, 12, 31)).0,
            papers: document.papers().to_vec(),
            load_time,
        }),
    };
    YearView { year, announced }
}
