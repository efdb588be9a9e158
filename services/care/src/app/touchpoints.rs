//! Touchpoints by hand: planned for one household, done, confirmed, felt, decided against.

use jiff::Timestamp;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId, UnitId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::App;
use super::transact::{Call, Target, or_repeated};
use crate::domain::base::Stored;
use crate::domain::codes::{Layer, Node, TouchpointState};
use crate::domain::ids::TouchpointId;
use crate::domain::programme::{Action, ProofRule};
use crate::domain::touchpoint::{self, Proof, Touchpoint};
use crate::store::documents::Place;
use crate::store::touchpoints::{Filter, list_of_estate, list_of_household};

/// A touchpoint for one household.
#[derive(Debug)]
pub(crate) struct NewTouchpoint {
    pub(crate) estate: EstateId,
    pub(crate) household: HouseholdId,
    pub(crate) unit: UnitId,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) definition_code: String,
    pub(crate) layer: Layer,
    pub(crate) node: Option<Node>,
    pub(crate) action: Action,
    pub(crate) due_time: Timestamp,
    pub(crate) individual_reason: String,
    pub(crate) proof: ProofRule,
    pub(crate) cost_cents: i64,
}

impl App {
    /// Plans one for a single household, with its reason (CA-11). One trip, and one question to customer.
    pub(crate) async fn create_touchpoint<R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewTouchpoint,
        answer: impl Fn(&Stored<Touchpoint>) -> R,
    ) -> Result<R> {
        call.access.scope.estate(new.estate)?;
        let now = self.clock.now();
        if new.due_time < now {
            let refusal = Error::invalid("due_time", "TIME_NOT_PLAUSIBLE", "must not lie in the past");
            return self.unless_repeated(call, refusal).await;
        }
        or_repeated!(self, call, self.expect_household(new.estate, new.household).await);
        let rules = self.rules.of(new.estate, now).await?;
        let due = rules.zone.to_datetime(new.due_time);
        let touchpoint = Touchpoint {
            household_id: new.household,
            unit_id: new.unit,
            customer_id: new.customer,
            programme_id: None,
            programme_code: String::new(),
            definition_code: new.definition_code,
            layer: new.layer,
            node: new.node,
            drive_tags: Vec::new(),
            action: new.action,
            anchor_date: due.date(),
            due_time: new.due_time,
            local_time: due.time(),
            act_within: rules.terms.act_within.clone(),
            confirm_within: rules.terms.confirm_within.clone(),
            period_end: None,
            window_end: None,
            state: TouchpointState::Planned,
            reason_code: String::new(),
            look_time: None,
            individual_reason: new.individual_reason,
            is_ad_hoc: true,
            proof_rule: new.proof,
            proof_references: Vec::new(),
            note: String::new(),
            actor_subject: String::new(),
            feedback_score: 0,
            cost_cents: new.cost_cents,
            act_time: None,
            confirm_time: None,
            steps: Vec::new(),
        };
        let change = touchpoint.clone().planned(now, &rules)?;
        let stored = Stored::new(TouchpointId::new(), new.estate, touchpoint, now);
        self.create(call, stored, change, None, now, answer).await
    }

    async fn expect_household(&self, estate: EstateId, household: HouseholdId) -> Result<()> {
        if self.audience.knows(estate, household).await? { Ok(()) } else { Err(Error::not_found("household", household)) }
    }

    /// One touchpoint. One trip.
    pub(crate) async fn touchpoint(&self, access: &Access, id: Uuid) -> Result<Stored<Touchpoint>> {
        self.load::<Touchpoint>(&access.scope, id).await?.ok_or_else(|| Error::not_found("touchpoint", id))
    }

    /// A page of an estate's or of a household's. One trip.
    pub(crate) async fn list_touchpoints(
        &self,
        access: &Access,
        estate: Option<EstateId>,
        filter: &Filter,
        page: &PageRequest<Place>,
    ) -> Result<Vec<Stored<Touchpoint>>> {
        let db = self.db.pool();
        let rows = match (filter.household, estate) {
            (Some(household), _) => list_of_household(db, &access.scope, household, filter, page).await?,
            (None, Some(estate)) => list_of_estate(db, access.scope.estate(estate)?, filter, page).await?,
            (None, None) => return Err(Error::invalid("estate_id", "required", "must be given, or a household")),
        };
        self.all_opened(rows)
    }

    /// Somebody did it. Two trips.
    pub(crate) async fn execute_touchpoint<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        proof: Proof,
        answer: impl Fn(&Stored<Touchpoint>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, rules, now| touchpoint::execute(row, &proof, call.subject(), rules, now), answer).await
    }

    /// It arrived. Two trips.
    pub(crate) async fn confirm_touchpoint<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Stored<Touchpoint>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, now| touchpoint::confirm(row, call.subject(), now), answer).await
    }

    /// What the household felt. Two trips.
    pub(crate) async fn record_touchpoint_feedback<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        score: u8,
        answer: impl Fn(&Stored<Touchpoint>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, now| touchpoint::feel(row, score, call.subject(), now), answer).await
    }

    /// Somebody decides against it. Two trips.
    pub(crate) async fn skip_touchpoint<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        reason: &str,
        answer: impl Fn(&Stored<Touchpoint>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, now| touchpoint::skip(row, reason, call.subject(), now), answer).await
    }
}
