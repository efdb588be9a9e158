//! Tenures.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::ids::{CustomerId, UnitId};
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::word;
use crate::domain::customer::CustomerKind;
use crate::domain::exit::Exit;
use crate::domain::ids::TenureId;
use crate::domain::tenure::{Tenure, TenureRole, TenureSource};
use crate::domain::vault::{Sealed, Vault};

pub(super) struct TenureRow {
    pub(super) id: Uuid,
    pub(super) estate_id: Uuid,
    pub(super) unit_id: Uuid,
    pub(super) customer_id: Uuid,
    pub(super) role: String,
    pub(super) from_date: jiff_sqlx::Date,
    pub(super) to_date: Option<jiff_sqlx::Date>,
    pub(super) source: String,
    pub(super) row_version: i64,
    pub(super) create_time: jiff_sqlx::Timestamp,
    pub(super) update_time: jiff_sqlx::Timestamp,
}

impl TenureRow {
    pub(super) fn into_tenure(self) -> Result<Tenure> {
        Ok(Tenure {
            id: self.id.into(),
            estate_id: self.estate_id.into(),
            unit_id: self.unit_id.into(),
            customer_id: self.customer_id.into(),
            role: word(&self.role, TenureRole::parse)?,
            from_date: self.from_date.to_jiff(),
            to_date: self.to_date.map(jiff_sqlx::Date::to_jiff),
            source: word(&self.source, TenureSource::parse)?,
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
        })
    }
}

/// A tenure as answers show it.
#[derive(Debug, Clone)]
pub(crate) struct ShownTenure {
    pub(crate) tenure: Tenure,
    pub(crate) unit_full_code: String,
    /// Masked for persons.
    pub(crate) customer_name: String,
    pub(crate) time_zone: String,
}

/// Which tenures to list.
#[derive(Debug, Default)]
pub(crate) struct TenureFilter {
    pub(crate) id: Option<TenureId>,
    pub(crate) unit_id: Option<UnitId>,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) on_date: Option<Date>,
}

/// Where a page of tenures ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TenureCursor {
    pub(crate) from_date: Date,
    pub(crate) id: Uuid,
}

/// Writes a new tenure and its effects. The customer's row is the lock that keeps their events in order.
pub(crate) async fn insert_tenure(pool: &PgPool, tenure: &Tenure, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH customer AS (
               SELECT id FROM customer.customers WHERE id = $4 FOR NO KEY UPDATE
           ), created AS (
               INSERT INTO customer.tenures
                   (id, estate_id, unit_id, customer_id, role, from_date, to_date, source, create_time, update_time)
               SELECT $1, $2, $3, id, $5, $6, $7, $8, $9, $9 FROM customer RETURNING id)
           SELECT (SELECT count(*) FROM created) AS "written!",
                  (SELECT customer.write_effects($10) FROM created)::text AS effects
                  -- unscoped: unit and customer were loaded through their scope"#,
        tenure.id.as_uuid(),
        tenure.estate_id.as_uuid(),
        tenure.unit_id.as_uuid(),
        tenure.customer_id.as_uuid(),
        tenure.role.as_str(),
        tenure.from_date.to_sqlx() as jiff_sqlx::Date,
        tenure.to_date.map(|date| date.to_sqlx()) as Option<jiff_sqlx::Date>,
        tenure.source.as_str(),
        tenure.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// Writes a tenure's last day over the version before it, and the exit that it comes with. Without one, an exit that came with an
/// earlier last day moves to the new one. One trip.
pub(crate) async fn update_tenure(pool: &PgPool, tenure: &Tenure, exit: Option<&Exit>, by: &str, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH customer AS (
               SELECT id FROM customer.customers WHERE id = $6 FOR NO KEY UPDATE
           ), updated AS (
               UPDATE customer.tenures t SET to_date = $3, update_time = $4, row_version = $2
                 FROM customer
                WHERE t.id = $1 AND t.row_version = $2::bigint - 1 AND t.customer_id = customer.id RETURNING t.*
           ), gone AS (
               INSERT INTO customer.exits (estate_id, id, customer_id, kind, exit_date, tenure_id, cause_work_order_ids, source,
                   recorded_by, create_time)
               SELECT u.estate_id, $7, u.customer_id, $8, u.to_date, u.id, '{}', 'tenure', $9, $4 FROM updated u WHERE $8::text IS NOT NULL
               ON CONFLICT (tenure_id) WHERE tenure_id IS NOT NULL
                  DO UPDATE SET kind = EXCLUDED.kind, exit_date = EXCLUDED.exit_date
           ), moved AS (
               UPDATE customer.exits x SET exit_date = u.to_date FROM updated u WHERE x.tenure_id = u.id AND $8::text IS NULL)
           SELECT (SELECT count(*) FROM updated) AS "written!",
                  (SELECT customer.write_effects($5) FROM updated)::text AS effects
                  -- unscoped: guarded by the version of a row that was loaded through its scope"#,
        tenure.id.as_uuid(),
        tenure.row_version,
        tenure.to_date.map(|date| date.to_sqlx()) as Option<jiff_sqlx::Date>,
        tenure.update_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
        tenure.customer_id.as_uuid(),
        exit.map(|exit| exit.id.as_uuid()),
        exit.map(|exit| exit.kind.as_str()),
        by,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// Tenures of the scope, newest first day first.
pub(crate) async fn list_tenures(
    pool: &PgPool,
    vault: &Vault,
    scope: &Scope,
    filter: &TenureFilter,
    page: &PageRequest<TenureCursor>,
    now: Timestamp,
) -> Result<Vec<ShownTenure>> {
    let rows = sqlx::query!(
        r#"SELECT t.id AS "id!", t.estate_id AS "estate_id!", t.unit_id AS "unit_id!", t.customer_id AS "customer_id!",
                  t.role AS "role!", t.from_date AS "from_date!", t.to_date AS "to_date?", t.source AS "source!",
                  t.row_version AS "row_version!", t.create_time AS "create_time!", t.update_time AS "update_time!",
                  u.full_code, e.time_zone, c.kind, c.data_key, c.name
             FROM customer.visible_tenures($1, $2, $3) t
             JOIN customer.units u ON u.id = t.unit_id
             JOIN customer.estates e ON e.id = t.estate_id
             JOIN customer.customers c ON c.id = t.customer_id
            WHERE ($4::uuid IS NULL OR t.unit_id = $4)
              AND ($5::uuid IS NULL OR t.customer_id = $5)
              AND ($6::uuid IS NULL OR t.id = $6)
              AND ($7::date IS NULL OR $7 BETWEEN t.from_date AND coalesce(t.to_date, 'infinity'::date))
              AND ($8::date IS NULL OR (t.from_date, t.id) < ($8, $9))
            ORDER BY t.from_date DESC, t.id DESC LIMIT $10"#,
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        filter.unit_id.map(UnitId::as_uuid),
        filter.customer_id.map(CustomerId::as_uuid),
        filter.id.map(TenureId::as_uuid),
        filter.on_date.map(|date| date.to_sqlx()) as Option<jiff_sqlx::Date>,
        page.after.as_ref().map(|after| after.from_date.to_sqlx()) as Option<jiff_sqlx::Date>,
        page.after.as_ref().map(|after| after.id).unwrap_or_default(),
        page.size.limit(),
    )
    .fetch_all(pool)
    .await
    .store()?;
    rows.into_iter()
        .map(|row| {
            let sealed = Sealed { data_key: row.data_key, name: row.name, ..Sealed::default() };
            let kind = word(&row.kind, CustomerKind::parse)?;
            let tenure = TenureRow {
                id: row.id,
                estate_id: row.estate_id,
                unit_id: row.unit_id,
                customer_id: row.customer_id,
                role: row.role,
                from_date: row.from_date,
                to_date: row.to_date,
                source: row.source,
                row_version: row.row_version,
                create_time: row.create_time,
                update_time: row.update_time,
            };
            Ok(ShownTenure {
                customer_name: vault.open(row.customer_id.into(), &sealed)?.masked(kind).name,
                tenure: tenure.into_tenure()?,
                unit_full_code: row.full_code,
                time_zone: row.time_zone,
            })
        })
        .collect()
}
