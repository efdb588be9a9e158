//! Improvement plans (SV-16 to SV-19, SV-33).

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use prost::Message;
use sqlx::PgConnection;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, TimerChange, store_error};
use uuid::Uuid;

use super::App;
use super::transact::{Call, Follows, TRIES, Target, or_repeated};
use crate::domain::codes::PlanState;
use crate::domain::ids::{ImprovementPlanId, WaveId};
use crate::domain::{EffectTarget, ImprovementPlan, Measure, PlanSource};
use crate::events::publish;
use crate::store::records::{Record, Stored};
use crate::store::summaries::{list_known_waves, set_plan_waves};

/// Kind of the timer of a measure. Its key is the measure's code.
pub(crate) const MEASURE_DUE: &str = "measure_due";
/// Kind of the timer of a follow window.
pub(crate) const FOLLOW_UP: &str = "follow_up";

/// What a plan says.
#[derive(Clone, Debug)]
pub(crate) struct PlanText {
    pub(crate) title: String,
    pub(crate) sources: Vec<PlanSource>,
    pub(crate) owner: String,
    pub(crate) document_ref: String,
    pub(crate) measures: Vec<Measure>,
    pub(crate) target: Option<EffectTarget>,
}

/// What to change of it; `None` stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlanEdit {
    pub(crate) title: Option<String>,
    pub(crate) sources: Option<Vec<PlanSource>>,
    pub(crate) owner: Option<String>,
    pub(crate) document_ref: Option<String>,
    pub(crate) measures: Option<Vec<Measure>>,
    pub(crate) target: Option<EffectTarget>,
}

impl App {
    /// Starts a plan. A transaction: the plan, and on which waves it rests.
    pub(crate) async fn create_improvement_plan<A: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        text: PlanText,
        answer: impl Fn(&ImprovementPlan) -> A,
    ) -> Result<A> {
        let estate = call.access.scope.estate(estate)?.id();
        drop(self.rules.estates.get(estate).await?);
        let waves = self.waves_of(call, estate, &text.sources).await?;
        let now = self.clock.now();
        let plan = ImprovementPlan {
            id: ImprovementPlanId::new(),
            estate_id: estate,
            title: text.title,
            state: PlanState::Draft,
            sources: text.sources,
            owner: text.owner,
            document_ref: text.document_ref,
            measures: text.measures,
            target: text.target,
            effect: None,
            submit_time: None,
            implement_time: None,
            follow_up_due_time: None,
            end_time: None,
            create_time: now,
            update_time: now,
            row_version: 1,
        };
        let response = answer(&plan);
        let effects = self.effects(call, &response, Follows::nothing());
        let mut tx = self.db.begin().await?;
        if let Err(error) = plan.insert(&mut tx, &self.cipher, &effects, now).await? {
            drop(tx);
            return self.failed(call, error).await;
        }
        set_plan_waves(&mut tx, estate, plan.id.as_uuid(), &waves).await?;
        tx.commit().await.map_err(store_error)?;
        Ok(response)
    }

    /// Changes a draft. A transaction, as for a new one.
    pub(crate) async fn update_improvement_plan<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        edit: PlanEdit,
        answer: impl Fn(&ImprovementPlan) -> A,
    ) -> Result<A> {
        for _ in 0..TRIES {
            let before: ImprovementPlan = or_repeated!(self, call, self.load(call.access, target.id).await);
            if target.etag.is_some_and(|seen| seen != before.row_version) {
                break;
            }
            or_repeated!(self, call, before.must_be(&[PlanState::Draft]));
            let now = self.clock.now();
            let edit = edit.clone();
            let mut after = ImprovementPlan {
                title: edit.title.unwrap_or_else(|| before.title.clone()),
                sources: edit.sources.unwrap_or_else(|| before.sources.clone()),
                owner: edit.owner.unwrap_or_else(|| before.owner.clone()),
                document_ref: edit.document_ref.unwrap_or_else(|| before.document_ref.clone()),
                measures: edit.measures.unwrap_or_else(|| before.measures.clone()),
                target: edit.target.or_else(|| before.target.clone()),
                ..before.clone()
            };
            let waves = self.waves_of(call, before.estate_id, &after.sources).await?;
            after.set_row(before.row_version + 1, now);
            let response = answer(&after);
            let effects = self.effects(call, &response, Follows::nothing());
            let mut tx = match self.save_first(&after, before.row_version, &effects, now).await? {
                Ok(Some(tx)) => tx,
                Ok(None) => continue,
                Err(error) => return self.failed(call, error).await,
            };
            set_plan_waves(&mut tx, before.estate_id, before.id.as_uuid(), &waves).await?;
            return self.conclude(tx, &effects, response).await;
        }
        self.unless_repeated(call, Error::Stale { resource: "improvement plan" }).await
    }

    /// The waves that a plan rests on, each within the caller's scope and of the plan's estate. One trip, without waves none.
    async fn waves_of(&self, call: &Call<'_>, estate: EstateId, sources: &[PlanSource]) -> Result<Vec<Uuid>> {
        let mut waves = Vec::new();
        for (at, source) in sources.iter().enumerate().filter(|(_, source)| source.kind == "wave") {
            let field = format!("sources[{at}].ref");
            let id = WaveId::parse(&source.reference)
                .map_err(|_| Error::invalid(field, "string.uuid", "must be a hyphenated UUID: the wave id"))?;
            waves.push(id.as_uuid());
        }
        if waves.is_empty() {
            return Ok(waves);
        }
        let known = list_known_waves(self.db.pool(), call.access.scope.estate(estate)?, &waves).await?;
        match waves.iter().find(|id| !known.contains(id)) {
            Some(missing) => Err(Error::not_found("wave", missing)),
            None => Ok(waves),
        }
    }

    /// Puts a plan under way: each measure gets its clock. Three trips.
    pub(crate) async fn submit_improvement_plan<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&ImprovementPlan) -> A + Sync,
    ) -> Result<A> {
        let zone = or_repeated!(self, call, self.zone_of_plan(call, target).await);
        let decide = |plan: &ImprovementPlan, now| {
            let submitted = plan.submit(now)?;
            let mut follows = Follows::nothing();
            for measure in submitted.measures.iter().filter(|measure| measure.done_date.is_none()) {
                let due = end_of(measure.due_date, &zone)?;
                follows = follows.and(TimerChange::set(MEASURE_DUE, plan.id, measure.code.clone(), plan.estate_id, due));
            }
            Ok((submitted, follows))
        };
        self.change(call, target, decide, answer).await
    }

    /// How far a measure is; the last one done starts the follow window (SV-17). Three trips.
    pub(crate) async fn record_progress<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        code: &str,
        percent: u32,
        answer: impl Fn(&ImprovementPlan) -> A + Sync,
    ) -> Result<A> {
        let plan: ImprovementPlan = or_repeated!(self, call, self.load(call.access, target.id).await);
        let now = self.clock.now();
        let rules = self.rules.of(plan.estate_id, now).await?;
        let follow_up = rules.maybe_due(now, rules.terms("").improvement_follow_up.as_ref())?;
        let today = rules.zone.to_datetime(now).date();
        let decide = |plan: &ImprovementPlan, now| {
            let after = plan.progress(code, percent, today, follow_up, now)?;
            let mut follows = Follows::nothing();
            if percent >= 100 {
                follows = follows.and(TimerChange::cancel(MEASURE_DUE, plan.id, code));
            }
            if let Some(due) = after.follow_up_due_time.filter(|_| after.state == PlanState::Implemented) {
                follows = follows.and(TimerChange::set(FOLLOW_UP, plan.id, "", plan.estate_id, due));
            }
            Ok((after, follows))
        };
        self.change(call, target, decide, answer).await
    }

    /// The figure in the follow window (F-22). Three trips.
    pub(crate) async fn record_effect<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        value: f64,
        answer: impl Fn(&ImprovementPlan) -> A + Sync,
    ) -> Result<A> {
        let zone = or_repeated!(self, call, self.zone_of_plan(call, target).await);
        let decide = |plan: &ImprovementPlan, now| {
            let day = |time: Timestamp| zone.to_datetime(time).date();
            let window = (day(plan.implement_time.unwrap_or(now)), day(plan.follow_up_due_time.unwrap_or(now)));
            let verified = plan.record_effect(value, window, now)?;
            let fact = publish::plan_verified(&verified, now);
            Ok((verified, Follows::event(fact)))
        };
        self.change(call, target, decide, answer).await
    }

    /// Gives a plan up. Two trips.
    pub(crate) async fn cancel_improvement_plan<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&ImprovementPlan) -> A + Sync,
    ) -> Result<A> {
        let decide = |plan: &ImprovementPlan, now| Ok((plan.cancel(now)?, Follows::nothing().and(TimerChange::cancel_all(plan.id))));
        self.change(call, target, decide, answer).await
    }

    /// A measure was not done in time, on the transaction of its timer (SV-33).
    pub(crate) async fn miss_measure(&self, tx: &mut PgConnection, plan: Uuid, code: &str, now: Timestamp) -> Result<Effects> {
        self.change_by_timer(tx, plan, now, |plan: &ImprovementPlan| {
            let late = plan.measures.iter().find(|measure| measure.code == code && measure.done_date.is_none());
            let is_open = plan.state == PlanState::Submitted;
            Ok(late.filter(|_| is_open).map(|measure| {
                let fact = publish::measure_overdue(plan, measure, now);
                (ImprovementPlan { update_time: now, ..plan.clone() }, Follows::event(fact))
            }))
        })
        .await
    }

    /// A follow window is over, on the transaction of its timer (SV-17).
    pub(crate) async fn end_follow_window(&self, tx: &mut PgConnection, plan: Uuid, now: Timestamp) -> Result<Effects> {
        self.change_by_timer(tx, plan, now, |plan: &ImprovementPlan| {
            Ok(plan.follow_up_due(now).map(|due| {
                let fact = publish::follow_up_due(&due, now);
                (due, Follows::event(fact))
            }))
        })
        .await
    }

    async fn zone_of_plan(&self, call: &Call<'_>, target: Target) -> Result<TimeZone> {
        let plan: ImprovementPlan = self.load(call.access, target.id).await?;
        self.zone_of(plan.estate_id).await
    }

    /// The zone of an estate.
    pub(crate) async fn zone_of(&self, estate: EstateId) -> Result<TimeZone> {
        self.rules.estates.get(estate).await?.zone()
    }
}

/// 24:00 of a local day.
pub(super) fn end_of(day: Date, zone: &TimeZone) -> Result<Timestamp> {
    let next = day.tomorrow().map_err(Error::internal)?;
    Ok(next.to_zoned(zone.clone()).map_err(Error::internal)?.timestamp())
}
