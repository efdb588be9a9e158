//! Units.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::ids::UnitId;
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::word;
use crate::domain::ids::{BuildingId, EntranceId};
use crate::domain::premises::{Occupancy, PremisesType};
use crate::domain::unit::Unit;

pub(super) struct UnitRow {
    pub(super) id: Uuid,
    pub(super) estate_id: Uuid,
    pub(super) building_id: Uuid,
    pub(super) entrance_id: Option<Uuid>,
    pub(super) household_id: Uuid,
    pub(super) building_code: String,
    pub(super) entrance_code: String,
    pub(super) code: String,
    pub(super) floor: Option<i32>,
    pub(super) premises_type: String,
    pub(super) area_square_metres: f64,
    pub(super) delivery_date: Option<jiff_sqlx::Date>,
    pub(super) occupancy: String,
    pub(super) row_version: i64,
    pub(super) create_time: jiff_sqlx::Timestamp,
    pub(super) update_time: jiff_sqlx::Timestamp,
}

impl UnitRow {
    pub(super) fn into_unit(self) -> Result<Unit> {
        Ok(Unit {
            id: self.id.into(),
            estate_id: self.estate_id.into(),
            building_id: self.building_id.into(),
            entrance_id: self.entrance_id.map(EntranceId::from),
            household_id: self.household_id.into(),
            building_code: self.building_code,
            entrance_code: self.entrance_code,
            code: self.code,
            floor: self.floor,
            premises_type: word(&self.premises_type, PremisesType::parse)?,
            area_square_metres: self.area_square_metres,
            delivery_date: self.delivery_date.map(jiff_sqlx::Date::to_jiff),
            occupancy: word(&self.occupancy, Occupancy::parse)?,
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
        })
    }
}

/// Selects units `u` of `$from` with the codes above them; the nullability of a function's columns is told by hand.
macro_rules! select_units {
    ($tail:tt $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::store::units::UnitRow,
            r#"SELECT u.id AS "id!", u.estate_id AS "estate_id!", u.building_id AS "building_id!", u.entrance_id AS "entrance_id?",
                      u.household_id AS "household_id!", b.code AS building_code, coalesce(n.code, '') AS "entrance_code!",
                      u.code AS "code!", u.floor AS "floor?", u.premises_type AS "premises_type!",
                      u.area_square_metres AS "area_square_metres!", u.delivery_date AS "delivery_date?",
                      u.occupancy AS "occupancy!", u.row_version AS "row_version!",
                      u.create_time AS "create_time!", u.update_time AS "update_time!" "# + $tail
            $(, $arg)*
        )
    };
}
pub(super) use select_units;

/// Which units of an estate to list.
#[derive(Debug, Default)]
pub(crate) struct UnitFilter {
    pub(crate) building_id: Option<BuildingId>,
    pub(crate) entrance_id: Option<EntranceId>,
    pub(crate) occupancy: Option<Occupancy>,
    pub(crate) full_code_prefix: String,
}

/// Where a page of units ended: at this full code.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UnitCursor(pub(crate) String);

/// Writes a new unit and its effects. The estate's row is the lock that keeps its events in order.
pub(crate) async fn insert_unit(pool: &PgPool, unit: &Unit, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH counted AS (
               UPDATE customer.estates SET unit_count = unit_count + 1 WHERE id = $2 RETURNING id
           ), created AS (
               INSERT INTO customer.units (id, estate_id, building_id, entrance_id, household_id, code, full_code, floor,
                   premises_type, area_square_metres, delivery_date, occupancy, create_time, update_time)
               SELECT $1, id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13 FROM counted RETURNING id)
           SELECT (SELECT count(*) FROM created) AS "written!",
                  (SELECT customer.write_effects($14) FROM created)::text AS effects
                  -- unscoped: the estate was found in the caller's scope"#,
        unit.id.as_uuid(),
        unit.estate_id.as_uuid(),
        unit.building_id.as_uuid(),
        unit.entrance_id.map(EntranceId::as_uuid),
        unit.household_id.as_uuid(),
        unit.code,
        unit.full_code(),
        unit.floor,
        unit.premises_type.as_str(),
        unit.area_square_metres,
        unit.delivery_date.map(|date| date.to_sqlx()) as Option<jiff_sqlx::Date>,
        unit.occupancy.as_str(),
        unit.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// Writes a unit over the version before it.
pub(crate) async fn update_unit(pool: &PgPool, unit: &Unit, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH estate AS (
               SELECT id FROM customer.estates WHERE id = $10 FOR NO KEY UPDATE
           ), updated AS (
               UPDATE customer.units u
                  SET floor = $3, premises_type = $4, area_square_metres = $5, delivery_date = $6, occupancy = $7,
                      update_time = $8, row_version = $2
                 FROM estate
                WHERE u.id = $1 AND u.row_version = $2::bigint - 1 AND u.estate_id = estate.id RETURNING u.id)
           SELECT (SELECT count(*) FROM updated) AS "written!",
                  (SELECT customer.write_effects($9) FROM updated)::text AS effects
                  -- unscoped: guarded by the version of a row that was loaded through its scope"#,
        unit.id.as_uuid(),
        unit.row_version,
        unit.floor,
        unit.premises_type.as_str(),
        unit.area_square_metres,
        unit.delivery_date.map(|date| date.to_sqlx()) as Option<jiff_sqlx::Date>,
        unit.occupancy.as_str(),
        unit.update_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
        unit.estate_id.as_uuid(),
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// One unit of the scope, and its estate's time zone.
pub(crate) async fn find_unit(pool: &PgPool, scope: &Scope, id: UnitId, now: Timestamp) -> Result<Option<Unit>> {
    select_units!(
        "FROM customer.visible_units($1, $2, $3) u
         JOIN customer.buildings b ON b.id = u.building_id
         LEFT JOIN customer.entrances n ON n.id = u.entrance_id
         WHERE u.id = $4",
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        id.as_uuid(),
    )
    .fetch_optional(pool)
    .await
    .store()?
    .map(UnitRow::into_unit)
    .transpose()
}

/// Units of an estate by full code.
pub(crate) async fn list_units(
    pool: &PgPool,
    scope: &Scope,
    estate: ScopedEstate,
    filter: &UnitFilter,
    page: &PageRequest<UnitCursor>,
    now: Timestamp,
) -> Result<Vec<Unit>> {
    select_units!(
        r#"FROM customer.visible_units($1, $2, $3) u
           JOIN customer.buildings b ON b.id = u.building_id
           LEFT JOIN customer.entrances n ON n.id = u.entrance_id
           WHERE u.estate_id = $4
             AND ($5::uuid IS NULL OR u.building_id = $5)
             AND ($6::uuid IS NULL OR u.entrance_id = $6)
             AND ($7::text IS NULL OR u.occupancy = $7)
             AND starts_with(u.full_code, $8)
             AND ($9::text IS NULL OR u.full_code COLLATE "C" > $9)
           ORDER BY u.full_code COLLATE "C" LIMIT $10"#,
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        estate.as_uuid(),
        filter.building_id.map(BuildingId::as_uuid),
        filter.entrance_id.map(EntranceId::as_uuid),
        filter.occupancy.map(Occupancy::as_str),
        filter.full_code_prefix,
        page.after.as_ref().map(|after| after.0.as_str()),
        page.size.limit(),
    )
    .fetch_all(pool)
    .await
    .store()?
    .into_iter()
    .map(UnitRow::into_unit)
    .collect()
}
