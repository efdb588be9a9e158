//! Estates: the unit of scope (CP-12).

use jiff::Timestamp;
use jiff::tz::TimeZone;
use steward_kit::ids::{EstateId, GroupId, RegionId};

use super::premises::PremisesType;

/// An estate as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estate {
    /// Its id.
    pub id: EstateId,
    /// The property group it belongs to.
    pub group_id: GroupId,
    /// The region of the group.
    pub region_id: RegionId,
    /// Name as people say it.
    pub name: String,
    /// Short code, unique in the group.
    pub code: String,
    /// Division code of the city, six digits.
    pub city_code: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// What it is mainly used for.
    pub premises_type: PremisesType,
    /// Units in it now.
    pub unit_count: i32,
    /// Rises with each change.
    pub row_version: i64,
    /// When it was registered.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

/// What to change in an estate; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EstateChange {
    /// New region.
    pub region_id: Option<RegionId>,
    /// New name.
    pub name: Option<String>,
    /// New code.
    pub code: Option<String>,
    /// New division code.
    pub city_code: Option<String>,
    /// New time zone.
    pub time_zone: Option<String>,
    /// New use.
    pub premises_type: Option<PremisesType>,
}

impl Estate {
    /// The estate after `change` at `now`, one version on.
    #[must_use]
    pub fn changed(&self, change: EstateChange, now: Timestamp) -> Self {
        let old = self.clone();
        Self {
            region_id: change.region_id.unwrap_or(old.region_id),
            name: change.name.unwrap_or(old.name),
            code: change.code.unwrap_or(old.code),
            city_code: change.city_code.unwrap_or(old.city_code),
            time_zone: change.time_zone.unwrap_or(old.time_zone),
            premises_type: change.premises_type.unwrap_or(old.premises_type),
            row_version: old.row_version + 1,
            update_time: now,
            ..old
        }
    }
}

/// Whether the IANA database knows the zone. `None` of its aliases are rewritten: the name is kept as given.
pub fn is_time_zone(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

/// Six digits; which cities exist is not ours to know.
pub fn is_city_code(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}
