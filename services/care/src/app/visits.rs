//! Visits of a round. Each verb is two trips: the visit with its round, and the write with the visitors' time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Time;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::constraint;
use uuid::Uuid;

use super::App;
use super::transact::{Call, TRIES, Target, or_repeated};
use crate::domain::base::{Change, Stored, precondition};
use crate::domain::codes::VisitState;
use crate::domain::ids::VisitRoundId;
use crate::domain::round::Round;
use crate::domain::terms::Rules;
use crate::domain::touchpoint::Verdict;
use crate::domain::visit::{self, Arrangement, Form, SLOT, Visit};
use crate::events::publish::effects_of;
use crate::store::programmes::load_programme;
use crate::store::touchpoints::brief;
use crate::store::visits::{SLOT_TAKEN, Upward, list_of_round, list_of_visitor, load_with_round, save_visit};

/// What a visitor should know beforehand, as codes.
const BRIEF_FIELDS: [&str; 4] =
    ["household.occupancy", "household.is_renovating", "household.has_major_complaint", "household.moved_in_date"];

/// What to know beforehand.
#[derive(Debug, Default)]
pub(crate) struct Brief {
    pub(crate) facts: BTreeMap<String, String>,
    pub(crate) touchpoints: BTreeMap<String, i64>,
    pub(crate) last_contact_time: Option<Timestamp>,
}

impl App {
    /// One visit. One trip.
    pub(crate) async fn visit(&self, access: &Access, id: Uuid) -> Result<Stored<Visit>> {
        self.load::<Visit>(&access.scope, id).await?.ok_or_else(|| Error::not_found("visit", id))
    }

    /// A page of a round's visits, or of a visitor's schedule (CA-36). One trip.
    pub(crate) async fn list_visits(
        &self,
        access: &Access,
        round: Option<VisitRoundId>,
        visitor: Option<(&str, EstateId)>,
        states: &[String],
        page: &PageRequest<Upward>,
    ) -> Result<Vec<Stored<Visit>>> {
        let db = self.db.pool();
        let rows = match (round, visitor) {
            (Some(round), _) => list_of_round(db, &access.scope, round, states, page).await?,
            (None, Some((visitor, estate))) => list_of_visitor(db, access.scope.estate(estate)?, visitor, states, page).await?,
            (None, None) => return Err(Error::invalid("visit_round_id", "required", "must be given, or a visitor and an estate")),
        };
        self.all_opened(rows)
    }

    /// One verb of a visit. Two trips.
    async fn change_visit<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        decide: impl Fn(&Stored<Visit>, &Round, &Rules, Timestamp) -> Result<Change<Visit>>,
        answer: impl Fn(&Stored<Visit>) -> R,
    ) -> Result<R> {
        for _ in 0..TRIES {
            let Some((before, round)) = load_with_round(self.db.pool(), &call.access.scope, target.id).await? else {
                return self.unless_repeated(call, Error::not_found("visit", target.id)).await;
            };
            if target.is_stale(before.row_version) {
                break;
            }
            let before = self.opened(before)?;
            let now = self.clock.now();
            let rules = self.rules.of(before.estate_id, now).await?;
            let change = or_repeated!(self, call, decide(&before, &round, &rules, now));
            let row = before.with(change.after.clone(), now);
            let response = answer(&row);
            let effects = effects_of(&row, &change, self.claim(call, &response), now);
            let (slots, row) = (slots_of(&row.value), self.sealed_row(row)?);
            match save_visit(self.db.pool(), &row, &slots, &effects, now).await {
                Ok(true) => {
                    self.db.wake(&effects);
                    return Ok(response);
                }
                Ok(false) => {}
                Err(error) if constraint(&error) == Some(SLOT_TAKEN) => {
                    let refusal = precondition("VISITOR_BUSY", format!("visit {}", before.id), "a visitor has another visit then");
                    return self.unless_repeated(call, refusal.unwrap_or_else(|refusal| refusal)).await;
                }
                Err(error) => return self.failed(call, error).await,
            }
            if target.etag.is_some() {
                break;
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "visit" }).await
    }

    /// Visitors and time are set or moved (CA-36, CA-41, CA-43).
    pub(crate) async fn schedule_visit<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        arrangement: Arrangement,
        answer: impl Fn(&Stored<Visit>) -> R,
    ) -> Result<R> {
        let decide = |row: &Stored<Visit>, round: &Round, rules: &Rules, now| visit::schedule(row, round, &arrangement, now, rules);
        self.change_visit(call, target, decide, answer).await
    }

    /// The customer agreed, or was asked again (CA-42).
    pub(crate) async fn confirm_appointment<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Stored<Visit>) -> R,
    ) -> Result<R> {
        self.change_visit(call, target, |row, _, _, now| visit::appoint(row, now), answer).await
    }

    /// What to know beforehand, and that it was read (CA-44). Three trips, and one question to customer.
    pub(crate) async fn read_visit_brief<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Stored<Visit>, &Brief) -> R,
    ) -> Result<R> {
        let row = self.load::<Visit>(&call.access.scope, target.id).await?;
        let Some(row) = row else { return self.unless_repeated(call, Error::not_found("visit", target.id)).await };
        let now = self.clock.now();
        let rules = self.rules.of(row.estate_id, now).await?;
        let since = match &rules.terms.brief_window {
            Some(span) => rules.at(rules.shift(rules.date(now), true, span)?, Time::midnight())?,
            None => Timestamp::UNIX_EPOCH,
        };
        let household = row.value.household_id;
        let (touchpoints, last_contact_time) = brief(self.db.pool(), row.estate_id, household, since).await?;
        let facts = self.audience.facts(row.estate_id, household, &BRIEF_FIELDS).await?;
        let known = Brief { facts, touchpoints, last_contact_time };
        self.change_visit(call, target, |row, _, _, now| visit::read_brief(row, now), |row| answer(row, &known)).await
    }

    /// What is taken along (CA-45).
    pub(crate) async fn check_visit_kit<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        items: Vec<String>,
        answer: impl Fn(&Stored<Visit>) -> R,
    ) -> Result<R> {
        self.change_visit(call, target, |row, _, _, _| visit::check_kit(row, items.clone()), answer).await
    }

    /// The talk begins; whoever is left out by now is not visited. Three trips, and one question to customer.
    pub(crate) async fn start_visit<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Stored<Visit>) -> R,
    ) -> Result<R> {
        if let Some((row, round)) = load_with_round(self.db.pool(), &call.access.scope, target.id).await?
            && row.value.state == VisitState::Scheduled
            && let Some(code) = self.left_out(&row, &round).await?
        {
            let refusal = precondition("HOUSEHOLD_EXCLUDED", format!("visit {}", row.id), format!("the household is left out: {code}"));
            return self.unless_repeated(call, refusal.unwrap_or_else(|refusal| refusal)).await;
        }
        self.change_visit(call, target, |row, round, _, now| visit::start(row, round, now), answer).await
    }

    async fn left_out(&self, row: &Stored<Visit>, round: &Round) -> Result<Option<String>> {
        let scope = steward_kit::auth::Scope::system("exclusions of a visit");
        let programme = match round.programme_id {
            Some(id) => load_programme(self.db.pool(), &scope, id).await?,
            None => None,
        };
        let definition = programme.as_ref().and_then(|programme| programme.definition(&round.definition_code));
        let exclusions = definition.map_or(round.exclusions.as_slice(), |definition| definition.exclusions.as_slice());
        if exclusions.is_empty() {
            return Ok(None);
        }
        let household = row.value.household_id;
        let verdicts = self.audience.check(row.estate_id, &[household], None, exclusions).await?;
        Ok(match verdicts.get(&household) {
            Some(Verdict::Excluded(code)) => Some(code.clone()),
            Some(Verdict::Member { .. } | Verdict::NotMember) | None => None,
        })
    }

    /// The talk is over (CA-53, CA-54).
    pub(crate) async fn end_visit<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Stored<Visit>) -> R,
    ) -> Result<R> {
        self.change_visit(call, target, |row, round, rules, now| visit::finish(row, round, now, rules), answer).await
    }

    /// The form comes in (CA-46, CA-47, CA-54).
    pub(crate) async fn submit_visit_form<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        form: impl Fn(Timestamp) -> Form,
        answer: impl Fn(&Stored<Visit>) -> R,
    ) -> Result<R> {
        self.change_visit(call, target, |row, round, _, now| visit::submit_form(row, round, form(now)), answer).await
    }

    /// The visit is not made.
    pub(crate) async fn cancel_visit<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        reason: &str,
        answer: impl Fn(&Stored<Visit>) -> R,
    ) -> Result<R> {
        self.change_visit(call, target, |row, _, _, _| visit::cancel(row, reason), answer).await
    }
}

/// The visitors' time that a visit takes.
fn slots_of(visit: &Visit) -> Vec<(String, Timestamp)> {
    match (visit.state, visit.start_time, visit.end_time) {
        (VisitState::Scheduled | VisitState::UnderWay | VisitState::Done | VisitState::Closed, Some(start_time), Some(end)) => {
            let pieces = end.duration_since(start_time).as_secs() / SLOT.as_secs();
            let minutes = u32::try_from(pieces * 15).unwrap_or_default();
            Arrangement { visitors: visit.visitors.clone(), start_time, minutes }.slots()
        }
        (
            VisitState::Open
            | VisitState::Scheduled
            | VisitState::UnderWay
            | VisitState::Done
            | VisitState::Closed
            | VisitState::Excluded
            | VisitState::Cancelled,
            _,
            _,
        ) => Vec::new(),
    }
}
