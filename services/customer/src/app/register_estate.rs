//! A new estate. One trip.

use prost::Message;
use steward_kit::Result;
use steward_kit::ids::{EstateId, GroupId, RegionId};
use steward_kit_store::Effects;

use super::{App, Call};
use crate::domain::estate::Estate;
use crate::domain::premises::PremisesType;
use crate::events::publish;
use crate::store::estates::insert_estate;

/// An estate to register.
#[derive(Debug, Clone)]
pub(crate) struct NewEstate {
    pub(crate) group_id: GroupId,
    pub(crate) region_id: RegionId,
    pub(crate) name: String,
    pub(crate) code: String,
    pub(crate) city_code: String,
    pub(crate) time_zone: String,
    pub(crate) premises_type: PremisesType,
}

impl App {
    pub(crate) async fn register_estate<R: Message + Default>(&self, call: &Call<'_, Estate, R>, new: NewEstate) -> Result<R> {
        self.transact(call, "estate", None, || async {
            let now = self.clock.now();
            let new = new.clone();
            let estate = Estate {
                id: EstateId::new(),
                group_id: new.group_id,
                region_id: new.region_id,
                name: new.name,
                code: new.code,
                city_code: new.city_code,
                time_zone: new.time_zone,
                premises_type: new.premises_type,
                unit_count: 0,
                row_version: 1,
                create_time: now,
                update_time: now,
            };
            let answer = (call.answer)(&estate);
            let claim = Some(self.claim(call, &answer));
            let effects = Effects { claim, events: vec![publish::estate_registered(&estate, now)], timers: vec![] };
            let written = insert_estate(self.db.pool(), &estate, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }
}
