//! Facts of the customer service: which estates and units there are.

use jiff::Timestamp;
use prost::Name;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::error::Violations;
use steward_kit::ids::{EstateId, UnitId};
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::inbox::{EventHandler, payload};
use steward_kit_store::{Effects, TimerChange};
use steward_proto::customer::v1 as customer;
use steward_proto::event::v1::Event;

use super::ESTATE_DAY;
use crate::store::{KnownUnit, put_units};

/// Keeps the estate directory and the unit projection.
pub(crate) struct CustomerEvents {
    estates: EstateDirectory,
}

impl CustomerEvents {
    pub(crate) fn new(estates: EstateDirectory) -> Self {
        Self { estates }
    }

    async fn units(&self, tx: &mut PgConnection, estate: &str, units: &[customer::UnitFact], now: Timestamp) -> Result<()> {
        let mut bad = Violations::new();
        let estate = bad.id::<EstateId>("estate_id", estate);
        let ids: Vec<String> = units.iter().map(|unit| unit.unit_id.clone()).collect();
        let ids = bad.ids::<UnitId>("units", &ids);
        let estate = bad.build(|| estate)?;
        let building = |unit: &customer::UnitFact| Some(unit.building_code.clone()).filter(|code| !code.is_empty());
        let units: Vec<KnownUnit> = ids.into_iter().zip(units).map(|(id, unit)| KnownUnit { id, building: building(unit) }).collect();
        put_units(tx, Scope::system("customer events").estate(estate)?, &units, now).await
    }
}

#[tonic::async_trait]
impl EventHandler for CustomerEvents {
    fn wants(&self, kind: &str) -> bool {
        let wanted = [customer::UnitCreated::full_name(), customer::UnitUpdated::full_name(), customer::UnitsImported::full_name()];
        EstateDirectory::wants(kind) || wanted.iter().any(|wanted| wanted == kind)
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        let kind = event.r#type.as_str();
        self.estates.hear(tx, event, now).await?;
        if kind == customer::UnitCreated::full_name() {
            let fact: customer::UnitCreated = payload(event)?;
            self.units(tx, &fact.estate_id, fact.unit.as_slice(), now).await?;
        } else if kind == customer::UnitUpdated::full_name() {
            let fact: customer::UnitUpdated = payload(event)?;
            self.units(tx, &fact.estate_id, fact.unit.as_slice(), now).await?;
        } else if kind == customer::UnitsImported::full_name() {
            let fact: customer::UnitsImported = payload(event)?;
            self.units(tx, &fact.estate_id, &fact.units, now).await?;
        } else if kind == customer::EstateRegistered::full_name() {
            let fact: customer::EstateRegistered = payload(event)?;
            let mut bad = Violations::new();
            let estate = bad.id::<EstateId>("estate_id", &fact.estate_id);
            let estate = bad.build(|| estate)?;
            // Due at once: from then on every day sets the next.
            return Ok(Effects { timers: vec![TimerChange::set(ESTATE_DAY, estate, "", estate, now)], ..Effects::none() });
        }
        Ok(Effects::none())
    }
}
