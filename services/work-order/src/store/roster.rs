//! Who works in an estate.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::Serialize;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::auth::ScopedEstate;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;

use super::row::count;
use crate::domain::{Lines, Shift, State, Worker};

/// A worker as the roster has them.
#[derive(Clone, Debug)]
pub(crate) struct Rostered {
    pub(crate) worker: Worker,
    pub(crate) update_time: Timestamp,
}

struct WorkerRow {
    principal: String,
    skills: Vec<String>,
    line_manager: Option<String>,
    shifts: Json<Vec<Shift>>,
    open_limit: i32,
    update_time: jiff_sqlx::Timestamp,
}

impl WorkerRow {
    fn into_rostered(self) -> Result<Rostered> {
        let worker = Worker {
            principal: self.principal,
            skills: self.skills,
            line_manager: self.line_manager,
            shifts: self.shifts.0,
            open_limit: count(self.open_limit)?,
        };
        Ok(Rostered { worker, update_time: self.update_time.to_jiff() })
    }
}

/// A worker on their way in.
#[derive(Serialize)]
struct GivenRow<'a> {
    principal: &'a str,
    skills: &'a [String],
    line_manager: Option<&'a str>,
    shifts: &'a [Shift],
    open_limit: u32,
}

/// Puts workers, each as a whole; answers which of them are new. One trip.
pub(crate) async fn put_workers(tx: &mut PgConnection, estate: ScopedEstate, workers: &[&Worker], now: Timestamp) -> Result<Vec<String>> {
    let given = |worker: &&Worker| {
        serde_json::to_value(GivenRow {
            principal: &worker.principal,
            skills: &worker.skills,
            line_manager: worker.line_manager.as_deref(),
            shifts: &worker.shifts,
            open_limit: worker.open_limit,
        })
    };
    let rows = workers.iter().map(given).collect::<Result<Vec<_>, _>>().map_err(Error::internal)?;
    let put = sqlx::query!(
        r#"INSERT INTO work_order.workers AS w (estate_id, principal, skills, line_manager, shifts, open_limit, update_time, row_version)
           SELECT $1, g.principal, g.skills, g.line_manager, g.shifts, g.open_limit, $3, 1
             FROM jsonb_to_recordset($2::jsonb)
               AS g(principal text, skills text[], line_manager text, shifts jsonb, open_limit integer)
            ORDER BY g.principal
           ON CONFLICT ON CONSTRAINT workers_pkey DO UPDATE
              SET skills = EXCLUDED.skills, line_manager = EXCLUDED.line_manager, shifts = EXCLUDED.shifts,
                  open_limit = EXCLUDED.open_limit, update_time = EXCLUDED.update_time, row_version = w.row_version + 1
           RETURNING w.principal, w.row_version"#,
        estate.as_uuid(),
        Json(&rows) as _,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_all(tx)
    .await
    .store()?;
    Ok(put.into_iter().filter(|row| row.row_version == 1).map(|row| row.principal).collect())
}

/// One of the roster. One trip.
pub(crate) async fn load_worker(db: impl PgExecutor<'_>, estate: ScopedEstate, principal: &str) -> Result<Option<Rostered>> {
    let row = sqlx::query_as!(
        WorkerRow,
        r#"SELECT principal, skills, line_manager, shifts AS "shifts: Json<Vec<Shift>>", open_limit, update_time
             FROM work_order.workers WHERE estate_id = $1 AND principal = $2"#,
        estate.as_uuid(),
        principal,
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.map(WorkerRow::into_rostered).transpose()
}

/// The roster by principal, after one. One trip.
pub(crate) async fn list_workers(db: impl PgExecutor<'_>, estate: ScopedEstate, page: &PageRequest<String>) -> Result<Vec<Rostered>> {
    let rows = sqlx::query_as!(
        WorkerRow,
        r#"SELECT principal, skills, line_manager, shifts AS "shifts: Json<Vec<Shift>>", open_limit, update_time
             FROM work_order.workers WHERE estate_id = $1 AND principal > $2 ORDER BY principal LIMIT $3"#,
        estate.as_uuid(),
        page.after.as_deref().unwrap_or_default(),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(WorkerRow::into_rostered).collect()
}

/// Who reports to whom in the estate. One trip.
pub(crate) async fn list_lines(db: impl PgExecutor<'_>, estate: ScopedEstate) -> Result<Lines> {
    let rows = sqlx::query!(
        r#"SELECT principal, line_manager AS "line_manager!" FROM work_order.workers
            WHERE estate_id = $1 AND line_manager IS NOT NULL"#,
        estate.as_uuid(),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(Lines::new(rows.into_iter().map(|row| (row.principal, row.line_manager))))
}

/// One of the roster, locked until the transaction ends: whoever takes orders does it one after the other. One trip.
pub(crate) async fn lock_worker(tx: &mut PgConnection, estate: ScopedEstate, principal: &str) -> Result<Option<Worker>> {
    let row = sqlx::query_as!(
        WorkerRow,
        r#"SELECT principal, skills, line_manager, shifts AS "shifts: Json<Vec<Shift>>", open_limit, update_time
             FROM work_order.workers WHERE estate_id = $1 AND principal = $2 FOR UPDATE"#,
        estate.as_uuid(),
        principal,
    )
    .fetch_optional(tx)
    .await
    .store()?;
    Ok(row.map(WorkerRow::into_rostered).transpose()?.map(|found| found.worker))
}

/// How many orders of the estate somebody has under way. A statement of its own: one that waits for a lock counts what was there
/// before it waited. One trip.
pub(crate) async fn count_under_way(db: impl PgExecutor<'_>, estate: ScopedEstate, assignee: &str) -> Result<u32> {
    let states: Vec<String> = State::ALL.iter().filter(|state| state.is_under_way()).map(ToString::to_string).collect();
    let open = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM work_order.work_orders WHERE estate_id = $1 AND assignee = $2 AND state = ANY($3::text[])"#,
        estate.as_uuid(),
        assignee,
        &states,
    )
    .fetch_one(db)
    .await
    .store()?;
    u32::try_from(open).map_err(Error::internal)
}
