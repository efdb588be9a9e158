//! The projection of the customer service's units: that they exist, in which building, and when they were handed over.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::{EstateId, UnitId};
use steward_kit_store::StoreResult;
use uuid::Uuid;

/// A unit as this service needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownUnit {
    /// The unit.
    pub(crate) id: UnitId,
    /// Code of its building; `None` when it was not said.
    pub(crate) building: Option<String>,
    /// When it was handed over, `Some(None)` being not yet; `None` when it was not said.
    pub(crate) delivery_date: Option<Option<Date>>,
}

/// Notes that these units exist, and what is told of them. Noting one twice changes nothing; what is told later holds, and what is not
/// told stays as it is.
pub(crate) async fn put_units(conn: &mut PgConnection, estate: ScopedEstate, units: &[KnownUnit], now: Timestamp) -> Result<()> {
    let ids: Vec<Uuid> = units.iter().map(|unit| unit.id.as_uuid()).collect();
    let buildings: Vec<Option<String>> = units.iter().map(|unit| unit.building.clone()).collect();
    let dates: Vec<Option<jiff_sqlx::Date>> = units.iter().map(|unit| unit.delivery_date.flatten().map(|date| date.to_sqlx())).collect();
    let dated: Vec<bool> = units.iter().map(|unit| unit.delivery_date.is_some()).collect();
    sqlx::query!(
        "WITH told AS (
             SELECT DISTINCT ON (n.id) n.id, n.building, n.delivery_date, n.dated
               FROM unnest($2::uuid[], $3::text[], $5::date[], $6::boolean[]) AS n (id, building, delivery_date, dated) ORDER BY n.id
         )
         INSERT INTO work_order.units AS u (estate_id, id, create_time, building_code, delivery_date)
         SELECT $1::uuid, t.id, $4::timestamptz, t.building, t.delivery_date FROM told t ORDER BY t.id
         ON CONFLICT ON CONSTRAINT units_pkey DO UPDATE
            SET building_code = coalesce(EXCLUDED.building_code, u.building_code),
                delivery_date = CASE WHEN (SELECT t.dated FROM told t WHERE t.id = EXCLUDED.id) THEN EXCLUDED.delivery_date
                                     ELSE u.delivery_date END
          WHERE EXCLUDED.building_code IS DISTINCT FROM u.building_code OR EXCLUDED.delivery_date IS DISTINCT FROM u.delivery_date",
        estate.as_uuid(),
        &ids,
        &buildings as &[Option<String>],
        now.to_sqlx() as jiff_sqlx::Timestamp,
        &dates as &[Option<jiff_sqlx::Date>],
        &dated,
    )
    .execute(conn)
    .await
    .store()?;
    Ok(())
}

/// Codes of the buildings of the units of estates. One trip.
pub(crate) async fn list_buildings(db: impl PgExecutor<'_>, estates: &[Uuid]) -> Result<HashMap<EstateId, HashMap<UnitId, String>>> {
    let rows = sqlx::query!(
        r#"SELECT estate_id, id, building_code AS "building_code!" FROM work_order.units
            WHERE estate_id = ANY($1) AND building_code IS NOT NULL
           -- unscoped: estates that the caller was found to have"#,
        estates,
    )
    .fetch_all(db)
    .await
    .store()?;
    let mut buildings: HashMap<EstateId, HashMap<UnitId, String>> = HashMap::new();
    for row in rows {
        buildings.entry(row.estate_id.into()).or_default().insert(row.id.into(), row.building_code);
    }
    Ok(buildings)
}
