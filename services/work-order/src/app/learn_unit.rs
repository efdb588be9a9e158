//! A unit that no event has told of yet. Events come at least once, but not at once: before a report is refused for its
//! unit, the service that owns units is asked. Costs nothing while the projection knows the unit.

use std::time::Duration;

use jiff::Timestamp;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::client::{Identity, Peer, peer_error};
use steward_kit::ids::UnitId;
use steward_kit::proto::date;
use steward_kit_store::StoreResult;
use steward_proto::customer::v1::GetUnitRequest;
use steward_proto::customer::v1::unit_service_client::UnitServiceClient;
use tonic::Code;

use super::App;
use crate::store::{KnownUnit, put_units};

/// How long the owner of units may take: a caller waits for it.
const DEADLINE: Duration = Duration::from_secs(2);

/// Whom to ask about units.
#[derive(Clone, Debug)]
pub(crate) struct UnitOwner(UnitServiceClient<Peer>);

impl UnitOwner {
    /// The customer service at `url`, asked as this service.
    ///
    /// # Errors
    /// `url` is no URL that this service can call.
    pub(crate) fn at(url: &str, identity: &Identity) -> Result<Self> {
        Ok(Self(UnitServiceClient::new(Peer::connect(url, DEADLINE, identity)?)))
    }

    async fn find(&self, estate: ScopedEstate, id: UnitId) -> Result<Option<KnownUnit>> {
        let question = GetUnitRequest { unit_id: id.to_string() };
        match self.0.clone().get_unit(question).await {
            Ok(answer) => {
                let unit = answer.into_inner().unit.filter(|unit| unit.estate_id == estate.id().to_string());
                Ok(unit.map(|unit| KnownUnit {
                    id,
                    building: Some(unit.building_code).filter(|code| !code.is_empty()),
                    delivery_date: Some(date(&unit.delivery_date)),
                }))
            }
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(peer_error("customer", status)),
        }
    }
}

impl App {
    /// Whether the unit is one of the estate after all; then it is known from now on.
    ///
    /// # Errors
    /// [`steward_kit::Error::Unavailable`] when its owner cannot be asked: a true unit must not be refused.
    pub(super) async fn learn_unit(&self, estate: ScopedEstate, unit: UnitId, now: Timestamp) -> Result<bool> {
        let Some(owner) = &self.units else { return Ok(false) };
        let Some(unit) = owner.find(estate, unit).await? else { return Ok(false) };
        let mut conn = self.db.pool().acquire().await.store()?;
        put_units(&mut conn, estate, &[unit], now).await?;
        Ok(true)
    }
}
