//! Invitations: that a household is asked, and that it took part. Never what it answered.

use jiff::Timestamp;
use steward_kit::Result;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId, UnitId};

use super::codes::InvitationState;
use super::design::Subject;
use super::ids::{InvitationId, WaveId};
use super::refusal::forbids;

/// A household that is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Its estate.
    pub estate_id: EstateId,
    /// Its wave.
    pub wave_id: WaveId,
    /// The household.
    pub household_id: HouseholdId,
    /// Its unit.
    pub unit_id: UnitId,
    /// Who is asked.
    pub customer_id: Option<CustomerId>,
    /// Where it stands.
    pub state: InvitationState,
    /// Its stratum.
    pub stratum: String,
    /// Its weight, in millionths.
    pub weight: i64,
    /// Reminders sent.
    pub reminder_count: u32,
    /// A place in the quota is held for it.
    pub holds_place: bool,
    /// Why it could not be delivered.
    pub failure_code: String,
    /// When it was made.
    pub invite_time: Timestamp,
    /// When it arrived.
    pub deliver_time: Option<Timestamp>,
    /// When it was opened.
    pub open_time: Option<Timestamp>,
    /// When the questionnaire was begun.
    pub start_time: Option<Timestamp>,
    /// When an answer came.
    pub respond_time: Option<Timestamp>,
    /// What made it due, of a standing wave.
    pub subject: Option<Subject>,
    /// Mark of the nonce that a token was taken for.
    pub token_mark: Option<Vec<u8>>,
    /// Its version as a row.
    pub row_version: i64,
}

impl Invitation {
    /// The questionnaire is opened. Opening it again, or after it was begun, changes nothing: `None`.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn open(&self, now: Timestamp) -> Result<Option<Self>> {
        match self.state {
            InvitationState::Invited | InvitationState::Delivered | InvitationState::Undeliverable => {
                Ok(Some(Self { state: InvitationState::Opened, open_time: Some(now), ..self.clone() }))
            }
            InvitationState::Opened | InvitationState::Started => Ok(None),
            InvitationState::Responded | InvitationState::Participated => Err(self.forbids()),
        }
    }

    /// The questionnaire is begun.
    ///
    /// # Errors
    /// STATE_FORBIDS.
    pub fn start(&self, holds_place: bool, now: Timestamp) -> Result<Self> {
        match self.state {
            InvitationState::Invited
            | InvitationState::Delivered
            | InvitationState::Undeliverable
            | InvitationState::Opened
            | InvitationState::Started => Ok(Self {
                state: InvitationState::Started,
                open_time: self.open_time.or(Some(now)),
                start_time: self.start_time.or(Some(now)),
                holds_place,
                ..self.clone()
            }),
            InvitationState::Responded | InvitationState::Participated => Err(self.forbids()),
        }
    }

    fn forbids(&self) -> steward_kit::Error {
        forbids(format!("invitation {}", self.id), self.state.as_str(), &[], "it was answered")
    }
}
