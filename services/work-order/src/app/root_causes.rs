//! Root causes and what is done about them (WO-54). Recording: a statement or two in one transaction, after a look for a repetition;
//! reading one: three trips, the last counts what its actions came to.

use jiff::Timestamp;
use jiff::civil::Date;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::idempotency::RequestKey;
use steward_kit::ids::{EstateId, WorkOrderId};
use steward_kit::paging::PageRequest;
use steward_kit::pii::Pii;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};

use super::App;
use crate::domain::{
    ActionEffect, Actor, Answers, CorrectiveAction, CorrectiveActionId, EffectWindows, Refusal, Rework, ReworkKey, RootCause, RootCauseId,
};
use crate::store;

/// What a root cause is made of.
#[derive(Debug)]
pub(crate) struct NewRootCause {
    pub(crate) estate: EstateId,
    pub(crate) category: String,
    pub(crate) answers: Answers,
    pub(crate) evidence: Vec<WorkOrderId>,
}

/// What a corrective action is made of.
#[derive(Debug)]
pub(crate) struct NewAction {
    pub(crate) root_cause: RootCauseId,
    pub(crate) description: Pii<String>,
    pub(crate) responsible: String,
    pub(crate) start_date: Date,
}

impl App {
    /// Records a root cause.
    pub(crate) async fn create_root_cause<R: Message + Default>(
        &self,
        access: &Access,
        key: &RequestKey,
        given: NewRootCause,
        answer: impl Fn(&RootCause) -> R,
    ) -> Result<R> {
        if let Some(first) = self.answered(key).await? {
            return Ok(first);
        }
        let (now, scoped) = (self.clock.now(), access.scope.estate(given.estate)?);
        let rules = self.rules.of(given.estate, now).await?;
        rules.context().policies.category(&given.category).ok_or(Refusal::CategoryUnknown)?;
        let cause = RootCause {
            id: RootCauseId::new(),
            estate_id: given.estate,
            category: given.category,
            answers: given.answers,
            evidence: given.evidence,
            author: Actor::of(&access.principal),
            create_time: now,
            actions: Vec::new(),
        };
        let mut tx = self.db.begin().await?;
        let known = store::known_orders(&mut tx, scoped, &cause.evidence).await?;
        if let Some(index) = cause.evidence.iter().position(|order| !known.contains(order)) {
            let field = format!("evidence_order_ids[{index}]");
            return Err(Error::invalid(field, "EVIDENCE_UNKNOWN", "must be an order of the estate"));
        }
        store::insert_root_cause(&mut tx, &self.cipher, scoped, &cause).await?;
        let answer = answer(&cause);
        let effects = Effects { claim: Some(self.sealed_claim(key, &answer)), events: Vec::new(), timers: Vec::new() };
        if let Err(error) = effects.try_write(&self.db, &mut tx, now).await {
            drop(tx);
            return self.first_sealed(key, error).await;
        }
        tx.commit().await.store()?;
        Ok(answer)
    }

    /// Adds what is done about one.
    pub(crate) async fn add_corrective_action<R: Message + Default>(
        &self,
        access: &Access,
        key: &RequestKey,
        given: NewAction,
        answer: impl Fn(&RootCause) -> R,
    ) -> Result<R> {
        if let Some(first) = self.answered(key).await? {
            return Ok(first);
        }
        let now = self.clock.now();
        let mut cause = self.load_root_cause(access, given.root_cause).await?;
        let action = CorrectiveAction {
            id: CorrectiveActionId::new(),
            description: given.description,
            responsible: given.responsible,
            start_date: given.start_date,
            create_time: now,
            effect: None,
        };
        let mut tx = self.db.begin().await?;
        store::insert_corrective_action(&mut tx, &self.cipher, access.scope.estate(cause.estate_id)?, cause.id, &action).await?;
        cause.actions.push(action);
        let answer = answer(&cause);
        let effects = Effects { claim: Some(self.sealed_claim(key, &answer)), events: Vec::new(), timers: Vec::new() };
        if let Err(error) = effects.try_write(&self.db, &mut tx, now).await {
            drop(tx);
            return self.first_sealed(key, error).await;
        }
        tx.commit().await.store()?;
        Ok(answer)
    }

    /// One with its actions and what they came to by now.
    pub(crate) async fn get_root_cause(&self, access: &Access, id: RootCauseId) -> Result<RootCause> {
        let mut cause = self.load_root_cause(access, id).await?;
        let now = self.clock.now();
        let rules = self.rules.of(cause.estate_id, now).await?;
        let (context, scoped) = (rules.context(), access.scope.estate(cause.estate_id)?);
        let Some(months) = context.policies.effect_months() else { return Ok(cause) };
        let windows: Vec<Option<EffectWindows>> =
            cause.actions.iter().map(|action| EffectWindows::around(action.start_date, months)).collect();
        let begins = |day: Date| day.to_zoned(context.zone.clone()).map(|begin| begin.timestamp()).map_err(Error::internal);
        // Before and after of each action, one after the other.
        let mut stretches: Vec<(Timestamp, Timestamp)> = Vec::new();
        for windows in windows.iter().flatten() {
            let (from, start, end) = (begins(windows.from)?, begins(windows.start)?, begins(windows.end)?);
            stretches.extend([(from, start), (start, end)]);
        }
        if stretches.is_empty() {
            return Ok(cause);
        }
        let counts = store::count_of_category(self.db.pool(), scoped, &cause.category, &stretches).await?;
        let mut counted = counts.chunks_exact(2).zip(stretches.chunks_exact(2));
        for (action, windows) in cause.actions.iter_mut().zip(windows) {
            let Some((windows, (counts, stretches))) = windows.and_then(|windows| Some((windows, counted.next()?))) else { continue };
            let effect = ActionEffect { windows, baseline_count: counts[0], count: counts[1], complete: stretches[1].1 <= now };
            action.effect = Some(effect);
        }
        Ok(cause)
    }

    /// Those of an estate, newest first, one more than the page shows. One trip.
    pub(crate) async fn list_root_causes(
        &self,
        access: &Access,
        estate: EstateId,
        page: &PageRequest<RootCauseId>,
    ) -> Result<Vec<RootCause>> {
        store::list_root_causes(self.db.pool(), &self.cipher, access.scope.estate(estate)?, page).await
    }

    /// Cases that came again, one more than the page shows. One trip.
    pub(crate) async fn list_hidden_rework(
        &self,
        access: &Access,
        estate: EstateId,
        period: (Timestamp, Timestamp),
        page: &PageRequest<ReworkKey>,
    ) -> Result<Vec<Rework>> {
        let scoped = access.scope.estate(estate)?;
        let rules = self.rules.of(estate, self.clock.now()).await?;
        let Some(days) = rules.context().policies.rework_days() else { return Ok(Vec::new()) };
        store::list_rework(self.db.pool(), scoped, period, days, page).await
    }

    async fn load_root_cause(&self, access: &Access, id: RootCauseId) -> Result<RootCause> {
        let mut db = self.db.pool().acquire().await.store()?;
        let found = store::load_root_cause(&mut db, &self.cipher, &access.scope, id).await?;
        found.ok_or_else(|| Error::not_found("root cause", id))
    }
}
