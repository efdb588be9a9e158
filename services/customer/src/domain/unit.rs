//! Buildings, entrances and units.

use jiff::Timestamp;
use jiff::civil::Date;
use steward_kit::ids::{EstateId, HouseholdId, UnitId};

use super::ids::{BuildingId, EntranceId};
use super::premises::{Occupancy, PremisesType};

/// A building of an estate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Building {
    /// Its id.
    pub id: BuildingId,
    /// Its estate.
    pub estate_id: EstateId,
    /// Code, unique in the estate.
    pub code: String,
    /// Name shown to people.
    pub name: String,
    /// Floors above ground; 0 when not recorded.
    pub floor_count: i32,
    /// When it was recorded.
    pub create_time: Timestamp,
}

/// An entrance of a building.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrance {
    /// Its id.
    pub id: EntranceId,
    /// Its estate.
    pub estate_id: EstateId,
    /// Its building.
    pub building_id: BuildingId,
    /// Code, unique in the building.
    pub code: String,
    /// When it was recorded.
    pub create_time: Timestamp,
}

/// A unit: the smallest place that a work order names.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// Its estate.
    pub estate_id: EstateId,
    /// Its building.
    pub building_id: BuildingId,
    /// Its entrance, if it has one.
    pub entrance_id: Option<EntranceId>,
    /// The household that lives there, whoever that is.
    pub household_id: HouseholdId,
    /// Code of the building.
    pub building_code: String,
    /// Code of the entrance; empty when it has none.
    pub entrance_code: String,
    /// Code, unique in its entrance.
    pub code: String,
    /// Floor, negative below ground.
    pub floor: Option<i32>,
    /// What it is used for.
    pub premises_type: PremisesType,
    /// Floor area; 0 when not recorded.
    pub area_square_metres: f64,
    /// Local date of handover.
    pub delivery_date: Option<Date>,
    /// How it is used now.
    pub occupancy: Occupancy,
    /// Rises with each change.
    pub row_version: i64,
    /// When it was recorded.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
}

/// What to change in a unit; `None` leaves a field as it is, an inner `None` takes it away.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnitChange {
    /// New floor.
    pub floor: Option<Option<i32>>,
    /// New use.
    pub premises_type: Option<PremisesType>,
    /// New area.
    pub area_square_metres: Option<f64>,
    /// New date of handover.
    pub delivery_date: Option<Option<Date>>,
    /// New occupancy.
    pub occupancy: Option<Occupancy>,
}

impl Unit {
    /// The code as people say it: `3-2-1802`.
    pub fn full_code(&self) -> String {
        full_code(&self.building_code, &self.entrance_code, &self.code)
    }

    /// The unit after `change` at `now`, one version on.
    #[must_use]
    pub fn changed(&self, change: UnitChange, now: Timestamp) -> Self {
        let old = self.clone();
        Self {
            floor: change.floor.unwrap_or(old.floor),
            premises_type: change.premises_type.unwrap_or(old.premises_type),
            area_square_metres: change.area_square_metres.unwrap_or(old.area_square_metres),
            delivery_date: change.delivery_date.unwrap_or(old.delivery_date),
            occupancy: change.occupancy.unwrap_or(old.occupancy),
            row_version: old.row_version + 1,
            update_time: now,
            ..old
        }
    }
}

/// Building, entrance and unit joined; a unit without an entrance has two parts.
pub fn full_code(building: &str, entrance: &str, unit: &str) -> String {
    if entrance.is_empty() { format!("{building}-{unit}") } else { format!("{building}-{entrance}-{unit}") }
}
