//! Renovations and periods of occupancy.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::ids::UnitId;
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::word;
use crate::domain::ids::RenovationId;
use crate::domain::premises::Occupancy;
use crate::domain::renovation::{Renovation, RenovationState};
use crate::domain::unit::Unit;

struct RenovationRow {
    id: Uuid,
    estate_id: Uuid,
    unit_id: Uuid,
    household_id: Uuid,
    state: String,
    planned_from_date: jiff_sqlx::Date,
    planned_to_date: jiff_sqlx::Date,
    start_date: Option<jiff_sqlx::Date>,
    finish_date: Option<jiff_sqlx::Date>,
    contractor: String,
    permit: String,
    row_version: i64,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
}

impl RenovationRow {
    fn into_renovation(self) -> Result<Renovation> {
        Ok(Renovation {
            id: self.id.into(),
            estate_id: self.estate_id.into(),
            unit_id: self.unit_id.into(),
            household_id: self.household_id.into(),
            state: word(&self.state, RenovationState::parse)?,
            planned_from_date: self.planned_from_date.to_jiff(),
            planned_to_date: self.planned_to_date.to_jiff(),
            start_date: self.start_date.map(jiff_sqlx::Date::to_jiff),
            finish_date: self.finish_date.map(jiff_sqlx::Date::to_jiff),
            contractor: self.contractor,
            permit: self.permit,
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
        })
    }
}

/// Writes a declared renovation.
pub(crate) async fn insert_renovation(pool: &PgPool, renovation: &Renovation, by: &str, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH created AS (
               INSERT INTO customer.renovations (id, estate_id, unit_id, household_id, state, planned_from_date, planned_to_date,
                   contractor, permit, declared_by, create_time, update_time)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) RETURNING estate_id, household_id
           ), noted AS (
               INSERT INTO customer.fact_changes (estate_id, household_id) SELECT c.estate_id, c.household_id FROM created c)
           SELECT (SELECT count(*) FROM created) AS "written!", (SELECT customer.write_effects($12) FROM created)::text AS effects"#,
        renovation.id.as_uuid(),
        renovation.estate_id.as_uuid(),
        renovation.unit_id.as_uuid(),
        renovation.household_id.as_uuid(),
        renovation.state.as_str(),
        renovation.planned_from_date.to_sqlx() as jiff_sqlx::Date,
        renovation.planned_to_date.to_sqlx() as jiff_sqlx::Date,
        renovation.contractor,
        renovation.permit,
        by,
        renovation.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// Writes a renovation over the version before it.
pub(crate) async fn update_renovation(pool: &PgPool, renovation: &Renovation, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH updated AS (
               UPDATE customer.renovations r
                  SET state = $3, start_date = $4, finish_date = $5, update_time = $6, row_version = $2
                WHERE r.id = $1 AND r.row_version = $2::bigint - 1 RETURNING r.estate_id, r.household_id
           ), noted AS (
               INSERT INTO customer.fact_changes (estate_id, household_id) SELECT u.estate_id, u.household_id FROM updated u)
           SELECT (SELECT count(*) FROM updated) AS "written!", (SELECT customer.write_effects($7) FROM updated)::text AS effects
           -- unscoped: guarded by the version of a row that was loaded through its scope"#,
        renovation.id.as_uuid(),
        renovation.row_version,
        renovation.state.as_str(),
        renovation.start_date.map(|date| date.to_sqlx()) as Option<jiff_sqlx::Date>,
        renovation.finish_date.map(|date| date.to_sqlx()) as Option<jiff_sqlx::Date>,
        renovation.update_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// One renovation of the scope.
pub(crate) async fn find_renovation(pool: &PgPool, scope: &Scope, id: RenovationId) -> Result<Option<Renovation>> {
    sqlx::query_as!(
        RenovationRow,
        "SELECT r.id, r.estate_id, r.unit_id, r.household_id, r.state, r.planned_from_date, r.planned_to_date, r.start_date,
                r.finish_date, r.contractor, r.permit, r.row_version, r.create_time, r.update_time
           FROM customer.renovations r WHERE r.id = $1 AND ($2::uuid[] IS NULL OR r.estate_id = ANY ($2))",
        id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_optional(pool)
    .await
    .store()?
    .map(RenovationRow::into_renovation)
    .transpose()
}

/// Which renovations of an estate.
#[derive(Debug, Default)]
pub(crate) struct RenovationFilter {
    pub(crate) state: Option<RenovationState>,
    pub(crate) unit_id: Option<UnitId>,
}

/// Renovations of an estate, newest first.
pub(crate) async fn list_renovations(
    pool: &PgPool,
    estate: ScopedEstate,
    filter: &RenovationFilter,
    page: &PageRequest<Uuid>,
) -> Result<Vec<Renovation>> {
    sqlx::query_as!(
        RenovationRow,
        "SELECT r.id, r.estate_id, r.unit_id, r.household_id, r.state, r.planned_from_date, r.planned_to_date, r.start_date,
                r.finish_date, r.contractor, r.permit, r.row_version, r.create_time, r.update_time
           FROM customer.renovations r
          WHERE r.estate_id = $1 AND ($2::text IS NULL OR r.state = $2) AND ($3::uuid IS NULL OR r.unit_id = $3)
            AND ($4::uuid IS NULL OR r.id < $4) ORDER BY r.id DESC LIMIT $5",
        estate.as_uuid(),
        filter.state.map(RenovationState::as_str),
        filter.unit_id.map(UnitId::as_uuid),
        page.after,
        page.size.limit(),
    )
    .fetch_all(pool)
    .await
    .store()?
    .into_iter()
    .map(RenovationRow::into_renovation)
    .collect()
}

/// A period of occupancy.
#[derive(Debug, Clone)]
pub(crate) struct Period {
    pub(crate) unit_id: UnitId,
    pub(crate) occupancy: Occupancy,
    pub(crate) from_date: Date,
    pub(crate) to_date: Option<Date>,
    pub(crate) source: String,
}

/// How a unit of the scope was used, latest first.
pub(crate) async fn list_periods(
    pool: &PgPool,
    scope: &Scope,
    unit: UnitId,
    before: Option<Date>,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Period>> {
    let rows = sqlx::query!(
        r#"SELECT p.occupancy, p.from_date, p.to_date, p.source
             FROM customer.visible_units($1, $2, $3) u JOIN customer.occupancy_periods p ON p.unit_id = u.id
            WHERE u.id = $4 AND ($5::date IS NULL OR p.from_date < $5) ORDER BY p.from_date DESC LIMIT $6"#,
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        unit.as_uuid(),
        before.map(|date| date.to_sqlx()) as Option<jiff_sqlx::Date>,
        limit,
    )
    .fetch_all(pool)
    .await
    .store()?;
    let periods = rows.into_iter().map(|row| {
        Ok(Period {
            unit_id: unit,
            occupancy: word(&row.occupancy, Occupancy::parse)?,
            from_date: row.from_date.to_jiff(),
            to_date: row.to_date.map(jiff_sqlx::Date::to_jiff),
            source: row.source,
        })
    });
    periods.collect()
}

/// Writes a unit's use from a day on, over the version before. The period goes in first: the trigger on units finds it and
/// adds none of its own.
pub(crate) async fn record_occupancy(pool: &PgPool, unit: &Unit, from: Date, source: &str, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH estate AS (
               SELECT id FROM customer.estates WHERE id = $4 FOR NO KEY UPDATE
           ), updated AS (
               UPDATE customer.units u SET occupancy = $3, update_time = $7, row_version = $2 FROM estate
                WHERE u.id = $1 AND u.row_version = $2::bigint - 1 AND u.estate_id = estate.id RETURNING u.id, u.estate_id
           ), ended AS (
               UPDATE customer.occupancy_periods p SET to_date = $5::date - 1 FROM updated u
                WHERE p.unit_id = u.id AND p.to_date IS NULL AND p.from_date < $5
           ), begun AS (
               INSERT INTO customer.occupancy_periods (unit_id, from_date, estate_id, occupancy, source)
               SELECT u.id, $5, u.estate_id, $3, $6 FROM updated u
               ON CONFLICT ON CONSTRAINT occupancy_periods_pkey
                  DO UPDATE SET occupancy = EXCLUDED.occupancy, source = EXCLUDED.source, to_date = NULL)
           SELECT (SELECT count(*) FROM updated) AS "written!", (SELECT customer.write_effects($8) FROM updated)::text AS effects
           -- unscoped: guarded by the version of a row that was loaded through its scope"#,
        unit.id.as_uuid(),
        unit.row_version,
        unit.occupancy.as_str(),
        unit.estate_id.as_uuid(),
        from.to_sqlx() as jiff_sqlx::Date,
        source,
        unit.update_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}
