//! Estates.

use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::ids::{EstateId, RegionId};
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::word;
use crate::domain::estate::Estate;
use crate::domain::premises::PremisesType;

struct EstateRow {
    id: Uuid,
    group_id: Uuid,
    region_id: Uuid,
    name: String,
    code: String,
    city_code: String,
    time_zone: String,
    premises_type: String,
    unit_count: i32,
    row_version: i64,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
}

impl EstateRow {
    fn into_estate(self) -> Result<Estate> {
        Ok(Estate {
            id: self.id.into(),
            group_id: self.group_id.into(),
            region_id: self.region_id.into(),
            name: self.name,
            code: self.code,
            city_code: self.city_code,
            time_zone: self.time_zone,
            premises_type: word(&self.premises_type, PremisesType::parse)?,
            unit_count: self.unit_count,
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
        })
    }
}

/// Where a page of estates ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EstateCursor {
    pub(crate) name: String,
    pub(crate) id: Uuid,
}

/// Which estates to list.
#[derive(Debug, Default)]
pub(crate) struct EstateFilter {
    pub(crate) region_id: Option<RegionId>,
    pub(crate) name_prefix: String,
}

/// Writes a new estate and its effects.
pub(crate) async fn insert_estate(pool: &PgPool, estate: &Estate, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH created AS (
               INSERT INTO customer.estates
                   (id, group_id, region_id, name, code, city_code, time_zone, premises_type, create_time, update_time)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) RETURNING id)
           SELECT (SELECT count(*) FROM created) AS "written!",
                  (SELECT customer.write_effects($10) FROM created)::text AS effects"#,
        estate.id.as_uuid(),
        estate.group_id.as_uuid(),
        estate.region_id.as_uuid(),
        estate.name,
        estate.code,
        estate.city_code,
        estate.time_zone,
        estate.premises_type.as_str(),
        estate.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// Writes an estate over the version before it.
pub(crate) async fn update_estate(pool: &PgPool, estate: &Estate, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH updated AS (
               UPDATE customer.estates
                  SET region_id = $3, name = $4, code = $5, city_code = $6, time_zone = $7, premises_type = $8,
                      update_time = $9, row_version = $2
                WHERE id = $1 AND row_version = $2::bigint - 1 RETURNING id)
           SELECT (SELECT count(*) FROM updated) AS "written!",
                  (SELECT customer.write_effects($10) FROM updated)::text AS effects
                  -- unscoped: guarded by the version of a row that was loaded through its scope"#,
        estate.id.as_uuid(),
        estate.row_version,
        estate.region_id.as_uuid(),
        estate.name,
        estate.code,
        estate.city_code,
        estate.time_zone,
        estate.premises_type.as_str(),
        estate.update_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// One estate of the scope.
pub(crate) async fn find_estate(pool: &PgPool, estate: ScopedEstate) -> Result<Option<Estate>> {
    sqlx::query_as!(
        EstateRow,
        "SELECT id, group_id, region_id, name, code, city_code, time_zone, premises_type, unit_count, row_version,
                create_time, update_time
           FROM customer.estates WHERE id = $1
           -- unscoped: the estate was found in the caller's scope",
        estate.as_uuid(),
    )
    .fetch_optional(pool)
    .await
    .store()?
    .map(EstateRow::into_estate)
    .transpose()
}

/// The scope's estates by name.
pub(crate) async fn list_estates(
    pool: &PgPool,
    scope: &Scope,
    filter: &EstateFilter,
    page: &PageRequest<EstateCursor>,
) -> Result<Vec<Estate>> {
    sqlx::query_as!(
        EstateRow,
        r#"SELECT id, group_id, region_id, name, code, city_code, time_zone, premises_type, unit_count, row_version,
                  create_time, update_time
             FROM customer.estates
            WHERE ($1::uuid[] IS NULL OR id = ANY ($1))
              AND ($2::uuid IS NULL OR region_id = $2)
              AND (starts_with(name, $3) OR starts_with(code, $3))
              AND ($4::text IS NULL OR (name COLLATE "C", id) > ($4, $5))
            ORDER BY name COLLATE "C", id LIMIT $6"#,
        scope.estates() as Option<Vec<Uuid>>,
        filter.region_id.map(RegionId::as_uuid),
        filter.name_prefix,
        page.after.as_ref().map(|after| after.name.clone()),
        page.after.as_ref().map(|after| after.id).unwrap_or_default(),
        page.size.limit(),
    )
    .fetch_all(pool)
    .await
    .store()?
    .into_iter()
    .map(EstateRow::into_estate)
    .collect()
}

/// The time zone of an estate that a row names.
pub(crate) async fn find_time_zone(conn: &mut PgConnection, estate: EstateId) -> Result<String> {
    sqlx::query_scalar!(
        "SELECT time_zone FROM customer.estates WHERE id = $1
             -- unscoped: a zone is no secret, and the estate comes from a row in scope",
        estate.as_uuid()
    )
    .fetch_one(conn)
    .await
    .store()
}
