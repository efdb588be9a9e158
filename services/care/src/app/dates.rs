//! The dates of an estate, and what they bring about or move: obligations and programmes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use prost::Message;
use sqlx::PgConnection;
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, store_error};
use uuid::Uuid;

use super::App;
use super::plan_timers::plan_timer;
use super::transact::{Call, TRIES};
use crate::domain::base::Stored;
use crate::domain::obligation::{Obligation, follow, from_template, obligation_id};
use crate::domain::programme::Anchor;
use crate::domain::terms::{ObligationTerms, Rules};
use crate::events::publish::effects_of;
use crate::store::dates::{EstateDate, around_date, list_dates, write_date};
use crate::store::programmes::load_running;

/// What a date is called in refusals.
const NOUN: &str = "estate date";

/// A date to set.
#[derive(Clone, Debug)]
pub(crate) struct NewDate {
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) date: Date,
    pub(crate) is_reached: bool,
}

/// A date as it will be, with what comes about or moves with it.
struct Moved {
    date: EstateDate,
    obligations: Vec<Stored<Obligation>>,
    effects: Effects,
}

impl App {
    /// Sets or moves a date; what is counted from it comes about or moves with it (CA-23). Three trips: what is there, which programmes
    /// wait for it, and one write of everything.
    pub(crate) async fn set_estate_date<R: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        new: NewDate,
        answer: impl Fn(&EstateDate, usize) -> R,
    ) -> Result<R> {
        call.access.scope.estate(estate)?;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let Moved { date, obligations, effects } = self.move_date(&mut *self.conn().await?, estate, &new, now).await?;
            let response = answer(&date, obligations.len());
            let effects = Effects { claim: self.claim(call, &response), ..effects };
            match write_date(self.db.pool(), estate, &date, &self.sealed(&obligations)?, &effects, now).await {
                Ok(true) => {
                    self.db.wake(&effects);
                    return Ok(response);
                }
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: NOUN }).await
    }

    /// [`Self::set_estate_date`] on an open transaction; the effects are the caller's to write. Three trips.
    ///
    /// # Errors
    /// `Stale` when somebody else moves it at once.
    pub(super) async fn put_date(&self, tx: &mut PgConnection, estate: EstateId, new: &NewDate, now: Timestamp) -> Result<Effects> {
        let Moved { date, obligations, effects } = self.move_date(&mut *tx, estate, new, now).await?;
        let obligations = self.sealed(&obligations)?;
        let is_written = write_date(tx, estate, &date, &obligations, &Effects::none(), now).await.map_err(store_error)?;
        if is_written { Ok(effects) } else { Err(Error::Stale { resource: NOUN }) }
    }

    /// What a date brings about or moves. Two trips.
    async fn move_date(&self, db: &mut PgConnection, estate: EstateId, new: &NewDate, now: Timestamp) -> Result<Moved> {
        let rules = self.rules.of(estate, now).await?;
        let templates: BTreeMap<Uuid, &ObligationTerms> = rules
            .terms
            .obligations
            .iter()
            .filter(|terms| terms.anchor == new.kind)
            .map(|terms| (obligation_id(estate, &terms.code, &new.kind, &new.subject).as_uuid(), terms))
            .collect();
        let ids: Vec<Uuid> = templates.keys().copied().collect();
        let (known, stored) = around_date(&mut *db, estate, &new.kind, &new.subject, &ids).await?;
        let (obligations, mut effects) = self.moved_with(estate, &templates, stored, new, &rules, now)?;
        for programme in load_running(db, estate).await? {
            let is_anchored = programme.document.definitions.iter().any(|one| one.anchor == Anchor::EstateDate(new.kind.clone()));
            effects.timers.extend(is_anchored.then(|| plan_timer(programme.id, estate, now)));
        }
        let (id, row_version) = known.unwrap_or_else(|| (Uuid::now_v7(), 0));
        let date = EstateDate {
            id,
            kind: new.kind.clone(),
            subject_code: new.subject.clone(),
            date: new.date,
            is_reached: new.is_reached,
            row_version: row_version + 1,
            update_time: now,
        };
        Ok(Moved { date, obligations, effects })
    }

    /// The obligations that come about or move, as they will be.
    fn moved_with(
        &self,
        estate: EstateId,
        templates: &BTreeMap<Uuid, &ObligationTerms>,
        stored: Vec<Stored<Obligation>>,
        new: &NewDate,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(Vec<Stored<Obligation>>, Effects)> {
        let mut known: BTreeMap<Uuid, Stored<Obligation>> = stored.into_iter().map(|row| (row.id, row)).collect();
        let (mut rows, mut effects) = (Vec::new(), Effects::none());
        for (id, terms) in templates {
            let (before, change) = match known.remove(id) {
                Some(row) => {
                    let row = self.opened(row)?;
                    let change = follow(&row.value, terms, new.date, now, rules)?;
                    (row, change)
                }
                None => {
                    let change = from_template(terms, &new.subject, new.date, rules)?;
                    (Stored::new(*id, estate, change.after.clone(), now), Some(change))
                }
            };
            if let Some(change) = change {
                let row = before.with(change.after.clone(), now);
                effects.merge(effects_of(&row, &change, None, now));
                rows.push(row);
            }
        }
        Ok((rows, effects))
    }

    /// A page of an estate's dates, by kind and subject. One trip.
    pub(crate) async fn list_estate_dates(
        &self,
        access: &Access,
        estate: EstateId,
        after: Option<(&str, &str)>,
        limit: i64,
    ) -> Result<Vec<EstateDate>> {
        access.scope.estate(estate)?;
        list_dates(self.db.pool(), estate, None, after, limit).await
    }
}
