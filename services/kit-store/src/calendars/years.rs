//! Official years as rows: one for each year and region, the latest loaded.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, Row};
use steward_kit::calendar::HolidayYear;
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::CalendarStore;
use crate::error::StoreResult;

/// A year that an operator loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedYear {
    /// The document.
    pub year: HolidayYear,
    /// When it was loaded.
    pub load_time: Timestamp,
    /// The subject of whoever loaded it.
    pub loaded_by: String,
}

impl CalendarStore {
    /// Takes in a year on the caller's connection, unless one for the same year and region was loaded later: events may
    /// come twice, and late. Says whether it holds now.
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn apply_year(&self, tx: &mut PgConnection, loaded: &LoadedYear) -> Result<bool> {
        let sql = self.db.sql(
            "WITH loaded AS (
                 INSERT INTO {schema}.calendar_years AS c (id, region, year, document, created_by, create_time, update_time)
                 VALUES ($1, $2, $3, $4, $5, $6, $6)
                 ON CONFLICT ON CONSTRAINT calendar_years_region_year_key DO UPDATE
                     SET document = EXCLUDED.document, created_by = EXCLUDED.created_by, update_time = EXCLUDED.update_time
                   WHERE c.update_time <= EXCLUDED.update_time
                     AND (c.document, c.update_time) IS DISTINCT FROM (EXCLUDED.document, EXCLUDED.update_time)
                 RETURNING id)
             UPDATE {schema}.policy_epoch SET epoch = epoch + 1 WHERE EXISTS (SELECT FROM loaded)",
        );
        let written = sqlx::query(sql)
            .bind(Uuid::now_v7())
            .bind(loaded.year.region().map(|region| region.as_str()))
            .bind(loaded.year.year())
            .bind(loaded.year.to_json().to_string())
            .bind(&loaded.loaded_by)
            .bind(loaded.load_time.to_sqlx())
            .execute(tx)
            .await
            .store()?;
        Ok(written.rows_affected() > 0)
    }

    /// Every year that was loaded, oldest first, the national one before those of regions.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn loaded_years(&self) -> Result<Vec<LoadedYear>> {
        let sql = self.db.sql("SELECT document, created_by, update_time FROM {schema}.calendar_years ORDER BY year, region NULLS FIRST");
        let rows = sqlx::query(sql).fetch_all(self.db.pool()).await.store()?;
        rows.iter()
            .map(|row| {
                Ok(LoadedYear {
                    year: HolidayYear::parse(row.try_get("document").store()?).map_err(Error::internal)?,
                    load_time: row.try_get::<jiff_sqlx::Timestamp, _>("update_time").store()?.to_jiff(),
                    loaded_by: row.try_get("created_by").store()?,
                })
            })
            .collect()
    }
}
