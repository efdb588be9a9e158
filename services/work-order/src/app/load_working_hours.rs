//! A named working-hours calendar gets a new version, and every clock that counts by it is computed anew (XC-22). Five trips
//! in one transaction; the recomputation follows by a timer, and every other service hears of the hours by an event.

use prost::Message;
use steward_kit::auth::Access;
use steward_kit::idempotency::RequestKey;
use steward_kit::{Error, Result};
use steward_kit_store::calendars::{CalendarStore, HoursVersion, NewHours};
use steward_kit_store::idempotency::replay;
use steward_kit_store::policy::PolicyScope;
use steward_kit_store::{Claim, Effects, StoreResult, TimerChange};
use uuid::Uuid;

use super::App;
use super::recompute_clocks::{Progress, RECOMPUTE_CLOCKS, Recomputed};

impl App {
    /// Loads a version.
    pub(crate) async fn load_working_hours<R: Message + Default>(
        &self,
        access: &Access,
        key: &RequestKey,
        new: &NewHours,
        answer: fn(&HoursVersion) -> Result<R>,
    ) -> Result<R> {
        if let Some(first) = replay(&self.db, key).await? {
            return R::decode(first).map_err(Error::internal);
        }
        match new.scope {
            PolicyScope::Estate(estate) => {
                access.scope.estate(estate)?;
                self.rules.estates.get(estate).await?;
            }
            // Hours of a wider scope bind every estate in it, so the caller must reach all of them.
            PolicyScope::Base | PolicyScope::Group(_) | PolicyScope::Region(_) => {
                if access.scope.estates().is_some() {
                    return Err(access.deny(&access.permission));
                }
            }
        }
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let loaded = self.rules.calendars.load_hours(&mut tx, new, &access.principal.subject, now).await?;
        let answer = answer(&loaded)?;
        let what = Recomputed::Hours { name: loaded.hours.name().to_owned(), scope: loaded.scope };
        let effects = Effects {
            claim: Some(Claim::new(key, &answer)),
            events: vec![CalendarStore::hours_fact(&loaded)?],
            timers: vec![TimerChange::set(RECOMPUTE_CLOCKS, Uuid::now_v7(), Progress::of(what).key(), None, now)],
        };
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
