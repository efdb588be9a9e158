//! Facts of orders that become facts of households: major complaints (CP-40), and repairs and complaints as uses of a
//! service (CP-06), so that "three repairs in 60 days" is a predicate.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::error::Violations;
use steward_kit::ids::{CustomerId, EstateId, UnitId, WorkOrderId};
use steward_kit::{Error, Result, proto};
use steward_kit_store::Effects;
use steward_kit_store::inbox::{EventHandler, payload};
use steward_proto::event::v1::Event;
use steward_proto::work_order::v1 as pb;

use crate::store::usages::{ComplaintOrder, clear_complaint, flag_complaint, use_of_order};

const CREATED: &str = "steward.work_order.v1.WorkOrderCreated";
const FLAGGED: &str = "steward.work_order.v1.MajorComplaintFlagged";
const CLEARED: &str = "steward.work_order.v1.MajorComplaintCleared";

/// Writes what orders tell of households.
#[derive(Debug)]
pub(crate) struct HouseholdFacts;

#[tonic::async_trait]
impl EventHandler for HouseholdFacts {
    fn wants(&self, kind: &str) -> bool {
        [CREATED, FLAGGED, CLEARED].contains(&kind)
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Event, now: Timestamp) -> Result<Effects> {
        let occurred = event.occur_time.as_ref().and_then(proto::timestamp).unwrap_or(now);
        let at = |time: Option<&prost_types::Timestamp>| time.and_then(proto::timestamp).unwrap_or(occurred);
        match event.r#type.as_str() {
            CREATED => {
                let fact: pb::WorkOrderCreated = payload(event)?;
                let facts = fact.order.unwrap_or_default();
                let service = facts.kind().as_str_name().trim_start_matches("WORK_ORDER_KIND_").to_lowercase();
                if let Some(order) = order(&facts)? {
                    use_of_order(tx, &order, &service, occurred).await?;
                }
            }
            FLAGGED => {
                let fact: pb::MajorComplaintFlagged = payload(event)?;
                if let Some(order) = order(&fact.order.unwrap_or_default())? {
                    flag_complaint(tx, &order, &fact.reason_codes, at(fact.flag_time.as_ref())).await?;
                }
            }
            CLEARED => {
                let fact: pb::MajorComplaintCleared = payload(event)?;
                if let Some(order) = order(&fact.order.unwrap_or_default())? {
                    clear_complaint(tx, &order, at(fact.clear_time.as_ref())).await?;
                }
            }
            _ => {}
        }
        Ok(Effects::none())
    }
}

/// Whose order it is; `None` for one that concerns no household.
fn order(facts: &pb::OrderFacts) -> Result<Option<ComplaintOrder>> {
    let mut bad = Violations::new();
    let id = bad.id::<WorkOrderId>("work_order_id", &facts.work_order_id);
    let estate_id = bad.id::<EstateId>("estate_id", &facts.estate_id);
    let unit_id = bad.optional_id::<UnitId>("unit_id", &facts.unit_id);
    let customer_id = bad.optional_id::<CustomerId>("customer_id", &facts.customer_id);
    bad.finish()?;
    if unit_id.is_none() && customer_id.is_none() {
        return Ok(None);
    }
    let (id, estate_id) = id.zip(estate_id).ok_or_else(|| Error::bug("an order without an id"))?;
    Ok(Some(ComplaintOrder { id, estate_id, unit_id, customer_id }))
}
