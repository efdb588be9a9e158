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

/// A date of an estate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EstateDate {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) subject_code: String,
    pub(crate) date: Date,
    pub(crate) is_reached: bool,
    pub(crate) row_version: i64,
    pub(crate) update_time: Timestamp,
}

/// Dates of an estate after a place, by kind and subject; of one kind if it is given. One trip.
pub(crate) async fn list_dates(
    db: impl PgExecutor<'_>,
    estate: EstateId,
    kind: Option<&str>,
    after: Option<(&str, &str)>,
    limit: i64,
) -> Result<Vec<EstateDate>> {
    let rows = sqlx::query!(
        "SELECT id, kind, subject_code, date, is_reached, row_version, update_time FROM care.estate_dates
          WHERE estate_id = $1 AND ($2::text IS NULL OR kind = $2) AND ($3::text IS NULL OR (kind, subject_code) > ($3, $4::text))
          ORDER BY kind, subject_code LIMIT $5
         -- unscoped: the estate was found in the caller's scope, or a timer named it",
        estate.as_uuid(),
        kind,
        after.map(|after| after.0),
        after.map(|after| after.1),
        limit,
    )
    .fetch_all(db)
    .await
    .store()?;
    let read = rows.into_iter().map(|row| EstateDate {
        id: row.id,
        kind: row.kind,
        subject_code: row.subject_code,
        date: row.date.to_jiff(),
        is_reached: row.is_reached,
        row_version: row.row_version,
        update_time: row.update_time.to_jiff(),
    });
    Ok(read.collect())
}

/// Sets a date; returns it as it then is. One trip.
pub(crate) async fn put_date(
    db: impl PgExecutor<'_>,
    estate: EstateId,
    kind: &str,
    subject: &str,
    date: Date,
    is_reached: bool,
    now: Timestamp,
) -> Result<EstateDate> {
    let row = sqlx::query!(
        "INSERT INTO care.estate_dates AS d (estate_id, id, kind, subject_code, date, is_reached, row_version, update_time)
         VALUES ($1, $2, $3, $4, $5, $6, 1, $7)
         ON CONFLICT ON CONSTRAINT estate_dates_pkey DO UPDATE
            SET date = EXCLUDED.date, is_reached = EXCLUDED.is_reached, row_version = d.row_version + 1, update_time = EXCLUDED.update_time
         RETURNING id, row_version
         -- unscoped: the estate was found in the caller's scope before",
        estate.as_uuid(),
        Uuid::now_v7(),
        kind,
        subject,
        date.to_sqlx() as jiff_sqlx::Date,
        is_reached,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_one(db)
    .await
    .store()?;
    let (kind, subject_code) = (kind.to_owned(), subject.to_owned());
    Ok(EstateDate { id: row.id, kind, subject_code, date, is_reached, row_version: row.row_version, update_time: now })
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
