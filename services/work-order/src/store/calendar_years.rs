//! When the loaded calendar years were loaded. (The years themselves are kit-store's.)

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::PgExecutor;
use steward_kit::Result;
use steward_kit_store::StoreResult;

/// Loaded national years, and when each was loaded last. Calendars belong to no estate, so there is no scope.
pub(crate) async fn list_loaded_years(db: impl PgExecutor<'_>) -> Result<BTreeMap<i16, Timestamp>> {
    let rows = sqlx::query!(
        "SELECT year, update_time FROM work_order.calendar_years WHERE region IS NULL
             -- unscoped: the official calendar belongs to everybody"
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| (row.year, row.update_time.to_jiff())).collect())
}
