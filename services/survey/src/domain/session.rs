//! Interviews, focus groups and forums (SV-07, SV-08, SV-13).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::ids::{CustomerId, EstateId, HouseholdId};
use steward_kit::pii::Pii;
use steward_kit::{Error, Result};

use super::codes::{SessionKind, SessionState};
use super::ids::{FeedbackItemId, SessionId, WaveId};
use super::refusal::forbids;

/// A session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Its estate.
    pub estate_id: EstateId,
    /// The wave it belongs to.
    pub wave_id: Option<WaveId>,
    /// What it is.
    pub kind: SessionKind,
    /// Where it stands.
    pub state: SessionState,
    /// What it is about.
    pub topic: String,
    /// What is to be asked.
    pub guide: String,
    /// When it is to be held.
    pub appointment_time: Timestamp,
    /// Who takes part.
    pub participants: Vec<Participant>,
    /// Notes or transcript; sealed apart.
    #[serde(skip)]
    pub notes: Pii<String>,
    /// What it comes down to.
    pub themes: Vec<Theme>,
    /// Opinions that became feedback items.
    pub feedback_item_ids: Vec<FeedbackItemId>,
    /// When it was held.
    pub hold_time: Option<Timestamp>,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it last changed.
    #[serde(skip)]
    pub update_time: Timestamp,
    /// Its version as a row.
    #[serde(skip)]
    pub row_version: i64,
}

/// Somebody who takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// The customer.
    pub customer_id: Option<CustomerId>,
    /// The household.
    pub household_id: Option<HouseholdId>,
    /// Group that is heard.
    pub group: String,
    /// Under 18.
    pub is_minor: bool,
    /// Reference of the guardian's consent.
    pub guardian_consent_ref: String,
    /// When it was given.
    pub guardian_consent_time: Option<Timestamp>,
}

/// What was said, under a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theme {
    /// The code.
    pub code: String,
    /// How often it was said.
    pub mentions: u32,
    /// It is a need.
    pub is_need: bool,
    /// The need it is recorded as.
    pub need_code: String,
}

impl Session {
    /// Adds somebody. A minor takes part only with the guardian's consent (SV-08).
    ///
    /// # Errors
    /// STATE_FORBIDS, GUARDIAN_CONSENT_MISSING.
    pub fn add(&self, who: Participant, now: Timestamp) -> Result<Self> {
        self.must_be(SessionState::Planned)?;
        if who.is_minor && (who.guardian_consent_ref.trim().is_empty() || who.guardian_consent_time.is_none_or(|given| given > now)) {
            let detail = "a minor takes part only with the guardian's consent, given before";
            return Err(Error::invalid("guardian_consent_ref", "GUARDIAN_CONSENT_MISSING", detail));
        }
        let mut session = Self { update_time: now, ..self.clone() };
        session.participants.push(who);
        Ok(session)
    }

    /// It took place.
    ///
    /// # Errors
    /// STATE_FORBIDS, TIME_NOT_PLAUSIBLE.
    pub fn hold(&self, at: Timestamp, notes: Pii<String>, themes: Vec<Theme>, items: Vec<FeedbackItemId>, now: Timestamp) -> Result<Self> {
        self.must_be(SessionState::Planned)?;
        if at > now {
            return Err(Error::invalid("hold_time", "TIME_NOT_PLAUSIBLE", "must not lie in the future"));
        }
        Ok(Self {
            state: SessionState::Held,
            hold_time: Some(at),
            notes,
            themes,
            feedback_item_ids: items,
            update_time: now,
            ..self.clone()
        })
    }

    /// Codes the themes anew.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn code(&self, themes: Vec<Theme>, now: Timestamp) -> Result<Self> {
        self.must_be(SessionState::Held)?;
        Ok(Self { themes, update_time: now, ..self.clone() })
    }

    /// It does not take place.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn cancel(&self, now: Timestamp) -> Result<Self> {
        self.must_be(SessionState::Planned)?;
        Ok(Self { state: SessionState::Cancelled, update_time: now, ..self.clone() })
    }

    fn must_be(&self, state: SessionState) -> Result<()> {
        if self.state == state {
            return Ok(());
        }
        let allowed: &[&str] = match self.state {
            SessionState::Planned => &["add_participant", "hold", "cancel"],
            SessionState::Held => &["code"],
            SessionState::Cancelled => &[],
        };
        Err(forbids(format!("session {}", self.id), self.state.as_str(), allowed, "the session's state does not allow this"))
    }
}
