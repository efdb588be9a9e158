//! A parcel that is kept for a household (CA-62).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::Result;
use steward_kit::ids::{CustomerId, HouseholdId};
use uuid::Uuid;

use super::base::{Change, Document, Promise, Stored, TimerKind, forbids};
use super::community_codes::ParcelState as State;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The enrolment.
    pub enrolment_id: Uuid,
    /// The household.
    pub household_id: HouseholdId,
    /// Whom to tell.
    pub customer_id: Option<CustomerId>,
    /// Number on it.
    pub tracking_number: String,
    /// Where it lies.
    pub shelf_code: String,
    /// Where it stands.
    pub state: State,
    /// When it came.
    pub receive_time: Timestamp,
    /// Until when it is to be fetched.
    pub due_time: Timestamp,
    /// When it was fetched.
    pub hand_out_time: Option<Timestamp>,
}

/// What is told of a parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It was kept for as long as it may be.
    Overdue,
}

impl Document for Parcel {
    type Fact = Fact;

    const NOUN: &'static str = "parcel";

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn sort_time(&self) -> Timestamp {
        self.receive_time
    }
}

impl Parcel {
    /// As it is first kept.
    pub fn kept(self) -> Change<Self> {
        let due = self.due_time;
        Change::to(self).promise(Promise::set(TimerKind::ParcelDue, due))
    }

    /// It was to be fetched until now.
    pub fn lapse(&self) -> Option<Change<Self>> {
        (self.state == State::Kept).then(|| Change::to(Self { state: State::Overdue, ..self.clone() }).tell(Fact::Overdue))
    }
}

/// It was fetched.
pub fn hand_out(before: &Stored<Parcel>, now: Timestamp) -> Result<Change<Parcel>> {
    match before.value.state {
        State::Kept | State::Overdue => {
            let after = Parcel { state: State::HandedOut, hand_out_time: Some(now), ..before.value.clone() };
            Ok(Change::to(after).promise(Promise::cancel(TimerKind::ParcelDue)))
        }
        State::HandedOut => forbids::<Parcel, _>("PARCEL_STATE_FORBIDS", before.id, before.value.state.as_str(), &[]),
    }
}
