//! Who has which package: enrolled with the tasks of the term, term after term, until it ends.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use prost::Message;
use sqlx::PgConnection;
use steward_kit::auth::Access;
use steward_kit::ids::{EstateId, HouseholdId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, constraint, store_error};
use uuid::Uuid;

use super::App;
use super::transact::{Call, TRIES, Target, or_repeated};
use crate::domain::base::{Change, Document, Stored};
use crate::domain::codes::{Layer, TouchpointState};
use crate::domain::community_codes::EnrolmentState;
use crate::domain::enrolment::{Enrolment, Fact, Task, cancel};
use crate::domain::ids::EnrolmentId;
use crate::domain::programme::{Action, ProofRule};
use crate::domain::terms::Rules;
use crate::domain::touchpoint::Touchpoint;
use crate::events::publish::effects_of;
use crate::store::documents::{Place, Table};
use crate::store::enrolments::{ENROLLED, list_enrolments};

/// Who enrols in what.
#[derive(Debug)]
pub(crate) struct NewEnrolment {
    pub(crate) package: Uuid,
    pub(crate) household: HouseholdId,
    pub(crate) item_codes: Vec<String>,
    pub(crate) start_date: Date,
}

impl App {
    /// Enrols a household, with a touchpoint for each task of the term (CA-61). One trip, one question to customer (two for a customer who
    /// is not the main contact), five trips in one transaction.
    pub(crate) async fn enrol<R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewEnrolment,
        answer: impl Fn(&Stored<Enrolment>) -> R,
    ) -> Result<R> {
        let package = or_repeated!(self, call, self.service_package(call.access, new.package).await);
        let (now, estate) = (self.clock.now(), package.estate_id);
        let rules = self.rules.of(estate, now).await?;
        if new.start_date < rules.date(now) {
            let refusal = Error::invalid("start_date", "DATE_INVALID", "must not lie in the past");
            return self.unless_repeated(call, refusal).await;
        }
        let (items, month_price_cents) = or_repeated!(self, call, package.value.chosen(&new.item_codes));
        let admitted = self.audience.admit(&call.access.scope, estate, new.household, None).await;
        let resident = or_repeated!(self, call, admitted);
        let id = EnrolmentId::new().as_uuid();
        let enrolment = Enrolment {
            package_id: package.id,
            package_code: package.value.code.clone(),
            household_id: new.household,
            unit_id: resident.unit,
            customer_id: resident.customer,
            items,
            month_price_cents,
            term_months: package.value.term_months,
            state: EnrolmentState::Active,
            start_date: new.start_date,
            end_date: None,
            term_end_date: new.start_date,
            tasks: Vec::new(),
            enrol_time: now,
        };
        let change = enrolment.clone().plan_term(id, new.start_date, &rules)?.tell(Fact::Confirmed);
        let row = Stored::new(id, estate, enrolment, now).with(change.after.clone(), now);
        let response = answer(&row);
        let (touchpoints, mut effects) = self.planned(&row, &change, &rules, now)?;
        effects.claim = self.claim(call, &response);
        let mut tx = self.db.begin().await?;
        match write_term(&mut tx, &row, &touchpoints, now).await {
            Ok(()) => {}
            Err(error) if constraint(&error) == Some(ENROLLED) => {
                drop(tx);
                let refusal = Error::already_exists(Enrolment::NOUN, "ALREADY_ENROLLED", "the household has this package");
                return self.unless_repeated(call, refusal).await;
            }
            Err(error) => return Err(store_error(error)),
        }
        if let Err(error) = effects.try_write(&self.db, &mut tx, now).await {
            drop(tx);
            return self.failed(call, error).await;
        }
        tx.commit().await.map_err(store_error)?;
        self.db.wake(&effects);
        Ok(response)
    }

    /// The touchpoints of the tasks of an enrolment, as they are written, and what follows of them and of the change itself.
    fn planned(
        &self,
        row: &Stored<Enrolment>,
        change: &Change<Enrolment>,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(Vec<Stored<Touchpoint>>, Effects)> {
        let mut effects = effects_of(row, change, None, now);
        let mut touchpoints = Vec::new();
        for task in &row.value.tasks {
            let touchpoint = touchpoint(row, task, rules)?;
            let new = Stored::new(task.touchpoint_id, row.estate_id, touchpoint.clone(), now);
            let planned = touchpoint.planned(now, rules)?;
            let new = new.with(planned.after.clone(), now);
            effects.merge(effects_of(&new, &planned, None, now));
            touchpoints.push(new);
        }
        Ok((self.sealed(&touchpoints)?, effects))
    }

    /// The term of an enrolment is over, or the whole of it. Three trips.
    pub(crate) async fn end_enrolment_term(&self, tx: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<Effects> {
        let Some(before) = Enrolment::lock(&mut *tx, &[id]).await?.pop() else { return Ok(Effects::none()) };
        let rules = self.rules.of(before.estate_id, now).await?;
        let Some(change) = before.value.term_over(id, now, &rules)? else { return Ok(Effects::none()) };
        let row = before.with(change.after.clone(), now);
        let (touchpoints, effects) = self.planned(&row, &change, &rules, now)?;
        write_term(tx, &row, &touchpoints, now).await.map_err(store_error)?;
        Ok(effects)
    }

    /// Ends an enrolment with the month that is paid; what was planned after it is cancelled (CA-64). One trip, and six in one transaction.
    pub(crate) async fn cancel_enrolment<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Stored<Enrolment>) -> R,
    ) -> Result<R> {
        for _ in 0..TRIES {
            let before = or_repeated!(self, call, self.enrolment(call.access, target.id).await);
            if target.is_stale(before.row_version) {
                break;
            }
            let now = self.clock.now();
            let rules = self.rules.of(before.estate_id, now).await?;
            let mut change = or_repeated!(self, call, cancel(&before, rules.date(now), &rules));
            let end = change.after.end_date;
            let is_after = |task: &Task| end.is_some_and(|end| task.from_date > end);
            let dropped: Vec<Uuid> = before.value.tasks.iter().filter(|task| is_after(task)).map(|task| task.touchpoint_id).collect();
            change.after.tasks.retain(|task| !is_after(task));
            let row = before.with(change.after.clone(), now);
            let response = answer(&row);
            let mut effects = effects_of(&row, &change, self.claim(call, &response), now);
            let mut tx = self.db.begin().await?;
            let written = Enrolment::write(&mut tx, std::slice::from_ref(&row), &Effects::none(), now).await.map_err(store_error)?;
            if written.is_empty() {
                if target.etag.is_some() {
                    break;
                }
                continue;
            }
            let cancelled = self.settle::<Touchpoint>(&mut tx, &dropped, now, |row, _| row.value.cancel("enrolment_ended", now)).await?;
            effects.merge(cancelled);
            if let Err(error) = effects.try_write(&self.db, &mut tx, now).await {
                drop(tx);
                return self.failed(call, error).await;
            }
            tx.commit().await.map_err(store_error)?;
            self.db.wake(&effects);
            return Ok(response);
        }
        self.unless_repeated(call, Error::Stale { resource: Enrolment::NOUN }).await
    }

    /// One enrolment; a customer's own. One trip.
    pub(crate) async fn enrolment(&self, access: &Access, id: Uuid) -> Result<Stored<Enrolment>> {
        let found = self.load::<Enrolment>(&access.scope, id).await?;
        let own = |row: &Stored<Enrolment>| access.scope.includes(row.estate_id, row.value.customer_id);
        found.filter(own).ok_or_else(|| Error::not_found(Enrolment::NOUN, id))
    }

    /// A page of an estate's, or of a household's; a customer's own. One trip.
    pub(crate) async fn list_enrolments(
        &self,
        access: &Access,
        estate: EstateId,
        household: Option<HouseholdId>,
        page: &PageRequest<Place>,
    ) -> Result<Vec<Stored<Enrolment>>> {
        list_enrolments(self.db.pool(), &access.scope, access.scope.estate(estate)?, household, page).await
    }
}

/// Writes an enrolment, new or locked, and its touchpoints. Two trips. The error is raw.
async fn write_term(
    tx: &mut PgConnection,
    row: &Stored<Enrolment>,
    touchpoints: &[Stored<Touchpoint>],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    Enrolment::write(&mut *tx, std::slice::from_ref(row), &Effects::none(), now).await?;
    if !touchpoints.is_empty() {
        Touchpoint::write(tx, touchpoints, &Effects::none(), now).await?;
    }
    Ok(())
}

/// The touchpoint of a task: due on its first day, to be done until its last.
fn touchpoint(of: &Stored<Enrolment>, task: &Task, rules: &Rules) -> Result<Touchpoint> {
    let one = &of.value;
    let item = one.item(&task.item_code).ok_or_else(|| Error::bug("a task of an item that the enrolment does not have"))?;
    Ok(Touchpoint {
        household_id: one.household_id,
        unit_id: one.unit_id,
        customer_id: one.customer_id,
        programme_id: None,
        programme_code: one.package_code.clone(),
        definition_code: item.code.clone(),
        layer: Layer::Advanced,
        node: None,
        drive_tags: Vec::new(),
        action: Action::Task { role: item.role.clone(), instructions: item.name_zh.clone() },
        anchor_date: task.from_date,
        due_time: rules.begin_of(task.from_date, rules.terms.times.touchpoint)?,
        local_time: rules.terms.times.touchpoint.unwrap_or_else(Time::midnight),
        act_within: None,
        confirm_within: rules.terms.confirm_within.clone(),
        period_end: Some(task.to_date),
        window_end: None,
        state: TouchpointState::Planned,
        reason_code: String::new(),
        look_time: None,
        individual_reason: String::new(),
        is_ad_hoc: true,
        proof_rule: ProofRule::default(),
        proof_references: Vec::new(),
        note: String::new(),
        actor_subject: String::new(),
        feedback_score: 0,
        cost_cents: 0,
        act_time: None,
        confirm_time: None,
        steps: Vec::new(),
    })
}
