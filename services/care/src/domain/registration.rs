//! A household that registered for an activity.

use jiff::Timestamp;
use steward_kit::Result;
use steward_kit::error::WrongState;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId, UnitId};
use uuid::Uuid;

use super::community_codes::RegistrationState as State;

/// What the resource is called.
pub const NOUN: &str = "registration";

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its id.
    pub id: Uuid,
    /// The activity.
    pub activity_id: Uuid,
    /// The estate.
    pub estate_id: EstateId,
    /// The household.
    pub household_id: HouseholdId,
    /// Its unit.
    pub unit_id: UnitId,
    /// Whom to tell.
    pub customer_id: Option<CustomerId>,
    /// Persons.
    pub party_size: i32,
    /// Where it stands.
    pub state: State,
    /// Its place in order of arrival.
    pub sequence: i32,
    /// Its number on the waiting list; `None` when it had its places at once.
    pub waiting_number: Option<i32>,
    /// What is shown at the door.
    pub check_in_code: String,
    /// When it registered.
    pub register_time: Timestamp,
    /// When it got its places.
    pub confirm_time: Option<Timestamp>,
    /// When it came.
    pub check_in_time: Option<Timestamp>,
    /// When it was cancelled.
    pub cancel_time: Option<Timestamp>,
}

impl Registration {
    /// As it was when it was made, whatever has become of it since: what a repeated request is answered.
    #[must_use]
    pub fn at_first(self) -> Self {
        let waits = self.waiting_number.is_some();
        Self {
            state: if waits { State::Waiting } else { State::Confirmed },
            confirm_time: (!waits).then_some(self.register_time),
            check_in_time: None,
            cancel_time: None,
            ..self
        }
    }

    /// A refusal: its state does not allow the verb.
    pub fn forbids<A>(&self) -> Result<A> {
        let allowed: &[&str] = match self.state {
            State::Confirmed => &["CancelRegistration", "CheckIn"],
            State::Waiting => &["CancelRegistration"],
            State::CheckedIn | State::NoShow | State::Lapsed | State::Cancelled => &[],
        };
        let (subject, state) = (format!("{NOUN} {}", self.id), self.state.as_str());
        let detail = format!("a registration that is {state} does not allow this");
        Err(WrongState::new("REGISTRATION_STATE_FORBIDS", subject, state.to_uppercase(), allowed.iter().copied(), detail).into())
    }
}
