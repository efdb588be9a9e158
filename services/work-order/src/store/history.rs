//! The chain of an order's history, read in pages.

use std::collections::BTreeMap;

use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit_store::StoreResult;

use super::row::{code, column, count, hash};
use crate::domain::{Action, Actor, ActorKind, HistoryEntry, State, WorkOrder};

/// Entries of an order after a position, oldest first.
///
/// No scope: `order` was read through one. Only the months between its receipt and its last change are looked at.
pub(crate) async fn list_history(db: impl PgExecutor<'_>, order: &WorkOrder, after: u32, limit: i64) -> Result<Vec<HistoryEntry>> {
    let rows = sqlx::query_as!(
        EntryRow,
        r#"SELECT position, action, state, actor_kind, actor_subject, occur_time, record_time,
                  detail AS "detail: Json<BTreeMap<String, String>>", hash
             FROM work_order.history
            WHERE estate_id = $1 AND work_order_id = $2 AND position > $3 AND record_time BETWEEN $4 AND $5
            ORDER BY position LIMIT $6"#,
        order.estate_id.as_uuid(),
        order.id.as_uuid(),
        column(after)?,
        order.receive_time.to_sqlx() as jiff_sqlx::Timestamp,
        order.update_time.to_sqlx() as jiff_sqlx::Timestamp,
        limit,
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(EntryRow::into_entry).collect()
}

/// Entries of an order that record one of these actions, oldest first.
///
/// No scope: `order` was read through one.
pub(crate) async fn list_actions(db: impl PgExecutor<'_>, order: &WorkOrder, actions: &[Action]) -> Result<Vec<HistoryEntry>> {
    let actions: Vec<String> = actions.iter().map(ToString::to_string).collect();
    let rows = sqlx::query_as!(
        EntryRow,
        r#"SELECT position, action, state, actor_kind, actor_subject, occur_time, record_time,
                  detail AS "detail: Json<BTreeMap<String, String>>", hash
             FROM work_order.history
            WHERE estate_id = $1 AND work_order_id = $2 AND action = ANY($3) AND record_time BETWEEN $4 AND $5
            ORDER BY position"#,
        order.estate_id.as_uuid(),
        order.id.as_uuid(),
        &actions,
        order.receive_time.to_sqlx() as jiff_sqlx::Timestamp,
        order.update_time.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(EntryRow::into_entry).collect()
}

struct EntryRow {
    position: i32,
    action: String,
    state: String,
    actor_kind: String,
    actor_subject: String,
    occur_time: jiff_sqlx::Timestamp,
    record_time: jiff_sqlx::Timestamp,
    detail: Json<BTreeMap<String, String>>,
    hash: Vec<u8>,
}

impl EntryRow {
    fn into_entry(self) -> Result<HistoryEntry> {
        Ok(HistoryEntry {
            position: count(self.position)?,
            action: code(Action::parse, &self.action)?,
            state: code(State::parse, &self.state)?,
            actor: Actor::new(code(ActorKind::parse, &self.actor_kind)?, self.actor_subject),
            occur_time: self.occur_time.to_jiff(),
            record_time: self.record_time.to_jiff(),
            detail: self.detail.0,
            hash: hash(&self.hash)?,
        })
    }
}
