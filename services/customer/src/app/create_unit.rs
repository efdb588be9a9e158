//! New buildings (one trip), entrances and units (two: the place first).

use jiff::civil::Date;
use prost::Message;
use steward_kit::ids::{EstateId, HouseholdId, UnitId};
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::{App, Call};
use crate::domain::ids::{BuildingId, EntranceId};
use crate::domain::premises::{Occupancy, PremisesType};
use crate::domain::unit::{Building, Entrance, Unit};
use crate::events::publish;
use crate::store::tree::{find_place, insert_building, insert_entrance};
use crate::store::units::insert_unit;

/// A building to record.
#[derive(Debug, Clone)]
pub(crate) struct NewBuilding {
    pub(crate) estate_id: EstateId,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) floor_count: i32,
}

/// An entrance to record.
#[derive(Debug, Clone)]
pub(crate) struct NewEntrance {
    pub(crate) building_id: BuildingId,
    pub(crate) code: String,
}

/// A unit to record.
#[derive(Debug, Clone)]
pub(crate) struct NewUnit {
    pub(crate) building_id: BuildingId,
    pub(crate) entrance_id: Option<EntranceId>,
    pub(crate) code: String,
    pub(crate) floor: Option<i32>,
    pub(crate) premises_type: Option<PremisesType>,
    pub(crate) area_square_metres: f64,
    pub(crate) delivery_date: Option<Date>,
    pub(crate) occupancy: Occupancy,
}

impl App {
    pub(crate) async fn create_building<R: Message + Default>(&self, call: &Call<'_, Building, R>, new: NewBuilding) -> Result<R> {
        self.transact(call, "building", None, || async {
            let now = self.clock.now();
            let estate = call.access.scope.estate(new.estate_id)?;
            let building = Building {
                id: BuildingId::new(),
                estate_id: estate.id(),
                code: new.code.clone(),
                name: if new.name.is_empty() { new.code.clone() } else { new.name.clone() },
                floor_count: new.floor_count,
                create_time: now,
            };
            let answer = (call.answer)(&building);
            let effects = Effects { claim: Some(self.claim(call, &answer)), ..Effects::none() };
            let written = insert_building(self.db.pool(), estate, &building, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }

    pub(crate) async fn create_entrance<R: Message + Default>(&self, call: &Call<'_, Entrance, R>, new: NewEntrance) -> Result<R> {
        self.transact(call, "entrance", None, || async {
            let now = self.clock.now();
            let place = find_place(self.db.pool(), &call.access.scope, new.building_id, None).await?;
            let place = place.ok_or_else(|| Error::not_found("building", new.building_id))?;
            let entrance = Entrance {
                id: EntranceId::new(),
                estate_id: place.estate_id,
                building_id: new.building_id,
                code: new.code.clone(),
                create_time: now,
            };
            let answer = (call.answer)(&entrance);
            let effects = Effects { claim: Some(self.claim(call, &answer)), ..Effects::none() };
            let written = insert_entrance(self.db.pool(), &entrance, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }

    pub(crate) async fn create_unit<R: Message + Default>(&self, call: &Call<'_, Unit, R>, new: NewUnit) -> Result<R> {
        self.transact(call, "unit", None, || async {
            let now = self.clock.now();
            let place = find_place(self.db.pool(), &call.access.scope, new.building_id, new.entrance_id).await?;
            let place = place.ok_or_else(|| Error::not_found("building", new.building_id))?;
            let entrance_code = match new.entrance_id {
                Some(id) => place.entrance_code.ok_or_else(|| Error::not_found("entrance", id))?,
                None => String::new(),
            };
            let unit = Unit {
                id: UnitId::new(),
                estate_id: place.estate_id,
                building_id: new.building_id,
                entrance_id: new.entrance_id,
                household_id: HouseholdId::new(),
                building_code: place.building_code,
                entrance_code,
                code: new.code.clone(),
                floor: new.floor,
                premises_type: new.premises_type.unwrap_or(place.estate_premises_type),
                area_square_metres: new.area_square_metres,
                delivery_date: new.delivery_date,
                occupancy: new.occupancy,
                row_version: 1,
                create_time: now,
                update_time: now,
            };
            let answer = (call.answer)(&unit);
            let claim = Some(self.claim(call, &answer));
            let effects = Effects { claim, events: vec![publish::unit_created(&unit, now)], timers: vec![] };
            let written = insert_unit(self.db.pool(), &unit, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }
}
