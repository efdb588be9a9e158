//! A report is taken in. One trip: order, clocks, history, timers, event and claim are one statement, which also looks
//! whether the unit exists and whether the policies are still those that decided. (Every 64th order takes a block of
//! numbers first, in one more. A unit that no event has told of yet is asked for, see `learn_unit`.)

use jiff::Timestamp;
use prost::Message;
use steward_kit::ids::{CustomerId, EstateId, UnitId, WorkOrderId};
use steward_kit::pii::Pii;
use steward_kit::{Error, Result};

use super::App;
use super::transact::Call;
use crate::domain::{CausedBy, Channel, Create, Kind, MediaRef, Origin, Urgency, WorkOrder, create};
use crate::events::effects_of;
use crate::store;

/// How often policies may change under a request before it gives up.
const TRIES: u32 = 3;

/// A report, decoded.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) estate_id: EstateId,
    pub(crate) unit_id: Option<UnitId>,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) kind: Kind,
    pub(crate) channel: Channel,
    pub(crate) description: Pii<String>,
    pub(crate) location: Pii<String>,
    pub(crate) media: Vec<MediaRef>,
    pub(crate) category: Option<String>,
    pub(crate) urgency: Option<Urgency>,
    pub(crate) occur_time: Option<Timestamp>,
    pub(crate) caused_by: Option<CausedBy>,
    pub(crate) origin: Option<Origin>,
    pub(crate) accused: Vec<String>,
}

impl App {
    /// Takes a report in.
    pub(crate) async fn create_work_order<R: Message + Default>(&self, call: &Call<'_, R>, report: Report) -> Result<R> {
        let estate = call.access.scope.estate(report.estate_id)?;
        // A customer reports for themselves; about anybody else they are told nothing.
        let own = call.access.scope.own_customer_id();
        if let (Some(own), Some(other)) = (own, report.customer_id.filter(|given| Some(*given) != own)) {
            tracing::debug!(%own, "a customer reported for another");
            return Err(Error::not_found("customer", other));
        }
        for _ in 0..TRIES {
            let now = self.clock.now();
            let rules = self.rules.of(report.estate_id, now).await?;
            let command = Create {
                id: WorkOrderId::new(),
                number: self.numbers.next(rules.year(now)).await?,
                estate_id: report.estate_id,
                unit_id: report.unit_id,
                customer_id: own.or(report.customer_id),
                kind: report.kind,
                channel: report.channel,
                description: report.description.clone(),
                location: report.location.clone(),
                media: report.media.clone(),
                category: report.category.clone(),
                urgency: report.urgency,
                occur_time: report.occur_time,
                caused_by: report.caused_by.clone(),
                origin: report.origin.clone(),
                accused: report.accused.clone(),
                actor: call.actor(),
                source: None,
            };
            let transition = match create(&command, &rules.context(), now) {
                Ok(transition) => transition,
                Err(refusal) => return self.unless_repeated(call, refusal.into()).await,
            };
            let answer = (call.answer)(&WorkOrder { row_version: 1, ..transition.order.clone() }, call.access);
            let effects = effects_of(&transition, Some(self.claim(call, &answer)));
            let pool = self.db.pool();
            match store::create_work_order(pool, &self.cipher, estate, &transition, &effects, rules.epoch, now).await? {
                Ok(store::Created::Yes) => {
                    self.after_commit(command.id, &effects);
                    return Ok(answer);
                }
                Ok(store::Created::UnitUnknown) => {
                    if let Some(unit) = report.unit_id
                        && self.learn_unit(estate, unit, now).await?
                    {
                        continue;
                    }
                    let refusal = Error::invalid("unit_id", "UNIT_UNKNOWN", "must be a unit of the estate");
                    return self.unless_repeated(call, refusal).await;
                }
                Ok(store::Created::PolicyMoved) => self.rules.policies.refresh().await?,
                Err(error) => return self.failed(call, error).await,
            }
        }
        Err(Error::unavailable("postgres", anyhow::anyhow!("policies changed {TRIES} times while a report was taken in")))
    }
}
