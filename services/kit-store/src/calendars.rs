//! The official years: those that ship with the product, and those that operators loaded since.
//!
//! Next year's notice comes out in November; an operator loads it as data and every deadline computed from then on knows
//! it, without a release. A loaded year takes the place of the shipped one.

use std::sync::Arc;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, Row, SqlStr};
use steward_kit::calendar::{Calendars, HolidayYear};
use steward_kit::{Error, Result};
use uuid::Uuid;

use crate::db::Db;
use crate::epoch::{Cached, Loaded};
use crate::error::StoreResult;

/// The calendars, and the epoch they were true at (for the guard of a write, see [`crate::policy`]).
#[derive(Debug, Clone)]
pub struct CurrentCalendars {
    /// The policy epoch.
    pub epoch: i64,
    /// Shipped and loaded years; no working hours, which are data of a plan.
    pub calendars: Calendars,
}

/// The calendars of one service. Cheap to clone; clones share the memory.
#[derive(Debug, Clone)]
pub struct CalendarStore {
    db: Db,
    select: SqlStr,
    cached: Arc<Cached<Calendars>>,
}

impl CalendarStore {
    /// The calendars in `<schema>.calendar_years` over the shipped ones; loaded on first use.
    pub fn new(db: Db) -> Self {
        let select = db.sql("SELECT p.epoch, c.document FROM {schema}.policy_epoch p LEFT JOIN {schema}.calendar_years c ON true");
        Self { db, select, cached: Arc::default() }
    }

    /// A snapshot to compute with.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn current(&self) -> Result<CurrentCalendars> {
        let loaded = self.cached.get(&self.db, self.read()).await?;
        Ok(CurrentCalendars { epoch: loaded.epoch, calendars: loaded.value.clone() })
    }

    /// Loads a year, or loads it again, on the caller's connection. Deadlines that were provisional because of it are
    /// computed again by whoever keeps them.
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn load(&self, tx: &mut PgConnection, year: &HolidayYear, created_by: &str, now: Timestamp) -> Result<()> {
        let sql = self.db.sql(
            "WITH loaded AS (
                 INSERT INTO {schema}.calendar_years (id, region, year, document, created_by, create_time, update_time)
                 VALUES ($1, $2, $3, $4, $5, $6, $6)
                 ON CONFLICT ON CONSTRAINT calendar_years_region_year_key DO UPDATE
                     SET document = EXCLUDED.document, created_by = EXCLUDED.created_by, update_time = EXCLUDED.update_time)
             UPDATE {schema}.policy_epoch SET epoch = epoch + 1",
        );
        sqlx::query(sql)
            .bind(Uuid::now_v7())
            .bind(year.region().map(|region| region.as_str()))
            .bind(year.year())
            .bind(year.to_json().to_string())
            .bind(created_by)
            .bind(now.to_sqlx())
            .execute(tx)
            .await
            .store()?;
        Ok(())
    }

    async fn read(&self) -> Result<Loaded<Calendars>> {
        let rows = sqlx::query(self.select.clone()).fetch_all(self.db.pool()).await.store()?;
        let mut loaded = Loaded { epoch: 0, value: Calendars::shipped() };
        for row in &rows {
            loaded.epoch = row.try_get("epoch").store()?;
            if let Some(document) = row.try_get::<Option<&str>, _>("document").store()? {
                loaded.value = loaded.value.with_year(HolidayYear::parse(document).map_err(Error::internal)?);
            }
        }
        Ok(loaded)
    }
}
