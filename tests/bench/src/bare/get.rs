//! An order and its clocks by id, in one trip.

use sqlx::{FromRow, types::Json};
use steward_proto::work_order::v1 as pb;
use tonic::Status;
use uuid::Uuid;

use crate::{State, broken};

const SELECT: &str = "
SELECT o.estate_id, o.id, o.number, o.state, o.unit_id, o.customer_id, o.kind, o.category, o.urgency, o.classified_by, o.channel,
       o.description, o.location, o.assignee, o.first_receiver, o.occur_time, o.receive_time, o.cycle, o.urge_count, o.promise_time,
       o.close_code, o.memory, o.texts, o.history_position, o.history_hash, o.update_time, o.row_version,
       (SELECT coalesce(jsonb_agg(c.clock ORDER BY c.place), '[]') FROM bare.clocks c
         WHERE c.estate_id = o.estate_id AND c.work_order_id = o.id) AS clocks
  FROM bare.work_orders o WHERE o.id = $1";

/// What the answer is made of; the rest crosses the wire and is left as it is.
#[derive(FromRow)]
struct Order {
    estate_id: Uuid,
    id: Uuid,
    number: String,
    unit_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    category: String,
    row_version: i64,
    clocks: Json<Vec<serde::de::IgnoredAny>>,
}

pub(crate) async fn get(state: &State, request: pb::GetWorkOrderRequest) -> Result<pb::GetWorkOrderResponse, Status> {
    let id = Uuid::parse_str(&request.work_order_id).map_err(broken)?;
    let order: Order = sqlx::query_as(SELECT).bind(id).fetch_one(&state.pool).await.map_err(broken)?;
    let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let mut clocks = state.pattern.answer.clocks.clone();
    clocks.truncate(order.clocks.0.len());
    let work_order = pb::WorkOrder {
        id: order.id.to_string(),
        number: order.number,
        etag: order.row_version.to_string(),
        estate_id: order.estate_id.to_string(),
        unit_id: text(order.unit_id),
        customer_id: text(order.customer_id),
        category: order.category,
        clocks,
        ..state.pattern.answer.clone()
    };
    Ok(pb::GetWorkOrderResponse { work_order: Some(work_order) })
}
