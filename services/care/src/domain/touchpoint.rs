//! One thing that is done to one household: planned, due, acted, confirmed, felt (CA-14); or left out, skipped, held back.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use steward_kit::calendar::Span;
use steward_kit::ids::{CustomerId, HouseholdId, UnitId};
use steward_kit::{Error, Result};

use super::base::{Change, Document, Promise, Stored, TimerKind, forbids};
use super::codes::{DriveTag, Layer, Node, TouchpointState as State};
use super::ids::{ProgrammeId, VisitId};
use super::programme::{Action, Exclusion, ProofRule};
use super::terms::Rules;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Touchpoint {
    /// The household.
    pub household_id: HouseholdId,
    /// Its unit.
    pub unit_id: UnitId,
    /// Whom to turn to.
    pub customer_id: Option<CustomerId>,
    /// The programme's version; `None` for one household alone.
    pub programme_id: Option<ProgrammeId>,
    /// Code of the programme.
    pub programme_code: String,
    /// Code of the definition.
    pub definition_code: String,
    /// Layer.
    pub layer: Layer,
    /// Node.
    pub node: Option<Node>,
    /// What it appeals to.
    pub drive_tags: Vec<DriveTag>,
    /// What is done.
    pub action: Action,
    /// The day it is counted from.
    pub anchor_date: Date,
    /// When it is due.
    pub due_time: Timestamp,
    /// Local time of day to go by when it is planned again.
    pub local_time: Time,
    /// How long it may wait to be done.
    pub act_within: Option<Span>,
    /// How long it may wait to be confirmed.
    pub confirm_within: Option<Span>,
    /// Until when it may be done; the end of its window.
    pub window_end: Option<Timestamp>,
    /// Where it stands.
    pub state: State,
    /// Why, where there is a why.
    pub reason_code: String,
    /// Next look at one that is left out.
    pub look_time: Option<Timestamp>,
    /// Why for this household alone.
    pub individual_reason: String,
    /// Of no annual plan.
    pub is_ad_hoc: bool,
    /// What must be shown.
    pub proof_rule: ProofRule,
    /// What was shown.
    pub proof_references: Vec<String>,
    /// Who did it.
    pub actor_subject: String,
    /// What the household felt, 1 to 5; 0 for nothing said.
    pub feedback_score: u8,
    /// Cost in cents.
    pub cost_cents: i64,
    /// When it was done.
    pub act_time: Option<Timestamp>,
    /// When that was confirmed.
    pub confirm_time: Option<Timestamp>,
    /// What happened, oldest first.
    pub steps: Vec<Step>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub time: Timestamp,
    /// What.
    pub code: String,
    /// Why.
    pub reason_code: String,
    /// Who.
    pub actor_subject: String,
}

/// What is told of a touchpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// What is done by others is to be done.
    ActionDue,
    /// Left out.
    Excluded,
    /// Planned again.
    Included,
    /// It arrived.
    Confirmed,
    /// Not done or not confirmed in time.
    Overdue,
}

/// What the owner of facts says of a household at the moment of acting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It belongs.
    Member {
        /// Whom to turn to now.
        customer: Option<CustomerId>,
    },
    /// It belongs but is left out.
    Excluded(String),
    /// It does not belong.
    NotMember,
}

/// What somebody shows for having done it.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// Photos.
    pub photos: Vec<String>,
    /// Signature.
    pub signature: String,
    /// Note.
    pub note: String,
}

impl Document for Touchpoint {
    type Fact = Fact;

    const NOUN: &'static str = "touchpoint";

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn sort_time(&self) -> Timestamp {
        self.due_time
    }

    fn mark_time(&self) -> Option<Timestamp> {
        if self.state == State::Excluded { self.look_time } else { self.confirm_time.or(self.act_time) }
    }
}

/// Who is left out: kept with the definition, and for one household alone nobody.
pub type Exclusions<'a> = &'a [Exclusion];

const NOW_AND_THEN: &[&str] = &["ExecuteTouchpoint", "ConfirmTouchpoint", "RecordTouchpointFeedback", "SkipTouchpoint"];

impl Touchpoint {
    fn step(&mut self, time: Timestamp, code: &str, reason: &str, actor: &str) {
        let (reason_code, actor_subject) = (reason.to_owned(), actor.to_owned());
        self.steps.push(Step { time, code: code.to_owned(), reason_code, actor_subject });
    }

    /// As it is first planned, at `now`.
    pub fn planned(mut self, now: Timestamp, rules: &Rules) -> Result<Change<Self>> {
        self.window_end = rules.due_if(self.due_time, self.act_within.as_ref())?;
        if self.state == State::HeldOut {
            self.step(now, "held_out", "", "");
            return Ok(Change::to(self));
        }
        self.state = State::Planned;
        self.step(now, "planned", "", "");
        let due = self.due_time;
        Ok(Change::to(self).promise(Promise::set(TimerKind::TouchpointDue, due)))
    }

    /// At the moment of acting: it is done, opened for whoever does it, left out, or its reason is gone.
    pub fn judged(&self, verdict: &Verdict, now: Timestamp, rules: &Rules) -> Result<Option<Change<Self>>> {
        let mut after = self.clone();
        match (self.state, verdict) {
            (State::Planned, Verdict::Member { customer }) => {
                after.customer_id = customer.or(self.customer_id);
                after.open(now, rules).map(Some)
            }
            (State::Planned | State::Excluded, Verdict::Excluded(reason)) => {
                let is_news = self.state == State::Planned || self.reason_code != *reason;
                if self.state == State::Excluded && self.window_end.is_some_and(|end| end <= now) {
                    return after.cancelled("window_over", now).map(Some);
                }
                // Looked at again each day (CA-39), and as soon as a fact changes.
                let look = rules.at(rules.date(now).tomorrow().map_err(Error::internal)?, self.local_time)?;
                after.state = State::Excluded;
                after.reason_code.clone_from(reason);
                after.look_time = Some(look);
                if is_news {
                    after.step(now, "excluded", reason, "");
                }
                let change = Change::to(after).promise(Promise::set(TimerKind::TouchpointDue, look));
                Ok(Some(if is_news { change.tell(Fact::Excluded) } else { change }))
            }
            (State::Excluded, Verdict::Member { .. }) => {
                // The reason is over: planned again, for the next time of day at which such things are done.
                let today = rules.at(rules.date(now), self.local_time)?;
                let next =
                    if today >= now { today } else { rules.at(rules.date(now).tomorrow().map_err(Error::internal)?, self.local_time)? };
                after.state = State::Planned;
                after.reason_code = String::new();
                after.look_time = None;
                after.due_time = next.max(self.due_time);
                after.window_end = rules.due_if(after.due_time, self.act_within.as_ref())?;
                after.step(now, "included", &self.reason_code, "");
                let due = after.due_time;
                Ok(Some(Change::to(after).tell(Fact::Included).promise(Promise::set(TimerKind::TouchpointDue, due))))
            }
            (State::Planned | State::Excluded, Verdict::NotMember) => after.cancelled("not_in_audience", now).map(Some),
            (
                State::Due
                | State::Acted
                | State::Confirmed
                | State::Overdue
                | State::Cancelled
                | State::Skipped
                | State::Suppressed
                | State::HeldOut,
                _,
            ) => Ok(None),
        }
    }

    /// Its time has come and nothing stands against it.
    fn open(mut self, now: Timestamp, rules: &Rules) -> Result<Change<Self>> {
        match &self.action {
            Action::Message { .. } | Action::Survey { .. } | Action::Order { .. } => {
                self.state = State::Acted;
                self.act_time = Some(now);
                self.step(now, "acted", "", "");
                let confirm = rules.due_if(now, self.confirm_within.as_ref())?;
                Ok(Change::to(self)
                    .tell(Fact::ActionDue)
                    .promise(Promise::cancel(TimerKind::TouchpointDue))
                    .promise(Promise::at(TimerKind::TouchpointConfirm, confirm)))
            }
            Action::Task { .. } | Action::Visit { .. } => {
                self.state = State::Due;
                self.step(now, "due", "", "");
                let window = self.window_end;
                Ok(Change::to(self)
                    .tell(Fact::ActionDue)
                    .promise(Promise::cancel(TimerKind::TouchpointDue))
                    .promise(Promise::at(TimerKind::TouchpointWindow, window)))
            }
        }
    }

    fn cancelled(mut self, reason: &str, now: Timestamp) -> Result<Change<Self>> {
        self.state = State::Cancelled;
        self.reason_code = reason.to_owned();
        self.look_time = None;
        self.step(now, "cancelled", reason, "");
        Ok(Change::to(self)
            .promise(Promise::cancel(TimerKind::TouchpointDue))
            .promise(Promise::cancel(TimerKind::TouchpointWindow))
            .promise(Promise::cancel(TimerKind::TouchpointConfirm)))
    }

    /// Its reason is gone, unless it was done already.
    pub fn cancel(&self, reason: &str, now: Timestamp) -> Result<Option<Change<Self>>> {
        match self.state {
            State::Planned | State::Due | State::Excluded => self.clone().cancelled(reason, now).map(Some),
            State::Acted | State::Confirmed | State::Overdue | State::Cancelled | State::Skipped | State::Suppressed | State::HeldOut => {
                Ok(None)
            }
        }
    }

    /// A fact of the household changed: one that is left out is looked at now.
    pub fn look_again(&self, now: Timestamp) -> Option<Change<Self>> {
        (self.state == State::Excluded && self.look_time != Some(now)).then(|| {
            let after = Self { look_time: Some(now), ..self.clone() };
            Change::to(after).promise(Promise::set(TimerKind::TouchpointDue, now))
        })
    }

    /// It was to be done, or confirmed, until now.
    pub fn lapse(&self, now: Timestamp) -> Option<Change<Self>> {
        match self.state {
            State::Due | State::Acted => {
                let reason = if self.state == State::Due { "not_done" } else { "not_confirmed" };
                let mut after = Self { state: State::Overdue, reason_code: reason.to_owned(), ..self.clone() };
                after.step(now, "overdue", reason, "");
                Some(Change::to(after).tell(Fact::Overdue))
            }
            State::Planned
            | State::Excluded
            | State::Confirmed
            | State::Overdue
            | State::Cancelled
            | State::Skipped
            | State::Suppressed
            | State::HeldOut => None,
        }
    }

    /// It arrived, as a receipt, a visit or a talk shows; `None` when there is nothing to confirm.
    pub fn arrived(&self, how: &str, actor: &str, at: Timestamp, now: Timestamp) -> Option<Change<Self>> {
        match self.state {
            State::Planned | State::Due | State::Excluded | State::Acted | State::Overdue => {
                let mut after = self.clone();
                after.state = State::Confirmed;
                after.reason_code = String::new();
                after.look_time = None;
                after.act_time = self.act_time.or(Some(at));
                after.confirm_time = Some(at);
                if after.actor_subject.is_empty() {
                    actor.clone_into(&mut after.actor_subject);
                }
                after.step(now, "confirmed", how, actor);
                Some(
                    Change::to(after)
                        .tell(Fact::Confirmed)
                        .promise(Promise::cancel(TimerKind::TouchpointDue))
                        .promise(Promise::cancel(TimerKind::TouchpointWindow))
                        .promise(Promise::cancel(TimerKind::TouchpointConfirm)),
                )
            }
            State::Confirmed | State::Cancelled | State::Skipped | State::Suppressed | State::HeldOut => None,
        }
    }

    /// Held back on its way, by the contact ledger or a channel (CA-12).
    pub fn held_back(&self, reason: &str, now: Timestamp) -> Option<Change<Self>> {
        match self.state {
            State::Acted | State::Overdue => {
                let mut after = Self { state: State::Suppressed, reason_code: reason.to_owned(), ..self.clone() };
                after.step(now, "suppressed", reason, "");
                Some(Change::to(after).promise(Promise::cancel(TimerKind::TouchpointConfirm)))
            }
            State::Planned
            | State::Due
            | State::Excluded
            | State::Confirmed
            | State::Cancelled
            | State::Skipped
            | State::Suppressed
            | State::HeldOut => None,
        }
    }
}

/// Somebody did it, and shows what must be shown.
pub fn execute(before: &Stored<Touchpoint>, proof: &Proof, actor: &str, rules: &Rules, now: Timestamp) -> Result<Change<Touchpoint>> {
    let touchpoint = &before.value;
    match &touchpoint.action {
        Action::Task { .. } => {}
        Action::Message { .. } | Action::Visit { .. } | Action::Survey { .. } | Action::Order { .. } => {
            return super::base::precondition(
                "ACTION_NOT_BY_HAND",
                format!("touchpoint {}", before.id),
                "the system does it, or it is done in a visit: nobody executes it by hand",
            );
        }
    }
    match touchpoint.state {
        State::Due | State::Overdue if touchpoint.act_time.is_none() => {}
        State::Due
        | State::Overdue
        | State::Planned
        | State::Excluded
        | State::Acted
        | State::Confirmed
        | State::Cancelled
        | State::Skipped
        | State::Suppressed
        | State::HeldOut => return refuse(before),
    }
    let mut bad = steward_kit::error::Violations::new();
    let rule = touchpoint.proof_rule;
    for (missing, field) in [
        (rule.photo && proof.photos.is_empty(), "photo_references"),
        (rule.signature && proof.signature.is_empty(), "signature_reference"),
        (rule.note && proof.note.trim().is_empty(), "note"),
    ] {
        if missing {
            bad.add(field, "PROOF_INCOMPLETE", "must be shown for this touchpoint");
        }
    }
    bad.finish()?;
    let mut after = touchpoint.clone();
    after.state = State::Acted;
    after.reason_code = String::new();
    after.act_time = Some(now);
    actor.clone_into(&mut after.actor_subject);
    after.proof_references.extend(proof.photos.iter().cloned());
    after.proof_references.extend((!proof.signature.is_empty()).then(|| proof.signature.clone()));
    after.step(now, "acted", "", actor);
    let confirm = rules.due_if(now, touchpoint.confirm_within.as_ref())?;
    Ok(Change::to(after).promise(Promise::cancel(TimerKind::TouchpointWindow)).promise(Promise::at(TimerKind::TouchpointConfirm, confirm)))
}

/// It arrived, somebody says.
pub fn confirm(before: &Stored<Touchpoint>, actor: &str, now: Timestamp) -> Result<Change<Touchpoint>> {
    let touchpoint = &before.value;
    let is_done = touchpoint.act_time.is_some() && matches!(touchpoint.state, State::Acted | State::Overdue);
    match touchpoint.arrived("by_hand", actor, now, now) {
        Some(change) if is_done => Ok(change),
        Some(_) | None => refuse(before),
    }
}

/// What the household felt.
pub fn feel(before: &Stored<Touchpoint>, score: u8, actor: &str, now: Timestamp) -> Result<Change<Touchpoint>> {
    match before.value.state {
        State::Acted | State::Confirmed | State::Overdue => {
            let mut after = Touchpoint { feedback_score: score, ..before.value.clone() };
            after.step(now, "feedback", "", actor);
            Ok(Change::to(after))
        }
        State::Planned | State::Due | State::Excluded | State::Cancelled | State::Skipped | State::Suppressed | State::HeldOut => {
            refuse(before)
        }
    }
}

/// Somebody decides against it.
pub fn skip(before: &Stored<Touchpoint>, reason: &str, actor: &str, now: Timestamp) -> Result<Change<Touchpoint>> {
    match before.value.state {
        State::Planned | State::Due | State::Excluded | State::Overdue if before.value.act_time.is_none() => {
            let mut change = before.value.clone().cancelled(reason, now)?;
            change.after.state = State::Skipped;
            change.after.steps.pop();
            change.after.step(now, "skipped", reason, actor);
            Ok(change)
        }
        State::Planned
        | State::Due
        | State::Excluded
        | State::Overdue
        | State::Acted
        | State::Confirmed
        | State::Cancelled
        | State::Skipped
        | State::Suppressed
        | State::HeldOut => refuse(before),
    }
}

fn refuse(before: &Stored<Touchpoint>) -> Result<Change<Touchpoint>> {
    let allowed: &[&'static str] = match before.value.state {
        State::Planned | State::Excluded => &["SkipTouchpoint"],
        State::Due => &["ExecuteTouchpoint", "SkipTouchpoint"],
        State::Acted => &["ConfirmTouchpoint", "RecordTouchpointFeedback"],
        State::Confirmed => &["RecordTouchpointFeedback"],
        State::Overdue => NOW_AND_THEN,
        State::Cancelled | State::Skipped | State::Suppressed | State::HeldOut => &[],
    };
    forbids::<Touchpoint, _>("TOUCHPOINT_STATE_FORBIDS", before.id, before.value.state.as_str(), allowed)
}

/// The visit of a round was made: what it carries out is done and has arrived.
pub fn visited(touchpoint: &Touchpoint, visit: VisitId, actor: &str, at: Timestamp, now: Timestamp) -> Option<Change<Touchpoint>> {
    let change = touchpoint.arrived("visit", actor, at, now)?;
    Some(Change { after: Touchpoint { proof_references: vec![format!("visit/{visit}")], ..change.after }, ..change })
}
