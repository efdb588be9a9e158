//! An official year is loaded, and every clock that counts its days is computed anew (XC-20). Four trips in one transaction;
//! the recomputation follows by a timer, and every other service hears of the year by an event that carries all of it.

use prost::Message;
use steward_kit::auth::Access;
use steward_kit::calendar::HolidayYear;
use steward_kit::idempotency::RequestKey;
use steward_kit::{Error, Result};
use steward_kit_store::calendars::{CalendarStore, LoadedYear};
use steward_kit_store::idempotency::replay;
use steward_kit_store::{Claim, Effects, StoreResult, TimerChange};
use uuid::Uuid;

use super::App;
use super::read_calendars::{YearView, view};
use super::recompute_clocks::{Progress, RECOMPUTE_CLOCKS, Recomputed};

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
        // A year binds every estate, and a region's those of others too, so the caller must reach all of them.
        if access.scope.estates().is_some() {
            return Err(access.deny(&access.permission));
        }
        let year = HolidayYear::parse(document).map_err(|fault| Error::invalid("document_json", "POLICY_INVALID", fault.to_string()))?;
        let now = self.clock.now();
        let calendars = self.rules.calendars.current().await?.calendars.with_year(year.clone());
        let loaded = LoadedYear { year, load_time: now, loaded_by: access.principal.subject.clone() };
        let answer = answer(&view(&calendars, loaded.year.year(), loaded.year.region(), Some(now)));
        let what = Recomputed::Year { year: loaded.year.year(), region: loaded.year.region().cloned() };
        let effects = Effects {
            claim: Some(Claim::new(key, &answer)),
            events: vec![CalendarStore::year_fact(&loaded)],
            timers: vec![TimerChange::set(RECOMPUTE_CLOCKS, Uuid::now_v7(), Progress::of(what).key(), None, now)],
        };
        let mut tx = self.db.begin().await?;
        self.rules.calendars.apply_year(&mut tx, &loaded).await?;
        if let Err(error) = effects.try_write(&self.db, &mut tx, now).await {
            drop(tx);
            return self.first_answer(key, error).await;
        }
        tx.commit().await.store()?;
        self.db.wake(&effects);
        self.rules.calendars.refresh().await?;
        Ok(answer)
    }
}
