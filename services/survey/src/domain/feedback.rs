//! What is in the suggestion box, and what becomes of it (SV-11 to SV-15).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::Result;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId};
use steward_kit::pii::Pii;

use super::codes::{FeedbackSource, FeedbackState};
use super::ids::FeedbackItemId;
use super::refusal::forbids;

/// An opinion or suggestion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedbackItem {
    /// Its id.
    pub id: FeedbackItemId,
    /// Its estate.
    pub estate_id: EstateId,
    /// Its number.
    pub number: String,
    /// Where it stands.
    pub state: FeedbackState,
    /// Where it came from.
    pub source: FeedbackSource,
    /// Who said it.
    pub customer_id: Option<CustomerId>,
    /// Their household.
    pub household_id: Option<HouseholdId>,
    /// What was said; sealed apart.
    #[serde(skip)]
    pub text: Pii<String>,
    /// Its topic.
    pub topic: String,
    /// Role that it is routed to.
    pub owner_role: String,
    /// Id of what it came from.
    pub source_ref: String,
    /// When it came in.
    pub receive_time: Timestamp,
    /// When the customer was told that it came in.
    pub acknowledge_time: Timestamp,
    /// By when it must be collated.
    pub collate_due_time: Option<Timestamp>,
    /// When it was collated.
    pub collate_time: Option<Timestamp>,
    /// It was not collated in time.
    pub is_collation_overdue: bool,
    /// Why it was adopted or declined.
    pub decision_reason: String,
    /// What the bulletin says.
    pub public_reply: String,
    /// When it was assessed.
    pub assess_time: Option<Timestamp>,
    /// When it was decided.
    pub decide_time: Option<Timestamp>,
    /// When it was done.
    pub done_time: Option<Timestamp>,
    /// When it last changed.
    #[serde(skip)]
    pub update_time: Timestamp,
    /// Its version as a row.
    #[serde(skip)]
    pub row_version: i64,
}

/// An item that comes in.
#[derive(Clone, Debug)]
pub struct NewFeedback {
    /// Its estate.
    pub estate_id: EstateId,
    /// Where it came from.
    pub source: FeedbackSource,
    /// Who said it.
    pub customer_id: Option<CustomerId>,
    /// Their household.
    pub household_id: Option<HouseholdId>,
    /// What was said.
    pub text: Pii<String>,
    /// Its topic, if known.
    pub topic: String,
    /// Id of what it came from.
    pub source_ref: String,
    /// When it was said.
    pub receive_time: Timestamp,
}

/// What is decided about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It will be done.
    Adopt,
    /// It will not.
    Decline,
}

impl FeedbackItem {
    /// An item that came in: acknowledged at once, routed, its collation clock set. One that comes with its topic is collated.
    pub fn receive(new: NewFeedback, number: String, owner_role: String, collate_due: Option<Timestamp>, now: Timestamp) -> Self {
        let is_coded = !new.topic.is_empty();
        Self {
            id: FeedbackItemId::new(),
            estate_id: new.estate_id,
            number,
            state: FeedbackState::New,
            source: new.source,
            customer_id: new.customer_id,
            household_id: new.household_id,
            text: new.text,
            topic: new.topic,
            owner_role,
            source_ref: new.source_ref,
            receive_time: new.receive_time,
            acknowledge_time: now,
            collate_due_time: collate_due,
            collate_time: is_coded.then_some(now),
            is_collation_overdue: false,
            decision_reason: String::new(),
            public_reply: String::new(),
            assess_time: None,
            decide_time: None,
            done_time: None,
            update_time: now,
            row_version: 1,
        }
    }

    /// Codes it under the taxonomy. What is late stays late.
    #[must_use]
    pub fn collate(&self, topic: String, now: Timestamp) -> Self {
        let late = self.collate_time.is_none() && self.collate_due_time.is_some_and(|due| now > due);
        Self {
            topic,
            collate_time: self.collate_time.or(Some(now)),
            is_collation_overdue: self.is_collation_overdue || late,
            update_time: now,
            ..self.clone()
        }
    }

    /// Its collation was due and did not happen; `None` when it did.
    pub fn miss_collation(&self, now: Timestamp) -> Option<Self> {
        (self.collate_time.is_none() && !self.is_collation_overdue).then(|| Self {
            is_collation_overdue: true,
            update_time: now,
            ..self.clone()
        })
    }

    /// Looks at it.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn assess(&self, owner_role: String, now: Timestamp) -> Result<Self> {
        self.must_be(FeedbackState::New)?;
        Ok(Self { state: FeedbackState::Assessed, owner_role, assess_time: Some(now), update_time: now, ..self.clone() })
    }

    /// Decides about it.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn decide(&self, decision: Decision, reason: String, now: Timestamp) -> Result<Self> {
        self.must_be(FeedbackState::Assessed)?;
        let state = match decision {
            Decision::Adopt => FeedbackState::Adopted,
            Decision::Decline => FeedbackState::Declined,
        };
        Ok(Self { state, decision_reason: reason, decide_time: Some(now), update_time: now, ..self.clone() })
    }

    /// It was done.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn complete(&self, public_reply: String, now: Timestamp) -> Result<Self> {
        self.must_be(FeedbackState::Adopted)?;
        Ok(Self { state: FeedbackState::Done, public_reply, done_time: Some(now), update_time: now, ..self.clone() })
    }

    fn must_be(&self, state: FeedbackState) -> Result<()> {
        if self.state == state {
            return Ok(());
        }
        let allowed: &[&str] = match self.state {
            FeedbackState::New => &["collate", "assess"],
            FeedbackState::Assessed => &["collate", "adopt", "decline"],
            FeedbackState::Adopted => &["collate", "complete"],
            FeedbackState::Declined | FeedbackState::Done => &["collate"],
        };
        Err(forbids(format!("feedback item {}", self.id), self.state.as_str(), allowed, "the item's state does not allow this"))
    }
}
