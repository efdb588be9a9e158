//! The household of a unit: who has a tenure there today (CP-13).

use jiff::Timestamp;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId, UnitId};

use super::customer::{AddressState, Contactability, Masked};
use super::ids::TenureId;
use super::tenure::TenureRole;

/// A household as it is today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Household {
    /// Its id, kept as people come and go.
    pub id: HouseholdId,
    /// The estate.
    pub estate_id: EstateId,
    /// The unit.
    pub unit_id: UnitId,
    /// Full code of the unit.
    pub unit_full_code: String,
    /// The members, owner first.
    pub members: Vec<Member>,
    /// Whether an owner is among all members, those that the caller may not see included.
    pub has_owner: bool,
    /// When it last changed.
    pub update_time: Timestamp,
}

/// A member of a household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The customer.
    pub customer_id: CustomerId,
    /// The tenure that makes the customer a member.
    pub tenure_id: TenureId,
    /// What the customer is to the unit.
    pub role: TenureRole,
    /// Personal data, masked.
    pub masked: Masked,
    /// Whether and how the customer can be reached.
    pub contactability: Contactability,
}

impl Member {
    /// A phone or an e-mail address that is not known to be wrong.
    pub fn is_reachable(&self) -> bool {
        (!self.masked.phone.is_empty() && self.contactability.phone_state != AddressState::Invalid)
            || (!self.masked.email.is_empty() && self.contactability.email_state != AddressState::Invalid)
    }
}

impl Household {
    /// The member to turn to first: who lives there before who owns it, and only who can be reached.
    pub fn main_contact(&self) -> Option<CustomerId> {
        let first = |role: TenureRole| match role {
            TenureRole::Tenant | TenureRole::Occupant => 0,
            TenureRole::Owner => 1,
            TenureRole::CoOwner => 2,
            TenureRole::CompanyContact => 3,
            TenureRole::FamilyMember => 4,
            TenureRole::Agent => 5,
        };
        let reachable = self.members.iter().filter(|member| member.is_reachable());
        reachable.min_by_key(|member| first(member.role)).map(|member| member.customer_id)
    }

    /// An owner, and somebody who can be reached.
    pub fn is_complete(&self) -> bool {
        self.has_owner && self.members.iter().any(Member::is_reachable)
    }
}
