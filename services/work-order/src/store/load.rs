//! Reading orders, always with their clocks and always through the caller's scope.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::crypto::FieldCipher;
use steward_kit::ids::{CustomerId, EstateId, WorkOrderId};
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::row::{Memory, OrderRow};
use crate::domain::{Clock, State, WorkOrder};

/// `SELECT` of whole orders `o`; the text says which ones.
macro_rules! select_orders {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            OrderRow,
            r#"SELECT o.estate_id, o.id, o.number, o.state, o.unit_id, o.customer_id, o.kind, o.category, o.urgency,
                      o.classified_by, o.channel, o.description, o.location, o.assignee, o.first_receiver, o.occur_time,
                      o.receive_time, o.cycle, o.urge_count, o.promise_time, o.close_code,
                      o.memory AS "memory: Json<Memory<'static>>", o.texts, o.history_position, o.history_hash,
                      o.update_time, o.row_version,
                      (SELECT coalesce(jsonb_agg(c.clock ORDER BY c.place), '[]') FROM work_order.clocks c
                        WHERE c.estate_id = o.estate_id AND c.work_order_id = o.id) AS "clocks!: Json<Vec<Clock>>",
                      (SELECT u.delivery_date FROM work_order.units u WHERE u.estate_id = o.estate_id AND u.id = o.unit_id)
                        AS "delivery_date: jiff_sqlx::Date""#
                + $which
            $(, $argument)*
        )
    };
}

/// Place of an order in every list: newest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct OrderKey {
    receive_time: Timestamp,
    id: WorkOrderId,
}

impl OrderKey {
    /// The place of an order.
    pub(crate) fn of(order: &WorkOrder) -> Self {
        Self { receive_time: order.receive_time, id: order.id }
    }
}

/// Where a page starts, as two columns; nothing on the first one.
fn start(page: &PageRequest<OrderKey>) -> (Option<jiff_sqlx::Timestamp>, Option<Uuid>) {
    (page.after.map(|key| key.receive_time.to_sqlx()), page.after.map(|key| key.id.as_uuid()))
}

/// One order with its clocks, if the scope has it. One trip.
pub(crate) async fn load_work_order(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    scope: &Scope,
    id: WorkOrderId,
) -> Result<Option<WorkOrder>> {
    let row = select_orders!(
        " FROM work_order.work_orders o
          WHERE o.id = $1
            AND ($2::uuid[] IS NULL OR o.estate_id = ANY($2)) AND ($3::uuid IS NULL OR o.customer_id = $3)",
        id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.map(|row| row.into_order(cipher)).transpose()
}

/// Those of `ids` that the scope has, with their clocks. One trip.
pub(crate) async fn load_work_orders(db: impl PgExecutor<'_>, cipher: &FieldCipher, scope: &Scope, ids: &[Uuid]) -> Result<Vec<WorkOrder>> {
    let rows = select_orders!(
        " FROM work_order.work_orders o WHERE o.id = ANY($1) AND ($2::uuid[] IS NULL OR o.estate_id = ANY($2))",
        ids,
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(|row| row.into_order(cipher)).collect()
}

/// Orders of an estate, newest first. One index range a state, so that the closed ones of ten years cost nothing.
pub(crate) async fn list_work_orders_of_estate(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    scope: &Scope,
    estate: ScopedEstate,
    states: &[State],
    page: &PageRequest<OrderKey>,
) -> Result<Vec<WorkOrder>> {
    let (receive_time, id) = start(page);
    let rows = select_orders!(
        " FROM unnest($2::text[]) AS s (state)
         CROSS JOIN LATERAL (
             SELECT * FROM work_order.work_orders w
              WHERE w.estate_id = $1 AND w.state = s.state AND ($3::uuid IS NULL OR w.customer_id = $3)
                AND ($4::timestamptz IS NULL OR (w.receive_time, w.id) < ($4, $5))
              ORDER BY w.receive_time DESC, w.id DESC LIMIT $6) o
         ORDER BY o.receive_time DESC, o.id DESC LIMIT $6",
        estate.as_uuid(),
        &codes(states),
        scope.own_customer(),
        receive_time as Option<jiff_sqlx::Timestamp>,
        id as Option<Uuid>,
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(|row| row.into_order(cipher)).collect()
}

/// Orders of one assignee in an estate, newest first.
pub(crate) async fn list_work_orders_of_assignee(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    scope: &Scope,
    estate: ScopedEstate,
    assignee: &str,
    states: &[State],
    page: &PageRequest<OrderKey>,
) -> Result<Vec<WorkOrder>> {
    let (receive_time, id) = start(page);
    let rows = select_orders!(
        " FROM unnest($2::text[]) AS s (state)
         CROSS JOIN LATERAL (
             SELECT * FROM work_order.work_orders w
              WHERE w.estate_id = $1 AND w.assignee = $7 AND w.state = s.state AND ($3::uuid IS NULL OR w.customer_id = $3)
                AND ($4::timestamptz IS NULL OR (w.receive_time, w.id) < ($4, $5))
              ORDER BY w.receive_time DESC, w.id DESC LIMIT $6) o
         ORDER BY o.receive_time DESC, o.id DESC LIMIT $6",
        estate.as_uuid(),
        &codes(states),
        scope.own_customer(),
        receive_time as Option<jiff_sqlx::Timestamp>,
        id as Option<Uuid>,
        page.size.limit(),
        assignee,
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(|row| row.into_order(cipher)).collect()
}

/// Which of a customer's orders.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfCustomer<'a> {
    /// Only in this estate.
    pub(crate) estate: Option<EstateId>,
    /// Only of this assignee.
    pub(crate) assignee: Option<&'a str>,
    /// Only in these states.
    pub(crate) states: &'a [State],
}

/// Orders of a customer in every estate of the scope, newest first.
pub(crate) async fn list_work_orders_of_customer(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    scope: &Scope,
    customer: CustomerId,
    wanted: &OfCustomer<'_>,
    page: &PageRequest<OrderKey>,
) -> Result<Vec<WorkOrder>> {
    let (receive_time, id) = start(page);
    let rows = select_orders!(
        " FROM work_order.work_orders o
         WHERE o.customer_id = $1 AND o.state = ANY($2::text[]) AND ($3::uuid IS NULL OR o.customer_id = $3)
           AND ($4::timestamptz IS NULL OR (o.receive_time, o.id) < ($4, $5))
           AND ($7::uuid[] IS NULL OR o.estate_id = ANY($7)) AND ($8::text IS NULL OR o.assignee = $8)
           AND ($9::uuid IS NULL OR o.estate_id = $9)
         ORDER BY o.receive_time DESC, o.id DESC LIMIT $6",
        customer.as_uuid(),
        &codes(wanted.states),
        scope.own_customer(),
        receive_time as Option<jiff_sqlx::Timestamp>,
        id as Option<Uuid>,
        page.size.limit(),
        scope.estates() as Option<Vec<Uuid>>,
        wanted.assignee,
        wanted.estate.map(Uuid::from),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(|row| row.into_order(cipher)).collect()
}

/// Place of an order among the owed calls.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct CallKey {
    call_due_time: Option<Timestamp>,
    id: WorkOrderId,
}

impl CallKey {
    /// The place of an order.
    pub(crate) fn of(order: &WorkOrder) -> Self {
        Self { call_due_time: order.call_due_time(), id: order.id }
    }
}

/// Orders of an estate whose customers somebody has to phone, the most urgent first.
pub(crate) async fn list_owed_calls(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    scope: &Scope,
    estate: ScopedEstate,
    page: &PageRequest<CallKey>,
) -> Result<Vec<WorkOrder>> {
    let rows = select_orders!(
        " FROM work_order.work_orders o
         WHERE o.estate_id = $1 AND o.call_due_time IS NOT NULL AND ($2::uuid IS NULL OR o.customer_id = $2)
           AND ($3::timestamptz IS NULL OR (o.call_due_time, o.id) > ($3, $4))
         ORDER BY o.call_due_time, o.id LIMIT $5",
        estate.as_uuid(),
        scope.own_customer(),
        page.after.and_then(|key| key.call_due_time).map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        page.after.map(|key| key.id.as_uuid()) as Option<Uuid>,
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(|row| row.into_order(cipher)).collect()
}

/// Orders of an estate whose number ends, or whose category begins, as given; newest first. The arguments are patterns of
/// `LIKE`, escaped by the caller; `number_end` is already reversed.
pub(crate) async fn search_work_orders(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    scope: &Scope,
    estate: ScopedEstate,
    number_end: &str,
    category_start: &str,
    page: &PageRequest<OrderKey>,
) -> Result<Vec<WorkOrder>> {
    let (receive_time, id) = start(page);
    let rows = select_orders!(
        " FROM work_order.work_orders o
         WHERE o.estate_id = $1 AND (reverse(o.number) LIKE $2 OR o.category LIKE $7)
           AND ($3::uuid IS NULL OR o.customer_id = $3)
           AND ($4::timestamptz IS NULL OR (o.receive_time, o.id) < ($4, $5))
         ORDER BY o.receive_time DESC, o.id DESC LIMIT $6",
        estate.as_uuid(),
        number_end,
        scope.own_customer(),
        receive_time as Option<jiff_sqlx::Timestamp>,
        id as Option<Uuid>,
        page.size.limit(),
        category_start,
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(|row| row.into_order(cipher)).collect()
}

fn codes(states: &[State]) -> Vec<String> {
    states.iter().map(ToString::to_string).collect()
}

/// Open orders of an order's estate within `window` of its receipt, of its unit or its customer, and of its kind or its category; newest
/// first. One index range each, however old the estate is.
pub(crate) async fn list_duplicate_candidates(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    scope: &Scope,
    order: &WorkOrder,
    window: SignedDuration,
    page: &PageRequest<OrderKey>,
) -> Result<Vec<WorkOrder>> {
    let (receive_time, id) = start(page);
    let ended: Vec<State> = State::ALL.iter().copied().filter(|state| state.is_ended()).collect();
    let rows = select_orders!(
        " FROM (SELECT w.id FROM work_order.work_orders w
                 WHERE w.estate_id = $1 AND w.unit_id = $7 AND w.receive_time BETWEEN $9 AND $10
                 UNION
                SELECT w.id FROM work_order.work_orders w
                 WHERE w.estate_id = $1 AND w.customer_id = $8 AND w.receive_time BETWEEN $9 AND $10) AS near
          JOIN work_order.work_orders o ON o.estate_id = $1 AND o.id = near.id
         WHERE o.id <> $2 AND o.state <> ALL($11::text[]) AND (o.kind = $12 OR (o.category = $13 AND o.category <> ''))
           AND ($3::uuid[] IS NULL OR o.estate_id = ANY($3))
           AND ($4::timestamptz IS NULL OR (o.receive_time, o.id) < ($4, $5))
         ORDER BY o.receive_time DESC, o.id DESC LIMIT $6",
        order.estate_id.as_uuid(),
        order.id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
        receive_time as Option<jiff_sqlx::Timestamp>,
        id as Option<Uuid>,
        page.size.limit(),
        order.unit_id.map(Uuid::from),
        order.customer_id.map(Uuid::from),
        (order.receive_time - window).to_sqlx() as jiff_sqlx::Timestamp,
        (order.receive_time + window).to_sqlx() as jiff_sqlx::Timestamp,
        &codes(&ended),
        order.kind.as_str(),
        order.category,
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(|row| row.into_order(cipher)).collect()
}
