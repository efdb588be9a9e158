//! The projection of the customer service's units: that they exist, and in which building.

use std::collections::HashMap;

use jiff::Timestamp;
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
}

/// Notes that these units exist, and where. Noting one twice changes nothing; what is told of its building later holds.
pub(crate) async fn put_units(conn: &mut PgConnection, estate: ScopedEstate, units: &[KnownUnit], now: Timestamp) -> Result<()> {
    let ids: Vec<Uuid> = units.iter().map(|unit| unit.id.as_uuid()).collect();
    let buildings: Vec<Option<String>> = units.iter().map(|unit| unit.building.clone()).collect();
    sqlx::query!(
        "INSERT INTO work_order.units AS u (estate_id, id, create_time, building_code)
         SELECT DISTINCT ON (n.id) $1::uuid, n.id, $4::timestamptz, n.building
           FROM unnest($2::uuid[], $3::text[]) AS n (id, building) ORDER BY n.id
         ON CONFLICT ON CONSTRAINT units_pkey DO UPDATE SET building_code = EXCLUDED.building_code
          WHERE EXCLUDED.building_code IS NOT NULL AND u.building_code IS DISTINCT FROM EXCLUDED.building_code",
        estate.as_uuid(),
        &ids,
        &buildings as &[Option<String>],
        now.to_sqlx() as jiff_sqlx::Timestamp,
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
