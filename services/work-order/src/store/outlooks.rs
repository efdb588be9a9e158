//! Running clocks by due time, and how clocks of the estate went of late. Both by the index of due times: what is long over costs nothing.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use steward_kit::auth::ScopedEstate;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::row::{code, count};
use crate::domain::State;

/// Place of a running clock in the list: the soonest due first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DueKey {
    due_time: Timestamp,
    order: Uuid,
    clock: String,
}

/// A running clock with what is known of its order.
#[derive(Debug)]
pub(crate) struct RunningClock {
    pub(crate) order: Uuid,
    pub(crate) number: String,
    pub(crate) state: State,
    pub(crate) assignee: Option<String>,
    pub(crate) assignee_orders: u32,
    pub(crate) clock: String,
    pub(crate) cycle: u32,
    pub(crate) limit: String,
    pub(crate) start_time: Timestamp,
    pub(crate) due_time: Timestamp,
}

/// A clock whose due time is over.
#[derive(Debug)]
pub(crate) struct SettledClock {
    pub(crate) clock: String,
    pub(crate) limit: String,
    pub(crate) start_time: Timestamp,
    pub(crate) due_time: Timestamp,
    pub(crate) stop_time: Option<Timestamp>,
}

/// Which running clocks.
#[derive(Clone, Debug)]
pub(crate) struct RunningFilter {
    /// Only those due by then.
    pub(crate) due_before: Option<Timestamp>,
    /// Only those of this name.
    pub(crate) clock: Option<String>,
}

impl RunningClock {
    pub(crate) fn key(&self) -> DueKey {
        DueKey { due_time: self.due_time, order: self.order, clock: self.clock.clone() }
    }
}

/// Clocks of an estate that run and are not due yet, the soonest first, one more than the page shows. One trip.
pub(crate) async fn list_running_clocks(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    filter: &RunningFilter,
    now: Timestamp,
    page: &PageRequest<DueKey>,
) -> Result<Vec<RunningClock>> {
    let under_way: Vec<String> = State::ALL.iter().filter(|state| state.is_under_way()).map(ToString::to_string).collect();
    let after = page.after.as_ref();
    let rows = sqlx::query!(
        r#"SELECT c.work_order_id, o.number, o.state, o.assignee, c.name, c.cycle, c.clock ->> 'limit' AS "limit!", c.start_time,
                  c.due_time AS "due_time!",
                  (SELECT count(*) FROM work_order.work_orders w
                    WHERE w.estate_id = $1 AND w.assignee = o.assignee AND w.state = ANY($9)) AS "assignee_orders!"
             FROM work_order.clocks c
             JOIN work_order.work_orders o ON o.estate_id = c.estate_id AND o.id = c.work_order_id
            WHERE c.estate_id = $1 AND c.due_time > $2 AND c.state = 'running'
              AND ($3::timestamptz IS NULL OR c.due_time <= $3) AND ($4::text IS NULL OR c.name = $4)
              AND ($5::timestamptz IS NULL OR (c.due_time, c.work_order_id, c.name COLLATE "C") > ($5, $6, $7))
            ORDER BY c.due_time, c.work_order_id, c.name COLLATE "C" LIMIT $8"#,
        estate.as_uuid(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        filter.due_before.map(ToSqlx::to_sqlx) as Option<jiff_sqlx::Timestamp>,
        filter.clock.as_deref(),
        after.map(|key| key.due_time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|key| key.order) as Option<Uuid>,
        after.map(|key| key.clock.as_str()) as Option<&str>,
        page.size.limit(),
        &under_way,
    )
    .fetch_all(db)
    .await
    .store()?;
    let running = rows.into_iter().map(|row| {
        Ok(RunningClock {
            order: row.work_order_id,
            number: row.number,
            state: code(State::parse, &row.state)?,
            assignee: row.assignee,
            assignee_orders: u32::try_from(row.assignee_orders).map_err(Error::internal)?,
            clock: row.name,
            cycle: count(row.cycle)?,
            limit: row.limit,
            start_time: row.start_time.to_jiff(),
            due_time: row.due_time.to_jiff(),
        })
    });
    running.collect()
}

/// Clocks of an estate that were due from `since` to now, the latest first, `most` of them: stopped, or late and open still. One trip.
pub(crate) async fn list_settled_clocks(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    names: &[String],
    since: Timestamp,
    now: Timestamp,
    most: i64,
) -> Result<Vec<SettledClock>> {
    let rows = sqlx::query!(
        r#"SELECT name, clock ->> 'limit' AS "limit!", start_time, due_time AS "due_time!", stop_time
             FROM work_order.clocks
            WHERE estate_id = $1 AND due_time > $2 AND due_time <= $3 AND (stop_time IS NOT NULL OR verdict = 'late') AND name = ANY($4)
            ORDER BY due_time DESC LIMIT $5"#,
        estate.as_uuid(),
        since.to_sqlx() as jiff_sqlx::Timestamp,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        names,
        most,
    )
    .fetch_all(db)
    .await
    .store()?;
    let settled = rows.into_iter().map(|row| SettledClock {
        clock: row.name,
        limit: row.limit,
        start_time: row.start_time.to_jiff(),
        due_time: row.due_time.to_jiff(),
        stop_time: row.stop_time.map(|stop| stop.to_jiff()),
    });
    Ok(settled.collect())
}
