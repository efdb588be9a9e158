//! Who works in an estate.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::Serialize;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::{UnitId, WorkOrderId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;

use super::row::count;
use crate::domain::{Candidate, Lines, Shift, State, Worker};

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
    distance_class: String,
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
            distance_class: self.distance_class,
        };
        Ok(Rostered { worker, update_time: self.update_time.to_jiff() })
    }
}

/// A worker with what they have.
struct CandidateRow {
    principal: String,
    skills: Vec<String>,
    line_manager: Option<String>,
    shifts: Json<Vec<Shift>>,
    open_limit: i32,
    distance_class: String,
    update_time: jiff_sqlx::Timestamp,
    takes: i64,
    take_time: Option<jiff_sqlx::Timestamp>,
    open: i64,
}

impl CandidateRow {
    fn into_candidate(self) -> Result<Candidate> {
        let Self { principal, skills, line_manager, shifts, open_limit, distance_class, update_time, takes, take_time, open } = self;
        let worker = WorkerRow { principal, skills, line_manager, shifts, open_limit, distance_class, update_time }.into_rostered()?.worker;
        let open = u32::try_from(open).map_err(Error::internal)?;
        Ok(Candidate { worker, open, takes, take_time: take_time.map(jiff_sqlx::Timestamp::to_jiff) })
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
    distance_class: &'a str,
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
            distance_class: &worker.distance_class,
        })
    };
    let rows = workers.iter().map(given).collect::<Result<Vec<_>, _>>().map_err(Error::internal)?;
    let put = sqlx::query!(
        r#"INSERT INTO work_order.workers AS w (estate_id, principal, skills, line_manager, shifts, open_limit, distance_class,
                update_time, row_version)
           SELECT $1, g.principal, g.skills, g.line_manager, g.shifts, g.open_limit, g.distance_class, $3, 1
             FROM jsonb_to_recordset($2::jsonb)
               AS g(principal text, skills text[], line_manager text, shifts jsonb, open_limit integer, distance_class text)
            ORDER BY g.principal
           ON CONFLICT ON CONSTRAINT workers_pkey DO UPDATE
              SET skills = EXCLUDED.skills, line_manager = EXCLUDED.line_manager, shifts = EXCLUDED.shifts,
                  open_limit = EXCLUDED.open_limit, distance_class = EXCLUDED.distance_class, update_time = EXCLUDED.update_time, row_version = w.row_version + 1
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
        r#"SELECT principal, skills, line_manager, shifts AS "shifts: Json<Vec<Shift>>", open_limit, distance_class, update_time
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
        r#"SELECT principal, skills, line_manager, shifts AS "shifts: Json<Vec<Shift>>", open_limit, distance_class, update_time
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

/// `SELECT` of workers `w` of the estate `$1` with what each has under way or is offered; the text says which ones.
macro_rules! select_candidates {
    ($which:tt, $estate:expr $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            CandidateRow,
            r#"SELECT w.principal, w.skills, w.line_manager, w.shifts AS "shifts: Json<Vec<Shift>>", w.open_limit, w.distance_class,
                      w.update_time, w.takes, w.take_time,
                      (SELECT count(*) FROM work_order.work_orders o
                        WHERE o.estate_id = w.estate_id AND o.assignee = w.principal AND o.state = ANY($2::text[]))
                      + (SELECT count(*) FROM work_order.work_orders o
                          WHERE o.estate_id = w.estate_id AND o.offered_to = w.principal) AS "open!""#
                + $which,
            $estate.as_uuid(),
            &under_way(),
            $($argument),*
        )
    };
}

/// One of the roster with what they have under way or are offered, as all are at one instant. One trip.
pub(crate) async fn look_at_worker(db: impl PgExecutor<'_>, estate: ScopedEstate, principal: &str) -> Result<Option<Candidate>> {
    let row = select_candidates!(" FROM work_order.workers w WHERE w.estate_id = $1 AND w.principal = $3", estate, principal)
        .fetch_optional(db)
        .await
        .store()?;
    row.map(CandidateRow::into_candidate).transpose()
}

/// The whole roster of an estate with what each has under way or is offered. One trip.
pub(crate) async fn list_candidates(db: impl PgExecutor<'_>, estate: ScopedEstate) -> Result<Vec<Candidate>> {
    let rows =
        select_candidates!(" FROM work_order.workers w WHERE w.estate_id = $1 ORDER BY w.principal", estate).fetch_all(db).await.store()?;
    rows.into_iter().map(CandidateRow::into_candidate).collect()
}

/// Who was accountable for the last order of a unit, beside this one, at which somebody came or which was done. One trip.
pub(crate) async fn find_last_visitor(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    unit: UnitId,
    beside: WorkOrderId,
) -> Result<Option<String>> {
    sqlx::query_scalar!(
        r#"SELECT o.assignee AS "assignee!"
             FROM work_order.case_facts f
             JOIN work_order.work_orders o ON o.estate_id = f.estate_id AND o.id = f.work_order_id
            WHERE f.estate_id = $1 AND f.unit_id = $2 AND f.cycle = 1 AND f.work_order_id <> $3
              AND coalesce(f.arrive_time, f.complete_time) IS NOT NULL AND o.assignee IS NOT NULL
            ORDER BY f.occur_time DESC LIMIT 1"#,
        estate.as_uuid(),
        unit.as_uuid(),
        beside.as_uuid(),
    )
    .fetch_optional(db)
    .await
    .store()
}

/// The states of orders that count as somebody's.
fn under_way() -> Vec<String> {
    State::ALL.iter().filter(|state| state.is_under_way()).map(ToString::to_string).collect()
}

/// How many workers the rosters of estates have. One trip.
pub(crate) async fn count_workers(db: impl PgExecutor<'_>, estates: &[ScopedEstate]) -> Result<i64> {
    let estates: Vec<uuid::Uuid> = estates.iter().map(|estate| estate.as_uuid()).collect();
    let query = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM work_order.workers WHERE estate_id = ANY($1)
           -- unscoped: estates that the caller was found to have"#,
        &estates,
    );
    query.fetch_one(db).await.store()
}
