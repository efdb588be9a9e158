//! Mystery visits (SV-46).

use jiff::Timestamp;
use prost::Message;
use sqlx::PgConnection;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::pii::Pii;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, TimerChange, store_error};
use uuid::Uuid;

use super::App;
use super::transact::{Call, Follows, TRIES, Target, or_repeated};
use crate::domain::codes::MysteryState;
use crate::domain::ids::MysteryVisitId;
use crate::domain::{Checked, MysteryVisit, Scored};
use crate::events::publish;
use crate::store::records::{Record, Stored};

/// Kind of the timer of a visit that is to be made.
pub(crate) const VISIT_DUE: &str = "mystery_visit_due";
/// Kind of the timer at which a score stands.
pub(crate) const APPEAL_END: &str = "mystery_appeal_end";

/// A visit to plan.
#[derive(Debug)]
pub(crate) struct NewVisit {
    pub(crate) estate: EstateId,
    pub(crate) scenario: String,
    pub(crate) visitor_code: String,
    pub(crate) training_ref: String,
    pub(crate) due_time: Timestamp,
    pub(crate) checklist: Vec<Checked>,
}

impl App {
    /// Plans a visit. One trip.
    pub(crate) async fn plan_mystery_visit<A: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewVisit,
        answer: impl Fn(&MysteryVisit) -> A + Sync,
    ) -> Result<A> {
        let estate = call.access.scope.estate(new.estate)?.id();
        drop(self.rules.estates.get(estate).await?);
        let now = self.clock.now();
        let mut bad = Violations::new();
        for (at, item) in new.checklist.iter().enumerate() {
            if new.checklist[..at].iter().any(|other| other.code == item.code) {
                bad.add(format!("checklist[{at}].code"), "CHECKLIST_INVALID", "another item has this code");
            }
        }
        if new.due_time <= now {
            bad.add("due_time", "TIME_NOT_PLAUSIBLE", "must lie in the future");
        }
        // A repeated request may come when its time is over.
        or_repeated!(self, call, bad.finish());
        let visit = MysteryVisit {
            id: MysteryVisitId::new(),
            estate_id: estate,
            state: MysteryState::Planned,
            scenario: new.scenario,
            visitor_code: new.visitor_code,
            training_ref: new.training_ref,
            due_time: new.due_time,
            checklist: new.checklist,
            scores: Vec::new(),
            visit_time: None,
            pass_points: 0,
            appeal_due_time: None,
            appeal: None,
            recheck_of: None,
            recheck: None,
            end_time: None,
            create_time: now,
            update_time: now,
            row_version: 1,
        };
        self.create(call, &visit, Follows::nothing().and(due_timer(&visit)), answer, now).await
    }

    /// Records what was found; what did not pass gets its second visit. A transaction: the two belong together.
    pub(crate) async fn record_mystery_visit<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        visit_time: Timestamp,
        scores: &[Scored],
        answer: impl Fn(&MysteryVisit, Option<&MysteryVisit>) -> A + Sync,
    ) -> Result<A> {
        for _ in 0..TRIES {
            let before: MysteryVisit = or_repeated!(self, call, self.load(call.access, target.id).await);
            if target.etag.is_some_and(|seen| seen != before.row_version) {
                break;
            }
            let now = self.clock.now();
            let rules = self.rules.of(before.estate_id, now).await?;
            let terms = rules.terms("").mystery;
            if visit_time > now {
                return Err(Error::invalid("visit_time", "TIME_NOT_PLAUSIBLE", "must not lie in the future"));
            }
            let mut after = or_repeated!(self, call, before.record(scores.to_vec(), visit_time, terms.pass_points, now));
            let mut follows = Follows::nothing().and(TimerChange::cancel(VISIT_DUE, after.id, ""));
            match rules.maybe_due(now, terms.appeal_within.as_ref())? {
                Some(due) => {
                    after.appeal_due_time = Some(due);
                    follows = follows.and(TimerChange::set(APPEAL_END, after.id, "", after.estate_id, due));
                }
                // Nobody may appeal, so the score stands at once.
                None => after = after.stand(now).unwrap_or(after),
            }
            let recheck = match rules.maybe_due(now, terms.recheck_after.as_ref())? {
                Some(due) if !after.has_passed() => Some(after.again(MysteryVisitId::new(), due, now)),
                Some(_) | None => None,
            };
            after.recheck = recheck.as_ref().map(|second| second.id);
            follows.events.push(publish::visit_scored(&after, now));
            if after.state == MysteryState::Final {
                follows.events.push(publish::visit_final(&after, now));
            }
            if let Some(second) = &recheck {
                follows.events.push(publish::recheck_due(second, now));
                follows = follows.and(due_timer(second));
            }
            after.set_row(before.row_version + 1, now);
            let response = answer(&after, recheck.as_ref());
            let effects = self.effects(call, &response, follows);
            let mut tx = match self.save_first(&after, before.row_version, &effects, now).await? {
                Ok(Some(tx)) => tx,
                Ok(None) => continue,
                Err(error) => return self.failed(call, error).await,
            };
            if let Some(second) = &recheck {
                second.insert(&mut tx, &self.cipher, &Effects::none(), now).await?.map_err(store_error)?;
            }
            return self.conclude(tx, &effects, response).await;
        }
        self.unless_repeated(call, Error::Stale { resource: "mystery visit" }).await
    }

    /// The estate appeals. Two trips.
    pub(crate) async fn appeal_mystery_visit<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        reason: &Pii<String>,
        answer: impl Fn(&MysteryVisit) -> A + Sync,
    ) -> Result<A> {
        let appellant = call.access.principal.subject.as_str();
        let decide = |visit: &MysteryVisit, now| {
            // Of a visit that is still to be made the estate knows nothing.
            if !visit.was_made() {
                return Err(Error::not_found("mystery visit", visit.id));
            }
            let appealed = visit.appeal(reason.clone(), appellant, now)?;
            let fact = publish::visit_appealed(&appealed, now);
            Ok((appealed, Follows::event(fact).and(TimerChange::cancel(APPEAL_END, visit.id, ""))))
        };
        self.change(call, target, decide, answer).await
    }

    /// Decides an appeal; a second visit that is needed no more is given up with it. A transaction, as for the record.
    pub(crate) async fn decide_mystery_appeal<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        is_upheld: bool,
        reason: &Pii<String>,
        corrections: &[Scored],
        answer: impl Fn(&MysteryVisit) -> A + Sync,
    ) -> Result<A> {
        for _ in 0..TRIES {
            let before: MysteryVisit = or_repeated!(self, call, self.load(call.access, target.id).await);
            if target.etag.is_some_and(|seen| seen != before.row_version) {
                break;
            }
            let now = self.clock.now();
            let mut after = or_repeated!(self, call, before.decide(is_upheld, reason.clone(), corrections.to_vec(), now));
            let mut follows = Follows::event(publish::visit_final(&after, now));
            let needless = match after.recheck.filter(|_| after.has_passed()) {
                Some(second) => {
                    let second: MysteryVisit = self.load(call.access, second).await?;
                    let version = second.row_version;
                    second.cancel(now).ok().map(|cancelled| (cancelled, version))
                }
                None => None,
            };
            if let Some((second, _)) = &needless {
                follows = follows.and(TimerChange::cancel_all(second.id));
            }
            after.set_row(before.row_version + 1, now);
            let response = answer(&after);
            let effects = self.effects(call, &response, follows);
            let mut tx = match self.save_first(&after, before.row_version, &effects, now).await? {
                Ok(Some(tx)) => tx,
                Ok(None) => continue,
                Err(error) => return self.failed(call, error).await,
            };
            if let Some((second, version)) = &needless
                && !second.save(&mut tx, &self.cipher, *version, &Effects::none(), now).await?.map_err(store_error)?
            {
                continue;
            }
            return self.conclude(tx, &effects, response).await;
        }
        self.unless_repeated(call, Error::Stale { resource: "mystery visit" }).await
    }

    /// Gives a visit up. Two trips.
    pub(crate) async fn cancel_mystery_visit<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&MysteryVisit) -> A + Sync,
    ) -> Result<A> {
        let decide = |visit: &MysteryVisit, now| Ok((visit.cancel(now)?, Follows::nothing().and(TimerChange::cancel_all(visit.id))));
        self.change(call, target, decide, answer).await
    }

    /// A visit was not made in time, on the transaction of its timer.
    pub(crate) async fn miss_mystery_visit(&self, tx: &mut PgConnection, visit: Uuid, now: Timestamp) -> Result<Effects> {
        self.change_by_timer(tx, visit, now, |visit: &MysteryVisit| {
            let is_late = visit.state == MysteryState::Planned;
            Ok(is_late.then(|| (MysteryVisit { update_time: now, ..visit.clone() }, Follows::event(publish::visit_overdue(visit, now)))))
        })
        .await
    }

    /// The time to appeal is over, on the transaction of its timer.
    pub(crate) async fn end_appeal_window(&self, tx: &mut PgConnection, visit: Uuid, now: Timestamp) -> Result<Effects> {
        self.change_by_timer(tx, visit, now, |visit: &MysteryVisit| {
            Ok(visit.stand(now).map(|stands| {
                let fact = publish::visit_final(&stands, now);
                (stands, Follows::event(fact))
            }))
        })
        .await
    }
}

fn due_timer(visit: &MysteryVisit) -> TimerChange {
    TimerChange::set(VISIT_DUE, visit.id, "", visit.estate_id, visit.due_time)
}
