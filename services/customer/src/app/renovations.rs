//! How a unit is used, with dates. Each mutation two or three trips: what it is about, the estate's day, the write.

use jiff::civil::Date;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::ids::{EstateId, UnitId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;
use uuid::Uuid;

use super::keep_facts::local_date;
use super::{App, Call, Target};
use crate::domain::ids::RenovationId;
use crate::domain::premises::Occupancy;
use crate::domain::renovation::{Renovation, RenovationState, RenovationStep};
use crate::domain::unit::{Unit, UnitChange};
use crate::events::publish;
use crate::store::estates::find_estate;
use crate::store::renovations::{
    Period, RenovationFilter, find_renovation, insert_renovation, list_periods, list_renovations, record_occupancy, update_renovation,
};
use crate::store::units::find_unit;

/// A renovation to declare.
#[derive(Debug, Clone)]
pub(crate) struct NewRenovation {
    pub(crate) unit_id: UnitId,
    pub(crate) planned_from_date: Date,
    pub(crate) planned_to_date: Date,
    pub(crate) contractor: String,
    pub(crate) permit: String,
}

/// A use to record.
#[derive(Debug, Clone)]
pub(crate) struct NewOccupancy {
    pub(crate) occupancy: Occupancy,
    pub(crate) from_date: Date,
    pub(crate) source: String,
}

impl App {
    pub(crate) async fn record_occupancy<R: Message + Default>(
        &self,
        call: &Call<'_, Unit, R>,
        target: Target<UnitId>,
        new: NewOccupancy,
    ) -> Result<R> {
        self.transact(call, "unit", target.etag, || async {
            let (now, scope) = (self.clock.now(), &call.access.scope);
            let before = find_unit(self.db.pool(), scope, target.id, now).await?;
            let before = before.ok_or_else(|| Error::not_found("unit", target.id))?;
            target.check("unit", before.row_version)?;
            let today = self.today_in(call.access, before.estate_id).await?;
            let latest = list_periods(self.db.pool(), scope, before.id, None, 1, now).await?.pop();
            if new.from_date > today || latest.is_some_and(|period| new.from_date < period.from_date) {
                let text = "must not lie ahead, nor before the first day of the present period";
                return Err(Error::invalid("from_date", "OCCUPANCY_DATE_INVALID", text));
            }
            let after = before.changed(UnitChange { occupancy: Some(new.occupancy), ..UnitChange::default() }, now);
            let answer = (call.answer)(&after);
            let claim = Some(self.claim(call, &answer));
            let effects = Effects { claim, events: vec![publish::unit_updated(&after, now)], timers: vec![] };
            let written = record_occupancy(self.db.pool(), &after, new.from_date, &new.source, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }

    pub(crate) async fn list_occupancy_periods(&self, access: &Access, unit: UnitId, page: &PageRequest<Date>) -> Result<Vec<Period>> {
        let now = self.clock.now();
        self.get_unit(access, unit).await?;
        list_periods(self.db.pool(), &access.scope, unit, page.after, page.size.limit(), now).await
    }

    pub(crate) async fn declare_renovation<R: Message + Default>(&self, call: &Call<'_, Renovation, R>, new: NewRenovation) -> Result<R> {
        if new.planned_to_date < new.planned_from_date {
            return Err(Error::invalid("planned_to_date", "RENOVATION_DATES_REVERSED", "must not be before the first day"));
        }
        self.transact(call, "renovation", None, || async {
            let now = self.clock.now();
            let unit = find_unit(self.db.pool(), &call.access.scope, new.unit_id, now).await?;
            let unit = unit.ok_or_else(|| Error::not_found("unit", new.unit_id))?;
            let new = new.clone();
            let renovation = Renovation {
                id: RenovationId::new(),
                estate_id: unit.estate_id,
                unit_id: unit.id,
                household_id: unit.household_id,
                state: RenovationState::Declared,
                planned_from_date: new.planned_from_date,
                planned_to_date: new.planned_to_date,
                start_date: None,
                finish_date: None,
                contractor: new.contractor,
                permit: new.permit,
                row_version: 1,
                create_time: now,
                update_time: now,
            };
            let answer = (call.answer)(&renovation);
            let effects = Effects { claim: Some(self.claim(call, &answer)), ..Effects::none() };
            let by = &call.access.principal.subject;
            let written = insert_renovation(self.db.pool(), &renovation, by, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }

    /// Starts, finishes or cancels; without a day it is today in the estate.
    pub(crate) async fn step_renovation<R: Message + Default>(
        &self,
        call: &Call<'_, Renovation, R>,
        target: Target<RenovationId>,
        step: RenovationStep,
        day: Option<Date>,
    ) -> Result<R> {
        self.transact(call, "renovation", target.etag, || async {
            let now = self.clock.now();
            let before = find_renovation(self.db.pool(), &call.access.scope, target.id).await?;
            let before = before.ok_or_else(|| Error::not_found("renovation", target.id))?;
            target.check("renovation", before.row_version)?;
            let day = match day {
                Some(day) => day,
                None => self.today_in(call.access, before.estate_id).await?,
            };
            let after = before.stepped(step, day, now)?;
            let answer = (call.answer)(&after);
            let effects = Effects { claim: Some(self.claim(call, &answer)), ..Effects::none() };
            let written = update_renovation(self.db.pool(), &after, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }

    pub(crate) async fn list_renovations(
        &self,
        access: &Access,
        estate: EstateId,
        filter: &RenovationFilter,
        page: &PageRequest<Uuid>,
    ) -> Result<Vec<Renovation>> {
        list_renovations(self.db.pool(), access.scope.estate(estate)?, filter, page).await
    }

    /// The local day of an estate.
    pub(super) async fn today_in(&self, access: &Access, estate: EstateId) -> Result<Date> {
        let found = find_estate(self.db.pool(), access.scope.estate(estate)?).await?;
        let found = found.ok_or_else(|| Error::not_found("estate", estate))?;
        local_date(&found.time_zone, self.clock.now())
    }
}
