//! Obligations, and the dates of an estate that bring them about.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, store_error};
use uuid::Uuid;

use super::App;
use super::plan_programme::plan_timer;
use super::transact::{Call, Target};
use crate::domain::base::{Change, Promise, Stored, TimerKind};
use crate::domain::ids::ObligationId;
use crate::domain::obligation::{self, Obligation, follow, from_template, obligation_id};
use crate::domain::programme::Anchor;
use crate::domain::terms::{ObligationTerms, Rules};
use crate::events::publish::effects_of;
use crate::store::documents::{Place, Table};
use crate::store::planner::{EstateDate, list_dates, put_date};
use crate::store::programmes::load_running;

/// A date to set.
#[derive(Clone, Debug)]
pub(crate) struct NewDate {
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) date: Date,
    pub(crate) is_reached: bool,
}

impl App {
    /// Sets or moves a date; what is counted from it comes about or moves with it (CA-23). Seven trips, in one transaction: a date
    /// moves a few times in the life of an estate.
    pub(crate) async fn set_estate_date<R: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        new: NewDate,
        answer: impl Fn(&EstateDate, usize) -> R,
    ) -> Result<R> {
        call.access.scope.estate(estate)?;
        if let Some(answer) = self.repeated(call).await? {
            return Ok(answer);
        }
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let (date, count, mut effects) = self.put_date(&mut tx, estate, &new, now).await?;
        let response = answer(&date, count);
        effects.claim = call.claim(&response);
        match effects.try_write(&self.db, &mut tx, now).await {
            Ok(()) => {}
            Err(error) => {
                drop(tx);
                return self.failed(call, error).await;
            }
        }
        tx.commit().await.map_err(store_error)?;
        self.db.wake(&effects);
        Ok(response)
    }

    /// Writes a date and what is counted from it. How many obligations came about or moved; the effects are the caller's to write.
    pub(super) async fn put_date(
        &self,
        tx: &mut sqlx::PgConnection,
        estate: EstateId,
        new: &NewDate,
        now: Timestamp,
    ) -> Result<(EstateDate, usize, Effects)> {
        let rules = self.rules.of(estate, now).await?;
        let date = put_date(&mut *tx, estate, &new.kind, &new.subject, new.date, new.is_reached, now).await?;
        let mut effects = Effects::none();
        let templates: BTreeMap<Uuid, &ObligationTerms> = rules
            .terms
            .obligations
            .iter()
            .filter(|terms| terms.anchor == new.kind)
            .map(|terms| (obligation_id(estate, &terms.code, &new.kind, &new.subject).as_uuid(), terms))
            .collect();
        let rows = self.rows_of(tx, estate, &templates, new, &rules, now, &mut effects).await?;
        if !rows.is_empty() {
            Obligation::write(&mut *tx, &rows, &Effects::none(), now).await.map_err(store_error)?;
        }
        for programme in load_running(&mut *tx, estate).await? {
            let is_anchored = programme.document.definitions.iter().any(|one| one.anchor == Anchor::EstateDate(new.kind.clone()));
            effects.timers.extend(is_anchored.then(|| plan_timer(programme.id, estate, now)));
        }
        Ok((date, rows.len(), effects))
    }

    #[expect(clippy::too_many_arguments, reason = "one step of `put_date`, which holds all of it")]
    async fn rows_of(
        &self,
        tx: &mut sqlx::PgConnection,
        estate: EstateId,
        templates: &BTreeMap<Uuid, &ObligationTerms>,
        new: &NewDate,
        rules: &Rules,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Result<Vec<Stored<Obligation>>> {
        let ids: Vec<Uuid> = templates.keys().copied().collect();
        let known: BTreeMap<Uuid, Stored<Obligation>> = Obligation::lock(tx, &ids).await?.into_iter().map(|row| (row.id, row)).collect();
        let mut rows = Vec::new();
        for (id, terms) in templates {
            let (before, change) = match known.get(id) {
                Some(row) => (row.clone(), follow(&row.value, terms, new.date, now, rules)?),
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
        Ok(rows)
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

    /// Creates one by hand. One trip.
    pub(crate) async fn create_obligation<R: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        new: Obligation,
        answer: impl Fn(&Stored<Obligation>) -> R,
    ) -> Result<R> {
        call.access.scope.estate(estate)?;
        let now = self.clock.now();
        if new.due_time < now {
            let refusal = Error::invalid("due_time", "TIME_NOT_PLAUSIBLE", "must not lie in the past");
            return self.unless_repeated(call, refusal).await;
        }
        let change = Change::to(new.clone()).promise(Promise::set(TimerKind::ObligationDue, new.due_time));
        self.create(call, Stored::new(ObligationId::new(), estate, new, now), change, None, now, answer).await
    }

    /// One obligation. One trip.
    pub(crate) async fn obligation(&self, access: &Access, id: Uuid) -> Result<Stored<Obligation>> {
        Obligation::load(&mut *self.conn().await?, &access.scope, id).await?.ok_or_else(|| Error::not_found("obligation", id))
    }

    /// A page of an estate's. One trip.
    pub(crate) async fn list_obligations(
        &self,
        access: &Access,
        estate: EstateId,
        states: &[String],
        page: &PageRequest<Place>,
    ) -> Result<Vec<Stored<Obligation>>> {
        Obligation::list(&mut *self.conn().await?, access.scope.estate(estate)?, states, page).await
    }

    /// A line is done, or something was found. Two trips.
    pub(crate) async fn check_obligation_item<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        item: &str,
        proof: &str,
        finding: &str,
        answer: impl Fn(&Stored<Obligation>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, now| obligation::check(row, item, proof, finding, call.subject(), now), answer).await
    }

    /// It is done. Two trips.
    pub(crate) async fn complete_obligation<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Stored<Obligation>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, now| obligation::complete(row, now), answer).await
    }

    /// It is no longer owed. Two trips.
    pub(crate) async fn cancel_obligation<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Stored<Obligation>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, _| obligation::cancel(row), answer).await
    }
}
