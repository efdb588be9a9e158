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
    let rows = sqlx::query!(
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
    let entries = rows.into_iter().map(|row| {
        Ok(HistoryEntry {
            position: count(row.position)?,
            action: code(Action::parse, &row.action)?,
            state: code(State::parse, &row.state)?,
            actor: Actor::new(code(ActorKind::parse, &row.actor_kind)?, row.actor_subject),
            occur_time: row.occur_time.to_jiff(),
            record_time: row.record_time.to_jiff(),
            detail: row.detail.0,
            hash: hash(&row.hash)?,
        })
    });
    entries.collect()
}
