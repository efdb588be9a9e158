//! Cases around a case: what a rule for major complaints counts.

use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use steward_kit::auth::Scope;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;
use uuid::Uuid;

use crate::domain::{Around, MajorRule, WorkOrder};

/// Cases of the estate in the order's category, of the rule's kinds, within the days before the order and up to it.
pub(crate) async fn count_around(db: impl PgExecutor<'_>, scope: &Scope, order: &WorkOrder, rule: &MajorRule) -> Result<Around> {
    let since = order.receive_time - SignedDuration::from_hours(24 * i64::from(rule.within_days));
    let kinds: Vec<String> = rule.counted_kinds().iter().map(ToString::to_string).collect();
    let row = sqlx::query!(
        r#"SELECT count(DISTINCT unit_id) AS "households!",
                  count(*) FILTER (WHERE unit_id = $6 OR customer_id = $7) AS "reports!"
             FROM work_order.work_orders
            WHERE estate_id = $1 AND category = $2 AND kind = ANY($3) AND receive_time BETWEEN $4 AND $5 AND state <> 'cancelled'
              AND ($8::uuid[] IS NULL OR estate_id = ANY($8))"#,
        order.estate_id.as_uuid(),
        order.category,
        &kinds,
        since.to_sqlx() as jiff_sqlx::Timestamp,
        order.receive_time.to_sqlx() as jiff_sqlx::Timestamp,
        order.unit_id.map(Uuid::from),
        order.customer_id.map(Uuid::from),
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_one(db)
    .await
    .store()?;
    let count = |value: i64| u32::try_from(value).map_err(Error::internal);
    Ok(Around { households: count(row.households)?, reports: count(row.reports)? })
}
