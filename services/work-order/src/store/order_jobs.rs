//! Jobs over many orders, and the verdict of each.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::Serialize;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::auth::{PrincipalKind, Scope, ScopedEstate};
use steward_kit::ids::WorkOrderId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::row::{code, count};
use crate::domain::{Actor, ItemVerdict, JobItem, OrderJob, OrderJobId, State, Task};

/// What an order of a job came to, on its way in.
#[derive(Debug, Serialize)]
pub(crate) struct Settled {
    pub(crate) work_order_id: WorkOrderId,
    pub(crate) verdict: &'static str,
    pub(crate) reason: &'static str,
}

impl Settled {
    pub(crate) fn done(work_order_id: WorkOrderId) -> Self {
        Self { work_order_id, verdict: ItemVerdict::Done.as_str(), reason: "" }
    }

    pub(crate) fn refused(work_order_id: WorkOrderId, reason: &'static str) -> Self {
        Self { work_order_id, verdict: ItemVerdict::Refused.as_str(), reason }
    }
}

/// Writes a job over everything that somebody has under way; answers how many orders that is. One trip.
pub(crate) async fn insert_job_of_assignee(tx: &mut PgConnection, estate: ScopedEstate, job: &OrderJob, assignee: &str) -> Result<u32> {
    let states: Vec<String> = State::ALL.iter().filter(|state| state.is_under_way()).map(ToString::to_string).collect();
    let written = sqlx::query_scalar!(
        r#"WITH items AS (
               INSERT INTO work_order.order_job_items (estate_id, order_job_id, place, work_order_id, reason)
               SELECT o.estate_id, $2, row_number() OVER (ORDER BY o.receive_time, o.id) - 1, o.id, ''
                 FROM work_order.work_orders o
                WHERE o.estate_id = $1 AND o.assignee = $7 AND o.state = ANY($8::text[])
            RETURNING 1
           ), job AS (
               INSERT INTO work_order.order_jobs (estate_id, id, task, actor_kind, actor_subject, item_count, done_count, refused_count,
                   create_time, end_time)
               SELECT $1, $2, $3, $4, $5, count(*), 0, 0, $6, CASE WHEN count(*) = 0 THEN $6::timestamptz END FROM items
            RETURNING item_count
           )
           SELECT item_count FROM job"#,
        estate.as_uuid(),
        job.id.as_uuid(),
        Json(&job.task) as _,
        job.actor.kind.as_str(),
        job.actor.subject,
        job.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        assignee,
        &states,
    )
    .fetch_one(tx)
    .await
    .store()?;
    count(written)
}

/// Writes a job over given orders, each another one. Those that the estate does not have are refused at once. Answers how many were. One
/// trip.
pub(crate) async fn insert_job_of_orders(tx: &mut PgConnection, estate: ScopedEstate, job: &OrderJob, orders: &[Uuid]) -> Result<u32> {
    let refused = sqlx::query_scalar!(
        r#"WITH items AS (
               INSERT INTO work_order.order_job_items (estate_id, order_job_id, place, work_order_id, verdict, reason, settle_time)
               SELECT $1, $2, g.place - 1, g.id, CASE WHEN o.id IS NULL THEN 'refused' END,
                      CASE WHEN o.id IS NULL THEN 'WORK_ORDER_NOT_FOUND' ELSE '' END, CASE WHEN o.id IS NULL THEN $6::timestamptz END
                 FROM unnest($7::uuid[]) WITH ORDINALITY AS g (id, place)
                 LEFT JOIN work_order.work_orders o ON o.estate_id = $1 AND o.id = g.id
            RETURNING verdict
           ), job AS (
               INSERT INTO work_order.order_jobs (estate_id, id, task, actor_kind, actor_subject, item_count, done_count, refused_count,
                   create_time, end_time)
               SELECT $1, $2, $3, $4, $5, count(*), 0, count(verdict), $6, CASE WHEN count(*) = count(verdict) THEN $6::timestamptz END
                 FROM items
            RETURNING refused_count
           )
           SELECT refused_count FROM job"#,
        estate.as_uuid(),
        job.id.as_uuid(),
        Json(&job.task) as _,
        job.actor.kind.as_str(),
        job.actor.subject,
        job.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        orders,
    )
    .fetch_one(tx)
    .await
    .store()?;
    count(refused)
}

/// One job, if the scope has it. One trip.
pub(crate) async fn load_order_job(db: impl PgExecutor<'_>, scope: &Scope, id: OrderJobId) -> Result<Option<OrderJob>> {
    let row = sqlx::query!(
        r#"SELECT estate_id, id, task AS "task: Json<Task>", actor_kind, actor_subject, item_count, done_count, refused_count,
                  create_time AS "create_time: jiff_sqlx::Timestamp", end_time AS "end_time: jiff_sqlx::Timestamp"
             FROM work_order.order_jobs WHERE id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))"#,
        id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_optional(db)
    .await
    .store()?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(OrderJob {
        id: row.id.into(),
        estate_id: row.estate_id.into(),
        task: row.task.0,
        actor: Actor::new(code(PrincipalKind::parse, &row.actor_kind)?, row.actor_subject),
        item_count: count(row.item_count)?,
        done_count: count(row.done_count)?,
        refused_count: count(row.refused_count)?,
        create_time: row.create_time.to_jiff(),
        end_time: row.end_time.map(jiff_sqlx::Timestamp::to_jiff),
    }))
}

/// The orders of a job after a place. One trip.
pub(crate) async fn list_order_job_items(db: impl PgExecutor<'_>, job: &OrderJob, page: &PageRequest<u32>) -> Result<Vec<JobItem>> {
    let after = page.after.map(i32::try_from).transpose().map_err(Error::internal)?;
    let rows = sqlx::query!(
        r#"SELECT place, work_order_id, verdict, reason, settle_time AS "settle_time: jiff_sqlx::Timestamp"
             FROM work_order.order_job_items
            WHERE estate_id = $1 AND order_job_id = $2 AND place > $3 ORDER BY place LIMIT $4"#,
        job.estate_id.as_uuid(),
        job.id.as_uuid(),
        after.unwrap_or(-1),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    let item = |place, order: Uuid, verdict: Option<String>, reason, settle_time: Option<jiff_sqlx::Timestamp>| {
        Ok(JobItem {
            place: count(place)?,
            order: order.into(),
            verdict: verdict.map(|verdict| code(ItemVerdict::parse, &verdict)).transpose()?,
            reason,
            settle_time: settle_time.map(jiff_sqlx::Timestamp::to_jiff),
        })
    };
    rows.into_iter().map(|row| item(row.place, row.work_order_id, row.verdict, row.reason, row.settle_time)).collect()
}

/// The orders whose turn comes next. One trip.
pub(crate) async fn list_waiting_orders(db: impl PgExecutor<'_>, job: &OrderJob, limit: i64) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT work_order_id FROM work_order.order_job_items
          WHERE estate_id = $1 AND order_job_id = $2 AND verdict IS NULL ORDER BY place LIMIT $3",
        job.estate_id.as_uuid(),
        job.id.as_uuid(),
        limit,
    )
    .fetch_all(db)
    .await
    .store()
}

/// Writes verdicts and the job's progress; answers whether orders still wait. One trip.
pub(crate) async fn settle_job_items(tx: &mut PgConnection, job: &OrderJob, settled: &[Settled], now: Timestamp) -> Result<bool> {
    let end_time = sqlx::query_scalar!(
        r#"WITH settled AS (
               UPDATE work_order.order_job_items i
                  SET verdict = s.verdict, reason = s.reason, settle_time = $4
                 FROM jsonb_to_recordset($3::jsonb) AS s(work_order_id uuid, verdict text, reason text)
                WHERE i.estate_id = $1 AND i.order_job_id = $2 AND i.work_order_id = s.work_order_id AND i.verdict IS NULL
            RETURNING i.verdict
           ), counted AS (
               SELECT count(*) FILTER (WHERE verdict = 'done')::integer AS done, count(*) FILTER (WHERE verdict = 'refused')::integer AS refused
                 FROM settled
           )
           UPDATE work_order.order_jobs j
              SET done_count = j.done_count + c.done, refused_count = j.refused_count + c.refused,
                  end_time = CASE WHEN j.done_count + c.done + j.refused_count + c.refused = j.item_count THEN $4::timestamptz END
             FROM counted c
            WHERE j.estate_id = $1 AND j.id = $2
        RETURNING j.end_time AS "end_time: jiff_sqlx::Timestamp""#,
        job.estate_id.as_uuid(),
        job.id.as_uuid(),
        Json(settled) as _,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_one(tx)
    .await
    .store()?;
    Ok(end_time.is_none())
}
