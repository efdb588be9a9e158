//! Working hours as rows: versions that never change, the highest of a name and scope holds.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, Row};
use steward_kit::calendar::WorkingHours;
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::CalendarStore;
use crate::error::StoreResult;
use crate::policy::PolicyScope;

/// Working hours to load.
#[derive(Debug, Clone)]
pub struct NewHours {
    /// The calendar.
    pub hours: WorkingHours,
    /// Whom it is for.
    pub scope: PolicyScope,
}

/// A version of a working-hours calendar.
#[derive(Debug, Clone, PartialEq)]
pub struct HoursVersion {
    /// The calendar.
    pub hours: WorkingHours,
    /// Whom it is for.
    pub scope: PolicyScope,
    /// Counts from 1 in its name and scope.
    pub version: i64,
    /// When it was loaded.
    pub load_time: Timestamp,
    /// The subject of whoever loaded it.
    pub loaded_by: String,
}

impl CalendarStore {
    /// Adds a version on the caller's connection.
    ///
    /// # Errors
    /// Those of the statements.
    pub async fn load_hours(&self, tx: &mut PgConnection, new: &NewHours, by: &str, now: Timestamp) -> Result<HoursVersion> {
        // The epoch's row lock makes versions count one after the other: the next statement sees what was committed before.
        sqlx::query(self.db.sql("UPDATE {schema}.policy_epoch SET epoch = epoch + 1")).execute(&mut *tx).await.store()?;
        let sql = self.db.sql(
            "INSERT INTO {schema}.working_hours (id, scope_kind, scope_id, name, version, document, created_by, create_time)
             SELECT $1, $2, $3, $4, coalesce(max(version), 0) + 1, $5, $6, $7 FROM {schema}.working_hours
              WHERE scope_kind = $2 AND scope_id IS NOT DISTINCT FROM $3 AND name = $4
             RETURNING version",
        );
        let version: i64 = sqlx::query_scalar(sql)
            .bind(Uuid::now_v7())
            .bind(new.scope.kind())
            .bind(new.scope.id())
            .bind(new.hours.name())
            .bind(serde_json::to_string(&new.hours).map_err(Error::internal)?)
            .bind(by)
            .bind(now.to_sqlx())
            .fetch_one(tx)
            .await
            .store()?;
        Ok(HoursVersion { hours: new.hours.clone(), scope: new.scope, version, load_time: now, loaded_by: by.to_owned() })
    }

    /// Takes in a version that was loaded elsewhere. One that is there already, or that comes after a higher one, changes
    /// nothing that holds.
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn apply_hours(&self, tx: &mut PgConnection, loaded: &HoursVersion) -> Result<()> {
        let sql = self.db.sql(
            "WITH loaded AS (
                 INSERT INTO {schema}.working_hours (id, scope_kind, scope_id, name, version, document, created_by, create_time)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT ON CONSTRAINT working_hours_scope_name_version_key DO NOTHING RETURNING id)
             UPDATE {schema}.policy_epoch SET epoch = epoch + 1 WHERE EXISTS (SELECT FROM loaded)",
        );
        sqlx::query(sql)
            .bind(Uuid::now_v7())
            .bind(loaded.scope.kind())
            .bind(loaded.scope.id())
            .bind(loaded.hours.name())
            .bind(loaded.version)
            .bind(serde_json::to_string(&loaded.hours).map_err(Error::internal)?)
            .bind(&loaded.loaded_by)
            .bind(loaded.load_time.to_sqlx())
            .execute(tx)
            .await
            .store()?;
        Ok(())
    }

    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn hours(&self) -> Result<Vec<HoursVersion>> {
        let sql = self.db.sql(
            "SELECT DISTINCT ON (name, scope_kind, scope_id) scope_kind, scope_id, version, document, created_by, create_time
               FROM {schema}.working_hours ORDER BY name, scope_kind, scope_id, version DESC",
        );
        let rows = sqlx::query(sql).fetch_all(self.db.pool()).await.store()?;
        let mut versions = rows
            .iter()
            .map(|row| {
                Ok(HoursVersion {
                    hours: serde_json::from_str(row.try_get("document").store()?).map_err(Error::internal)?,
                    scope: PolicyScope::read(row.try_get("scope_kind").store()?, row.try_get("scope_id").store()?)?,
                    version: row.try_get("version").store()?,
                    load_time: row.try_get::<jiff_sqlx::Timestamp, _>("create_time").store()?.to_jiff(),
                    loaded_by: row.try_get("created_by").store()?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        versions.sort_by_key(|version| (version.hours.name().to_owned(), super::key(version.scope)));
        Ok(versions)
    }
}
