//! What a household's facts are derived from.

use std::collections::BTreeMap;

use jiff::civil::Date;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId, UnitId};

use super::super::customer::{ContactMode, CustomerKind, Language};
use super::super::premises::{Occupancy, PremisesType};
use super::super::tenure::TenureRole;

/// A household as the register has it.
#[derive(Debug, Clone)]
pub struct HouseholdSource {
    /// Its id.
    pub id: HouseholdId,
    /// Its estate.
    pub estate_id: EstateId,
    /// Its unit.
    pub unit_id: UnitId,
    /// The unit.
    pub unit: UnitSource,
    /// Since when it is used as it is.
    pub occupancy_date: Option<Date>,
    /// First day on which it was lived in or let.
    pub moved_in_date: Option<Date>,
    /// The latest renovation that was not cancelled.
    pub renovation: Option<RenovationSource>,
    /// Local day of the latest major complaint that stands.
    pub major_complaint_date: Option<Date>,
    /// Who has a tenure today; one entry a customer, with their strongest role.
    pub members: Vec<MemberSource>,
    /// Uses of services within the longest window.
    pub usages: Vec<UsageSource>,
}

/// A unit.
#[derive(Debug, Clone)]
pub struct UnitSource {
    /// What it is used for.
    pub premises_type: PremisesType,
    /// Code of the building.
    pub building_code: String,
    /// Code of the entrance.
    pub entrance_code: Option<String>,
    /// Floor.
    pub floor: Option<i32>,
    /// Floor area; 0 when not recorded.
    pub area_square_metres: f64,
    /// Day of handover.
    pub delivery_date: Option<Date>,
    /// How it is used, as recorded.
    pub occupancy: Occupancy,
}

/// A renovation.
#[derive(Debug, Clone, Copy)]
pub struct RenovationSource {
    /// It has begun and has not ended.
    pub is_active: bool,
    /// First day, as it was or as it is planned.
    pub start_date: Date,
    /// Last day, as it was or as it is planned.
    pub end_date: Date,
}

/// A member.
#[derive(Debug, Clone)]
pub struct MemberSource {
    /// The customer.
    pub customer_id: CustomerId,
    /// What they are to the unit.
    pub role: TenureRole,
    /// Since when.
    pub from_date: Date,
    /// Person or organisation.
    pub party: CustomerKind,
    /// A phone or an e-mail address that is not known to be wrong.
    pub is_reachable: bool,
    /// Language for messages.
    pub language: Language,
    /// How they want to be reached.
    pub contact_mode: ContactMode,
    /// Asked to be left alone.
    pub do_not_disturb: bool,
    /// Birthday, opened for this.
    pub birth_date: Option<Date>,
    /// Day of subscription for the unit.
    pub subscription_date: Option<Date>,
    /// Day of the contract for the unit.
    pub signing_date: Option<Date>,
    /// What they told of themselves, by code.
    pub attributes: BTreeMap<String, String>,
}

/// How often a service was used on a day.
#[derive(Debug, Clone)]
pub struct UsageSource {
    /// By whom; `None` where the member is not known: it counts for each.
    pub customer_id: Option<CustomerId>,
    /// The service.
    pub service_code: String,
    /// The day.
    pub use_date: Date,
    /// How often.
    pub use_count: i64,
}
