//! The projection of the customer service's units: that they exist, and where.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::UnitId;
use steward_kit_store::StoreResult;
use uuid::Uuid;

/// Notes that these units exist. Noting one twice changes nothing.
pub(crate) async fn insert_units(conn: &mut PgConnection, estate: ScopedEstate, units: &[UnitId], now: Timestamp) -> Result<()> {
    let ids: Vec<Uuid> = units.iter().map(|unit| unit.as_uuid()).collect();
    sqlx::query!(
        "INSERT INTO work_order.units (estate_id, id, create_time) SELECT $1, id, $3 FROM unnest($2::uuid[]) AS id
         ON CONFLICT ON CONSTRAINT units_pkey DO NOTHING",
        estate.as_uuid(),
        &ids,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(conn)
    .await
    .store()?;
    Ok(())
}
