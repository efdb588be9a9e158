//! A community activity (CA-72): draft, approved, published, closed; or called off. Who has which place is decided by the database, under
//! the lock of the activity's row; here is what the activity itself allows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::error::{Violations, WrongState};
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::base::precondition;
use super::community_codes::{ActivityFamily, ActivityState as State};
use super::ids::PlanItemId;
use super::programme::Condition;

/// What the resource is called.
pub const NOUN: &str = "activity";

/// An activity and its counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity {
    /// Its id.
    pub id: Uuid,
    /// Its estate.
    pub estate_id: EstateId,
    /// Where it stands.
    pub state: State,
    /// The document.
    pub document: Document,
    /// What registrations amount to.
    pub counts: Counts,
    /// How often the document was written.
    pub row_version: i64,
    /// When it was planned.
    pub create_time: Timestamp,
}

/// What verbs change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What it is.
    pub plan: Plan,
    /// Who planned it.
    pub author_subject: String,
    /// Who approved it.
    pub approver_subject: String,
    /// When it was published.
    pub publish_time: Option<Timestamp>,
    /// How often it was moved.
    pub reschedule_count: u32,
    /// When it was to begin before it was moved last.
    pub previous_start_time: Option<Timestamp>,
    /// Why it was moved last, or called off.
    pub reason_code: String,
}

/// What an activity is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Family.
    pub family: ActivityFamily,
    /// Type within it.
    pub type_code: String,
    /// Title.
    pub title: String,
    /// What happens there.
    pub details: String,
    /// Where.
    pub place: String,
    /// When it begins.
    pub start_time: Timestamp,
    /// When it is over.
    pub end_time: Timestamp,
    /// From when one may register.
    pub from_time: Timestamp,
    /// Until when.
    pub to_time: Timestamp,
    /// Places.
    pub capacity: u32,
    /// Most persons of one registration.
    pub max_party_size: u32,
    /// For whom; `None` for everybody.
    pub audience: Option<Condition>,
    /// Only for members of the club (CA-82).
    pub is_members_only: bool,
    /// Held outdoors.
    pub is_outdoor: bool,
    /// Risks.
    pub risks: Vec<Risk>,
    /// Budget in cents.
    pub budget_cents: i64,
    /// Item of an annual plan.
    pub plan_item_id: Option<PlanItemId>,
}

/// A risk (CA-87).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// What may happen.
    pub risk: String,
    /// What is done about it.
    pub action: String,
    /// Who answers for that.
    pub owner: String,
}

/// What registrations amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Places taken.
    pub seats: i32,
    /// Registrations that have their places.
    pub confirmed: i32,
    /// Registrations that wait.
    pub waiting: i32,
    /// Registrations that came.
    pub checked_in: i32,
    /// Registrations that did not come.
    pub no_show: i32,
    /// Opinions.
    pub opinions: i32,
}

/// What a verb makes of an activity.
#[derive(Clone, Debug)]
pub struct Change {
    /// Where it then stands.
    pub state: State,
    /// The document as it then is.
    pub document: Document,
    /// What is told.
    pub fact: Option<Fact>,
    /// Everybody who is registered is told.
    pub gives_notice: bool,
}

/// What is told of an activity itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It is shown.
    Published,
    /// It was held.
    Closed,
}

impl Plan {
    /// Notes what contradicts itself.
    pub fn check(&self, bad: &mut Violations) {
        let mut wrong = |field: &str, holds: bool, description: &str| {
            if !holds {
                bad.add(format!("plan.{field}"), "ACTIVITY_INVALID", description);
            }
        };
        wrong("place", !self.place.trim().is_empty(), "must be given: whoever registers is told where to come");
        wrong("end_time", self.end_time > self.start_time, "must lie after start_time");
        wrong("registration_to_time", self.to_time > self.from_time, "must lie after registration_from_time");
        wrong("registration_to_time", self.to_time <= self.end_time, "must not lie after end_time");
        wrong("max_party_size", self.max_party_size <= self.capacity, "must not be more than there are places");
    }
}

impl Activity {
    /// A draft.
    pub fn draft(id: Uuid, estate_id: EstateId, plan: Plan, author: &str, now: Timestamp) -> Self {
        let document = Document {
            plan,
            author_subject: author.to_owned(),
            approver_subject: String::new(),
            publish_time: None,
            reschedule_count: 0,
            previous_start_time: None,
            reason_code: String::new(),
        };
        Self { id, estate_id, state: State::Draft, document, counts: Counts::default(), row_version: 1, create_time: now }
    }

    /// As it is after a change.
    #[must_use]
    pub fn after(&self, change: &Change) -> Self {
        let mut after = Self { state: change.state, document: change.document.clone(), row_version: self.row_version + 1, ..self.clone() };
        if change.fact == Some(Fact::Closed) {
            after.counts.no_show = self.counts.confirmed - self.counts.checked_in;
            after.counts.waiting = 0;
        }
        after
    }

    fn to(&self, state: State, document: Document) -> Change {
        Change { state, document, fact: None, gives_notice: false }
    }

    /// Another plan. After approval what the activity is stays; what may be learned still changes.
    pub fn replan(&self, plan: Plan, now: Timestamp) -> Result<Change> {
        self.expect(&[State::Draft, State::Approved, State::Published])?;
        let mut bad = Violations::new();
        plan.check(&mut bad);
        if self.state == State::Draft {
            expect_ahead(&plan, now, &mut bad);
        } else {
            let before = &self.document.plan;
            for (field, is_same) in [
                ("family", plan.family == before.family),
                ("type_code", plan.type_code == before.type_code),
                ("start_time", plan.start_time == before.start_time),
                ("end_time", plan.end_time == before.end_time),
                ("audience", plan.audience == before.audience),
                ("is_members_only", plan.is_members_only == before.is_members_only),
                ("is_outdoor", plan.is_outdoor == before.is_outdoor),
                ("plan_item_id", plan.plan_item_id == before.plan_item_id),
                // What was approved with risks keeps some.
                ("risks", !plan.is_outdoor || !plan.risks.is_empty()),
            ] {
                if !is_same {
                    bad.add(format!("plan.{field}"), "ACTIVITY_INVALID", "does not change any more after approval");
                }
            }
        }
        bad.finish()?;
        Ok(self.to(self.state, Document { plan, ..self.document.clone() }))
    }

    /// Approved (CA-87).
    pub fn approve(&self, approver: &str) -> Result<Change> {
        self.expect(&[State::Draft])?;
        let plan = &self.document.plan;
        if plan.is_outdoor && plan.risks.is_empty() {
            return precondition(
                "RISK_SHEET_MISSING",
                format!("{NOUN} {}", self.id),
                "an outdoor activity is approved with its risks, what is done about each, and who does it",
            );
        }
        Ok(self.to(State::Approved, Document { approver_subject: approver.to_owned(), ..self.document.clone() }))
    }

    /// Shown.
    pub fn publish(&self, now: Timestamp) -> Result<Change> {
        self.expect(&[State::Approved])?;
        if self.document.plan.start_time <= now {
            return Err(Error::invalid("activity_id", "TIME_NOT_PLAUSIBLE", "it has begun already; move it first"));
        }
        let change = self.to(State::Published, Document { publish_time: Some(now), ..self.document.clone() });
        Ok(Change { fact: Some(Fact::Published), ..change })
    }

    /// Moved (CA-88).
    pub fn reschedule(&self, start: Timestamp, end: Timestamp, to: Option<Timestamp>, reason: &str, now: Timestamp) -> Result<Change> {
        self.expect(&[State::Approved, State::Published])?;
        let before = &self.document;
        let to_time = to.unwrap_or_else(|| before.plan.to_time.min(end));
        let plan = Plan { start_time: start, end_time: end, to_time, ..before.plan.clone() };
        let mut bad = Violations::new();
        expect_ahead(&plan, now, &mut bad);
        plan.check(&mut bad);
        bad.finish()?;
        let document = Document {
            plan,
            previous_start_time: Some(before.plan.start_time),
            reschedule_count: before.reschedule_count + 1,
            reason_code: reason.to_owned(),
            ..before.clone()
        };
        Ok(Change { gives_notice: self.state == State::Published, ..self.to(self.state, document) })
    }

    /// Called off (CA-88).
    pub fn cancel(&self, reason: &str) -> Result<Change> {
        self.expect(&[State::Draft, State::Approved, State::Published])?;
        let document = Document { reason_code: reason.to_owned(), ..self.document.clone() };
        Ok(Change { gives_notice: self.state == State::Published, ..self.to(State::Cancelled, document) })
    }

    /// Held and counted.
    pub fn close(&self, now: Timestamp) -> Result<Change> {
        self.expect(&[State::Published])?;
        if now < self.document.plan.start_time {
            return Err(Error::invalid("activity_id", "TIME_NOT_PLAUSIBLE", "it has not begun yet"));
        }
        Ok(Change { fact: Some(Fact::Closed), ..self.to(State::Closed, self.document.clone()) })
    }

    /// Whether a party may register now.
    pub fn takes(&self, party_size: u32, now: Timestamp) -> Result<()> {
        self.expect(&[State::Published])?;
        let plan = &self.document.plan;
        if now < plan.from_time || now >= plan.to_time {
            let window = format!("registration is open from {} to {}", plan.from_time, plan.to_time);
            return precondition("REGISTRATION_NOT_OPEN", format!("{NOUN} {}", self.id), window);
        }
        if party_size > plan.max_party_size {
            return Err(Error::invalid("party_size", "PARTY_TOO_LARGE", format!("must be at most {}", plan.max_party_size)));
        }
        Ok(())
    }

    /// Refuses unless it stands in one of these states.
    pub fn expect(&self, states: &[State]) -> Result<()> {
        if states.contains(&self.state) {
            return Ok(());
        }
        let allowed: &[&str] = match self.state {
            State::Draft => &["UpdateActivity", "ApproveActivity", "CancelActivity"],
            State::Approved => &["UpdateActivity", "PublishActivity", "RescheduleActivity", "CancelActivity"],
            State::Published => &["UpdateActivity", "RescheduleActivity", "CancelActivity", "CloseActivity", "Register", "CheckIn"],
            State::Closed => &["LinkActivityOpinion"],
            State::Cancelled => &[],
        };
        let (subject, state) = (format!("{NOUN} {}", self.id), self.state.as_str());
        let detail = format!("an activity that is {state} does not allow this");
        Err(WrongState::new("ACTIVITY_STATE_FORBIDS", subject, state.to_uppercase(), allowed.iter().copied(), detail).into())
    }
}

/// What is planned lies ahead.
pub fn expect_ahead(plan: &Plan, now: Timestamp, bad: &mut Violations) {
    if plan.start_time <= now {
        bad.add("plan.start_time", "TIME_NOT_PLAUSIBLE", "must not lie in the past");
    }
}

#[cfg(test)]
#[path = "tests/activity.rs"]
mod tests;
