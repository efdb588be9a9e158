//! What orders and services tell of a household: major complaints, and uses by day.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::ids::{CustomerId, EstateId, UnitId, WorkOrderId};
use steward_kit_store::StoreResult;

/// An order that concerns households: that of its unit, or without one those of its customer today.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ComplaintOrder {
    pub(crate) id: WorkOrderId,
    pub(crate) estate_id: EstateId,
    pub(crate) unit_id: Option<UnitId>,
    pub(crate) customer_id: Option<CustomerId>,
}

/// Notes a major complaint, and that the facts of its households change.
pub(crate) async fn flag_complaint(tx: &mut PgConnection, order: &ComplaintOrder, reasons: &[String], at: Timestamp) -> Result<()> {
    sqlx::query!(
        "WITH concerned AS (
             SELECT u.household_id, u.estate_id FROM customer.units u
              WHERE u.estate_id = $2 AND (u.id = $3 OR ($3::uuid IS NULL AND EXISTS (
                    SELECT FROM customer.tenures t JOIN customer.estates e ON e.id = t.estate_id
                     WHERE t.unit_id = u.id AND t.customer_id = $4 AND customer.holds(t.from_date, t.to_date, e.time_zone, $6))))
         ), flagged AS (
             INSERT INTO customer.major_complaints (work_order_id, household_id, estate_id, reason_codes, flag_time)
             SELECT $1, c.household_id, c.estate_id, $5, $6 FROM concerned c
             ON CONFLICT ON CONSTRAINT major_complaints_pkey
                DO UPDATE SET reason_codes = EXCLUDED.reason_codes, flag_time = EXCLUDED.flag_time, clear_time = NULL
             RETURNING household_id, estate_id)
         INSERT INTO customer.fact_changes (estate_id, household_id) SELECT f.estate_id, f.household_id FROM flagged f",
        order.id.as_uuid(),
        order.estate_id.as_uuid(),
        order.unit_id.map(UnitId::as_uuid),
        order.customer_id.map(CustomerId::as_uuid),
        reasons,
        at.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// Ends a major complaint.
pub(crate) async fn clear_complaint(tx: &mut PgConnection, order: &ComplaintOrder, at: Timestamp) -> Result<()> {
    sqlx::query!(
        "WITH cleared AS (
             UPDATE customer.major_complaints SET clear_time = $3 WHERE work_order_id = $1 AND estate_id = $2 AND clear_time IS NULL
             RETURNING household_id, estate_id)
         INSERT INTO customer.fact_changes (estate_id, household_id) SELECT c.estate_id, c.household_id FROM cleared c",
        order.id.as_uuid(),
        order.estate_id.as_uuid(),
        at.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// Counts an order as a use, by its kind.
pub(crate) async fn use_of_order(tx: &mut PgConnection, order: &ComplaintOrder, service: &str, at: Timestamp) -> Result<()> {
    sqlx::query!(
        "WITH used AS (
             INSERT INTO customer.service_usages AS s (household_id, customer_id, service_code, use_date, estate_id, use_count)
             SELECT u.household_id, coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid), $4,
                    ($5::timestamptz AT TIME ZONE e.time_zone)::date, u.estate_id, 1
               FROM customer.units u JOIN customer.estates e ON e.id = u.estate_id
              WHERE u.estate_id = $1 AND u.id = $2
             ON CONFLICT ON CONSTRAINT service_usages_pkey DO UPDATE SET use_count = s.use_count + 1
             RETURNING household_id, estate_id)
         INSERT INTO customer.fact_changes (estate_id, household_id) SELECT u.estate_id, u.household_id FROM used u",
        order.estate_id.as_uuid(),
        order.unit_id.map(UnitId::as_uuid),
        order.customer_id.map(CustomerId::as_uuid),
        service,
        at.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}
