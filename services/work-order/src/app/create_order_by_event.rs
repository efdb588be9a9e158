//! Another service asks for an order by a fact: a low score, an issue of a visit, a touchpoint (SV-45, CA-47). The order is
//! written in the consumer's transaction and has the id of the fact, so one fact is one order.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::auth::Scope;
use steward_kit::ids::{CustomerId, EstateId, UnitId, WorkOrderId};
use steward_kit::pii::Pii;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, store_error};

use super::App;
use crate::domain::{Actor, ActorKind, Channel, Create, Kind, Source, create};
use crate::events::effects_of;
use crate::store;

/// How often policies may change under a fact before it is tried again as a whole.
const TRIES: u32 = 3;

/// What a fact asks for.
#[derive(Debug)]
pub(crate) struct AskedOrder {
    /// The fact's id, and the order's.
    pub(crate) id: WorkOrderId,
    pub(crate) estate_id: EstateId,
    pub(crate) unit_id: Option<UnitId>,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) kind: Kind,
    pub(crate) channel: Channel,
    /// Heard if the estate has it; else the words decide.
    pub(crate) category: String,
    pub(crate) description: Pii<String>,
    pub(crate) source: Source,
    /// The service that asks.
    pub(crate) subject: &'static str,
}

impl App {
    /// Writes the order; its effects are for the caller to write, with those of the other facts of its batch. One trip.
    pub(crate) async fn create_order_by_event(&self, tx: &mut PgConnection, asked: AskedOrder, now: Timestamp) -> Result<Effects> {
        let estate = Scope::system("another service asks for an order").estate(asked.estate_id)?;
        for _ in 0..TRIES {
            let rules = self.rules.of(asked.estate_id, now).await?;
            let is_known = rules.context().policies.category(&asked.category).is_some();
            let command = Create {
                id: asked.id,
                number: self.numbers.next(rules.year(now)).await?,
                estate_id: asked.estate_id,
                unit_id: asked.unit_id,
                customer_id: asked.customer_id,
                kind: asked.kind,
                channel: asked.channel,
                description: asked.description.clone(),
                location: Pii::new(String::new()),
                media: Vec::new(),
                category: is_known.then(|| asked.category.clone()),
                urgency: None,
                occur_time: None,
                caused_by: None,
                origin: None,
                accused: Vec::new(),
                actor: Actor::new(ActorKind::Service, asked.subject.to_owned()),
                source: Some(asked.source.clone()),
            };
            let transition = create(&command, &rules.context(), now)?;
            let effects = effects_of(&transition, None);
            let none = Effects::none();
            match store::create_work_order(&mut *tx, &self.cipher, estate, &transition, &none, rules.epoch, now).await? {
                Ok(store::Created::Yes) => return Ok(effects),
                // The unit's own event is on its way; the consumer tries again.
                Ok(store::Created::UnitUnknown) => return Err(Error::bug("an order is asked for a unit that is not known")),
                Ok(store::Created::PolicyMoved) => self.rules.policies.refresh().await?,
                Err(error) => return Err(store_error(error)),
            }
        }
        Err(Error::unavailable("postgres", anyhow::anyhow!("policies changed {TRIES} times while an order was asked for")))
    }
}
