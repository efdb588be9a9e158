//! How far the planner is, and the days that it counts from.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use steward_kit::Result;
use steward_kit::ids::{EstateId, HouseholdId};
use steward_kit_store::StoreResult;
use uuid::Uuid;

use crate::domain::codes::HouseholdDateKind;
use crate::domain::ids::ProgrammeId;

/// How far a programme is in an estate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Everything due before this day was planned.
    pub(crate) planned_date: Date,
    /// The definition that is next; 0 when a round was finished.
    pub(crate) definition: usize,
}

/// How far it is; `None` before the first time. One trip.
pub(crate) async fn load_run(db: impl PgExecutor<'_>, programme: ProgrammeId, estate: EstateId) -> Result<Option<Run>> {
    let row = sqlx::query!(
        "SELECT planned_date, definition FROM care.planner_runs WHERE programme_id = $1 AND estate_id = $2
         -- unscoped: a timer named the run",
        programme.as_uuid(),
        estate.as_uuid(),
    )
    .fetch_optional(db)
    .await
    .store()?;
    Ok(row.map(|row| Run { planned_date: row.planned_date.to_jiff(), definition: usize::try_from(row.definition).unwrap_or_default() }))
}

/// Remembers how far it is. One trip.
pub(crate) async fn save_run(db: impl PgExecutor<'_>, programme: ProgrammeId, estate: EstateId, run: Run, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "INSERT INTO care.planner_runs (programme_id, estate_id, planned_date, definition, update_time) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT ON CONSTRAINT planner_runs_pkey DO UPDATE
            SET planned_date = EXCLUDED.planned_date, definition = EXCLUDED.definition, update_time = EXCLUDED.update_time
         -- unscoped: a timer named the run",
        programme.as_uuid(),
        estate.as_uuid(),
        run.planned_date.to_sqlx() as jiff_sqlx::Date,
        i32::try_from(run.definition).unwrap_or(i32::MAX),
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(db)
    .await
    .store()?;
    Ok(())
}

/// What waits of a definition in an estate: id, household and the day it is counted from. One trip.
pub(crate) async fn live_of(
    db: impl PgExecutor<'_>,
    estate: EstateId,
    programme: ProgrammeId,
    definition: Option<&str>,
) -> Result<Vec<(Uuid, HouseholdId, Option<Date>)>> {
    let rows = sqlx::query!(
        r#"SELECT id, household_id AS "household_id!", document ->> 'anchor_date' AS anchor_date FROM care.touchpoints
            WHERE estate_id = $1 AND programme_id = $2 AND ($3::text IS NULL OR definition_code = $3)
              AND state IN ('planned', 'due', 'excluded') ORDER BY sort_time, id
           -- unscoped: a timer named the run"#,
        estate.as_uuid(),
        programme.as_uuid(),
        definition,
    )
    .fetch_all(db)
    .await
    .store()?;
    let read = |text: Option<String>| text.and_then(|text| text.parse().ok());
    Ok(rows.into_iter().map(|row| (row.id, row.household_id.into(), read(row.anchor_date))).collect())
}

/// Days of households that care was told. One trip.
pub(crate) async fn household_dates(
    db: impl PgExecutor<'_>,
    estate: EstateId,
    kind: HouseholdDateKind,
) -> Result<Vec<(HouseholdId, Date)>> {
    let rows = sqlx::query!(
        "SELECT household_id, date FROM care.household_dates WHERE estate_id = $1 AND kind = $2
         -- unscoped: a timer named the run",
        estate.as_uuid(),
        kind.as_str(),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| (row.household_id.into(), row.date.to_jiff())).collect())
}

/// The 315 plan of an estate that began last. One trip.
pub(crate) async fn latest_315(db: impl PgExecutor<'_>, estate: EstateId) -> Result<Option<Uuid>> {
    let row = sqlx::query!(
        "SELECT id FROM care.plans_315 WHERE estate_id = $1 ORDER BY sort_time DESC, id DESC LIMIT 1
         -- unscoped: a fact named the estate",
        estate.as_uuid(),
    )
    .fetch_optional(db)
    .await
    .store()?;
    Ok(row.map(|row| row.id))
}
