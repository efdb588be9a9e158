//! Facts of the customer service: which estates and units there are.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use prost::Name;
use sqlx::PgConnection;
use steward_kit::auth::Scope;
use steward_kit::error::Violations;
use steward_kit::ids::{EstateId, UnitId};
use steward_kit::{Error, Result};
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::inbox::{EventHandler, payload};
use steward_kit_store::{Effects, TimerChange};
use steward_proto::customer::v1 as customer;
use steward_proto::event::v1::Event;

use super::{DRAW_SPOT_CHECKS, ESTATE_DAY};
use crate::domain::Week;
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
        let units: Vec<Option<KnownUnit>> = units.iter().map(|unit| known(&mut bad, unit)).collect();
        let (estate, units) = bad.build(|| Some((estate?, units.into_iter().collect::<Option<Vec<_>>>()?)))?;
        put_units(tx, Scope::system("customer events").estate(estate)?, &units, now).await
    }
}

/// A new estate has its day, and spot checks are drawn of its weeks from the first one on.
fn first_timers(fact: &customer::EstateRegistered, now: Timestamp) -> Result<Effects> {
    let mut bad = Violations::new();
    let estate = bad.id::<EstateId>("estate_id", &fact.estate_id);
    let estate = bad.build(|| estate)?;
    let zone = TimeZone::get(&fact.time_zone).map_err(Error::internal)?;
    let week = Week::of(now, &zone).ok_or_else(|| Error::bug("a week lies outside the range of time"))?;
    // Due at once: from then on every day sets the next.
    let day = TimerChange::set(ESTATE_DAY, estate, "", estate, now);
    let timers = vec![day, TimerChange::set(DRAW_SPOT_CHECKS, estate, "", estate, week.end)];
    Ok(Effects { timers, ..Effects::none() })
}

fn known(bad: &mut Violations, unit: &customer::UnitFact) -> Option<KnownUnit> {
    let id = bad.id::<UnitId>("units.unit_id", &unit.unit_id);
    let building = Some(unit.building_code.clone()).filter(|code| !code.is_empty());
    // Empty is a unit that was not handed over; absent is a fact that is older than the field.
    let delivery_date = unit.delivery_date.as_deref().map(|date| bad.optional_date("units.delivery_date", date));
    Some(KnownUnit { id: id?, building, delivery_date })
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
            return first_timers(&payload(event)?, now);
        }
        Ok(Effects::none())
    }
}
