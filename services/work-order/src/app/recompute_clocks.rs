//! A calendar year became known: clocks that rested on the weekend rule are computed anew, a batch at a time (XC-20). Each
//! batch is the transaction of a timer, which sets the timer of the next: it goes on after a crash where it stood.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::auth::Scope;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, TimerChange, store_error};
use uuid::Uuid;

use super::App;
use super::load_calendar_year::RECOMPUTE_CLOCKS;
use crate::domain::{CalendarLoaded, calendar_loaded};
use crate::events::effects_of;
use crate::store::{Saved, list_provisional, load_work_order, lock_work_orders, save_transition};

/// Orders of one transaction.
const BATCH: i64 = 50;

/// Where a recomputation stands: the year, and the last order that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) year: i16,
    pub(crate) after: Option<(Uuid, Uuid)>,
}

impl Progress {
    /// As a timer's key: `<year>/<estate>/<order>`.
    pub(crate) fn key(&self) -> String {
        let (estate, order) = self.after.map(|(estate, order)| (estate.to_string(), order.to_string())).unwrap_or_default();
        format!("{}/{estate}/{order}", self.year)
    }

    /// Out of a timer's key.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let mut parts = key.split('/');
        let (year, estate, order) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
        let after = if estate.is_empty() { None } else { Some((estate.parse().ok()?, order.parse().ok()?)) };
        Some(Self { year, after })
    }
}

impl App {
    /// Recomputes the next batch. `subject` names the recomputation, for the timer of the batch after it.
    pub(crate) async fn recompute_clocks(&self, tx: &mut PgConnection, subject: Uuid, at: Progress, now: Timestamp) -> Result<Effects> {
        let scope = Scope::system("a calendar year was loaded");
        // The year may have been loaded by another replica a moment ago.
        self.rules.policies.refresh().await?;
        let batch = list_provisional(&mut *tx, &scope, at.after, BATCH).await?;
        let ids: Vec<Uuid> = batch.iter().map(|(_, order)| *order).collect();
        lock_work_orders(tx, &scope, &ids).await?;
        let mut effects = Effects::none();
        for id in ids {
            let Some(before) = load_work_order(&mut *tx, &self.cipher, &scope, id.into()).await? else { continue };
            let rules = self.rules.of(before.estate_id, before.receive_time).await?;
            let transition = calendar_loaded(&before, &CalendarLoaded { year: at.year }, &rules.context(), now).map_err(Error::from)?;
            if transition.is_empty() {
                continue;
            }
            match save_transition(&mut *tx, &self.cipher, &before, &transition, &Effects::none(), now).await? {
                Ok(Saved::Yes) => effects.merge(effects_of(&transition, None)),
                Ok(Saved::Stale) => return Err(Error::bug("a locked order was changed by someone else")),
                Err(error) => return Err(store_error(error)),
            }
        }
        if let Some(last) = batch.last() {
            let next = Progress { after: Some(*last), ..at };
            effects.timers.push(TimerChange::set(RECOMPUTE_CLOCKS, subject, next.key(), None, now));
        }
        Ok(effects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_survives_in_a_key() {
        let begun = Progress { year: 2027, after: None };
        let going = Progress { after: Some((Uuid::now_v7(), Uuid::now_v7())), ..begun };
        assert_eq!((Progress::of_key(&begun.key()), Progress::of_key(&going.key())), (Some(begun), Some(going)));
        assert_eq!(Progress::of_key("2027"), None);
    }
}
