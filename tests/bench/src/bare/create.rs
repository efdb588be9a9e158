//! An order's rows in one statement.

use steward_kit::clock::Clock;
use steward_proto::work_order::v1 as pb;
use tonic::Status;
use uuid::Uuid;

use crate::{State, broken, pattern::after, published::Birth};

/// Every row that the product writes for a new order, in one trip.
const INSERT: &str = "
WITH o AS (
    INSERT INTO bare.work_orders (estate_id, id, number, state, unit_id, customer_id, kind, category, urgency, classified_by, channel,
        description, location, occur_time, receive_time, cycle, urge_count, memory, texts, history_position, history_hash, update_time,
        row_version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, 1, 0, $15::jsonb, $16, $17, $18, $14, 1)
), c AS (
    INSERT INTO bare.clocks (estate_id, work_order_id, cycle, name, generation, place, state, start_time, due_time, provisional, clock)
    SELECT $1, $2, 1, n.name, 1, n.place, n.state, $14, n.due_time, false, n.clock::jsonb
      FROM unnest($19::text[], $20::int[], $21::text[], $22::timestamptz[], $23::text[]) AS n(name, place, state, due_time, clock)
), h AS (
    INSERT INTO bare.history (estate_id, work_order_id, position, action, state, actor_kind, actor_subject, occur_time, record_time,
        detail, hash)
    SELECT $1, $2, n.position, n.action, n.state, 'staff', 'bench', $14, $14, n.detail::jsonb, n.hash
      FROM unnest($24::int[], $25::text[], $26::text[], $27::text[], $28::bytea[]) AS n(position, action, state, detail, hash)
), f AS (
    INSERT INTO bare.case_facts (estate_id, work_order_id, cycle, number, unit_id, customer_id, is_last, kind, category, channel,
        standing, occur_time, receive_time, start_time, opinion, callback_provisional, is_case_score, suspended_seconds)
    VALUES ($1, $2, 1, $3, $5, $6, true, $7, $8, $11, $29, $14, $14, $14, $30, false, false, 0)
), n AS (
    INSERT INTO bare.figure_changes (estate_id, start_time, end_time) SELECT $1, $14, $14 FROM generate_series(1, $31::bigint)
), k AS (
    INSERT INTO bare.idempotency_claims (principal, method, request_id, request_hash, response, create_time)
    VALUES ('bench', 'CreateWorkOrder', $32, $18, $33, $14)
), t AS (
    INSERT INTO bare.timers (id, kind, subject_id, key, estate_id, due_time, wake_time, create_time)
    SELECT n.id, n.kind, $2, n.key, $1, n.due_time, n.due_time, $14
      FROM unnest($34::uuid[], $35::text[], $36::text[], $37::timestamptz[]) AS n(id, kind, key, due_time)
)
INSERT INTO bare.outbox (id, type, subject_id, estate_id, shard, occur_time, traceparent, payload, create_time)
VALUES ($38, $39, $2, $1, 0, $14, '', $40, $14)";

pub(crate) async fn create(state: &State, request: pb::CreateWorkOrderRequest) -> Result<pb::CreateWorkOrderResponse, Status> {
    let pattern = &state.pattern;
    let now = Clock::system().now();
    let (id, event) = (Uuid::now_v7(), Uuid::now_v7());
    let estate = Uuid::parse_str(&request.estate_id).map_err(broken)?;
    let number = format!("WO-2026-{:06}", id.as_u128() % 1_000_000);
    let due_times: Vec<_> = pattern.timers.due_after_ms.iter().map(|ms| after(now, *ms)).collect();
    let timers: Vec<Uuid> = due_times.iter().map(|_| Uuid::now_v7()).collect();
    let clock_due: Vec<_> = pattern.clocks.due_after_ms.iter().map(|ms| ms.map(|ms| after(now, ms))).collect();
    sqlx::query(INSERT)
        .bind(estate)
        .bind(id)
        .bind(&number)
        .bind(&pattern.order.state)
        .bind(Uuid::parse_str(&request.unit_id).map_err(broken)?)
        .bind(Uuid::parse_str(&request.customer_id).map_err(broken)?)
        .bind(&pattern.order.kind)
        .bind(&pattern.order.category)
        .bind(&pattern.order.urgency)
        .bind(&pattern.order.classified_by)
        .bind(&pattern.order.channel)
        .bind(&pattern.order.description)
        .bind(&pattern.order.location)
        .bind(after(now, 0))
        .bind(&pattern.order.memory)
        .bind(&pattern.order.texts)
        .bind(i32::try_from(pattern.history.positions.len()).map_err(broken)?)
        .bind(&pattern.order.history_hash)
        .bind(&pattern.clocks.names)
        .bind(&pattern.clocks.places)
        .bind(&pattern.clocks.states)
        .bind(&clock_due)
        .bind(&pattern.clocks.documents)
        .bind(&pattern.history.positions)
        .bind(&pattern.history.actions)
        .bind(&pattern.history.states)
        .bind(&pattern.history.details)
        .bind(&pattern.history.hashes)
        .bind(&pattern.facts.standing)
        .bind(&pattern.facts.opinion)
        .bind(pattern.changes.count)
        .bind(Uuid::parse_str(&request.request_id).map_err(broken)?)
        .bind(&pattern.claim.response)
        .bind(&timers)
        .bind(&pattern.timers.kinds)
        .bind(&pattern.timers.keys)
        .bind(&due_times)
        .bind(event)
        .bind(&pattern.event.r#type)
        .bind(&pattern.event.payload)
        .execute(&state.pool)
        .await
        .map_err(broken)?;
    let due_ms = due_times.iter().map(|due| due.to_jiff().as_millisecond());
    state.published.tell(Birth { event, timers: timers.into_iter().zip(due_ms).collect(), payload: pattern.event.payload.clone() });
    let (unit_id, customer_id) = (request.unit_id, request.customer_id);
    let (description, location) = (request.description, request.location);
    let order = pb::WorkOrder {
        id: id.to_string(),
        number,
        estate_id: request.estate_id,
        unit_id,
        customer_id,
        description,
        location,
        ..pattern.answer.clone()
    };
    Ok(pb::CreateWorkOrderResponse { work_order: Some(order) })
}
