//! Closed orders that somebody looks at again.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::row::code;
use crate::domain::{CheckState, ClosedOrder, Kind, SpotCheck, SpotCheckId, Urgency};

/// Place of a check in its list: the one due last first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct CheckKey {
    due_time: Timestamp,
    id: SpotCheckId,
}

impl CheckKey {
    pub(crate) fn of(check: &SpotCheck) -> Self {
        Self { due_time: check.due_time, id: check.id }
    }
}

struct CheckRow {
    estate_id: Uuid,
    id: Uuid,
    week_start_date: jiff_sqlx::Date,
    work_order_id: Uuid,
    number: String,
    handlers: Vec<String>,
    state: String,
    due_time: jiff_sqlx::Timestamp,
    overdue: bool,
    notify_roles: Vec<String>,
    finding_codes: Vec<String>,
    record_time: Option<jiff_sqlx::Timestamp>,
    checker: Option<String>,
}

impl CheckRow {
    fn into_check(self) -> Result<SpotCheck> {
        Ok(SpotCheck {
            id: self.id.into(),
            estate_id: self.estate_id.into(),
            week_start: self.week_start_date.to_jiff(),
            order: self.work_order_id.into(),
            number: self.number,
            handlers: self.handlers,
            state: code(CheckState::parse, &self.state)?,
            due_time: self.due_time.to_jiff(),
            overdue: self.overdue,
            notify_roles: self.notify_roles,
            finding_codes: self.finding_codes,
            record_time: self.record_time.map(jiff_sqlx::Timestamp::to_jiff),
            checker: self.checker,
        })
    }
}

/// Orders of the estate that were closed in a stretch of time, with whoever handled them.
pub(crate) async fn list_closed_orders(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<ClosedOrder>> {
    let rows = sqlx::query!(
        r#"SELECT o.id, o.number, o.kind, o.category, o.urgency, o.assignee, (o.memory -> 'workers') AS "workers!: Json<Vec<String>>"
             FROM work_order.work_orders o
            WHERE o.estate_id = $1 AND o.id IN (
                  SELECT f.work_order_id FROM work_order.case_facts f
                   WHERE f.estate_id = $1 AND f.close_time >= $2 AND f.close_time < $3 AND f.standing = 'valid')"#,
        estate.as_uuid(),
        from.to_sqlx() as jiff_sqlx::Timestamp,
        to.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_all(db)
    .await
    .store()?;
    let orders = rows.into_iter().map(|row| {
        let mut handlers = row.workers.0;
        handlers.extend(row.assignee);
        handlers.sort();
        handlers.dedup();
        Ok(ClosedOrder {
            id: row.id.into(),
            number: row.number,
            kind: code(Kind::parse, &row.kind)?,
            category: row.category,
            urgency: code(Urgency::parse, &row.urgency)?,
            handlers,
        })
    });
    orders.collect()
}

/// A check on its way in.
#[derive(Serialize)]
struct NewRow<'a> {
    id: SpotCheckId,
    week_start_date: String,
    work_order_id: Uuid,
    number: &'a str,
    handlers: &'a [String],
    due_time: Timestamp,
    notify_roles: &'a [String],
}

/// Writes checks that are open; answers which of them are new. An order that was drawn for the week already stays as it is.
pub(crate) async fn insert_spot_checks<'a>(
    tx: &mut PgConnection,
    estate: ScopedEstate,
    checks: &'a [SpotCheck],
    now: Timestamp,
) -> Result<Vec<SpotCheckId>> {
    let row = |check: &'a SpotCheck| NewRow {
        id: check.id,
        week_start_date: check.week_start.to_string(),
        work_order_id: check.order.as_uuid(),
        number: &check.number,
        handlers: &check.handlers,
        due_time: check.due_time,
        notify_roles: &check.notify_roles,
    };
    let rows: Vec<NewRow<'a>> = checks.iter().map(row).collect();
    let ids = sqlx::query_scalar!(
        "INSERT INTO work_order.spot_checks (estate_id, id, week_start_date, work_order_id, number, handlers, state, due_time, notify_roles,
             create_time)
         SELECT $1, n.id, n.week_start_date, n.work_order_id, n.number, n.handlers, 'open', n.due_time, n.notify_roles, $3
           FROM jsonb_to_recordset($2::jsonb)
             AS n(id uuid, week_start_date date, work_order_id uuid, number text, handlers text[], due_time timestamptz, notify_roles text[])
         ON CONFLICT ON CONSTRAINT spot_checks_work_order_id_week_start_date_key DO NOTHING
         RETURNING id",
        estate.as_uuid(),
        Json(&rows) as _,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_all(tx)
    .await
    .store()?;
    Ok(ids.into_iter().map(Into::into).collect())
}

/// One check, locked until the transaction ends, if the scope has it.
pub(crate) async fn lock_spot_check(tx: &mut PgConnection, scope: &Scope, id: SpotCheckId) -> Result<Option<SpotCheck>> {
    let row = sqlx::query_as!(
        CheckRow,
        "SELECT estate_id, id, week_start_date, work_order_id, number, handlers, state, due_time, overdue, notify_roles, finding_codes,
                record_time, checker
           FROM work_order.spot_checks WHERE id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2)) FOR UPDATE",
        id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_optional(tx)
    .await
    .store()?;
    row.map(CheckRow::into_check).transpose()
}

/// Writes the result of a check.
pub(crate) async fn save_spot_check(tx: &mut PgConnection, estate: ScopedEstate, check: &SpotCheck) -> Result<()> {
    sqlx::query!(
        "UPDATE work_order.spot_checks SET state = $3, finding_codes = $4, record_time = $5, checker = $6 WHERE estate_id = $1 AND id = $2",
        estate.as_uuid(),
        check.id.as_uuid(),
        check.state.as_str(),
        &check.finding_codes,
        check.record_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        check.checker.as_deref(),
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// Marks a check that is still open as overdue.
pub(crate) async fn mark_overdue(tx: &mut PgConnection, scope: &Scope, id: SpotCheckId) -> Result<Option<SpotCheck>> {
    let row = sqlx::query_as!(
        CheckRow,
        "UPDATE work_order.spot_checks SET overdue = true
          WHERE id = $1 AND state = 'open' AND ($2::uuid[] IS NULL OR estate_id = ANY($2))
         RETURNING estate_id, id, week_start_date, work_order_id, number, handlers, state, due_time, overdue, notify_roles, finding_codes,
                record_time, checker",
        id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_optional(tx)
    .await
    .store()?;
    row.map(CheckRow::into_check).transpose()
}

/// Checks of an estate after a place, the one due last first.
pub(crate) async fn list_spot_checks(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    open_only: bool,
    page: &PageRequest<CheckKey>,
) -> Result<Vec<SpotCheck>> {
    let rows = sqlx::query_as!(
        CheckRow,
        "SELECT estate_id, id, week_start_date, work_order_id, number, handlers, state, due_time, overdue, notify_roles, finding_codes,
                record_time, checker
           FROM work_order.spot_checks
          WHERE estate_id = $1 AND (NOT $2 OR state = 'open') AND ($3::timestamptz IS NULL OR (due_time, id) < ($3, $4))
          ORDER BY due_time DESC, id DESC LIMIT $5",
        estate.as_uuid(),
        open_only,
        page.after.map(|key| key.due_time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        page.after.map(|key| key.id.as_uuid()),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(CheckRow::into_check).collect()
}
