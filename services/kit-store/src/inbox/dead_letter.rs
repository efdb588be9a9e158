//! Events that could not be applied: kept whole, looked at by people, driven again.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use prost::Message;
use sqlx::Row;
use steward_kit::{Error, Result};
use steward_proto::event::v1::Event;
use uuid::Uuid;

use super::EventHandler;
use super::apply::{Applier, guarded};
use crate::db::Db;
use crate::error::StoreResult;

/// Longest cause that is kept.
const CAUSE_CHARS: usize = 2000;

/// A dead letter, without the event's content.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// What `redrive` takes.
    pub id: Uuid,
    /// The consumer that gave up.
    pub consumer: String,
    /// The event.
    pub event_id: Uuid,
    /// The last failure with its causes.
    pub cause: String,
    /// Type, ids and size of the event; no personal data.
    pub preview: serde_json::Value,
    /// How often it was tried.
    pub attempt_count: i32,
    /// When the consumer gave up.
    pub create_time: Timestamp,
}

/// The dead letters of a service, oldest first.
///
/// # Errors
/// Postgres does not answer.
pub async fn dead_letters(db: &Db, limit: i64) -> Result<Vec<DeadLetter>> {
    let sql = db.sql(
        "SELECT id, consumer, event_id, cause, preview, attempt_count, create_time
           FROM {schema}.dead_letters ORDER BY id LIMIT $1",
    );
    let rows = sqlx::query(sql).bind(limit).fetch_all(db.pool()).await.store()?;
    rows.iter()
        .map(|row| {
            Ok(DeadLetter {
                id: row.try_get("id")?,
                consumer: row.try_get("consumer")?,
                event_id: row.try_get("event_id")?,
                cause: row.try_get("cause")?,
                preview: row.try_get("preview")?,
                attempt_count: row.try_get("attempt_count")?,
                create_time: row.try_get::<jiff_sqlx::Timestamp, _>("create_time")?.to_jiff(),
            })
        })
        .collect::<Result<_, sqlx::Error>>()
        .store()
}

/// Writes down an event that can not be applied, and marks it, so that a repetition of it is passed over.
pub(super) async fn bury(applier: &Applier, id: Uuid, bytes: &[u8], cause: &Error, attempts: i32, now: Timestamp) -> Result<()> {
    let db = applier.db();
    let sql = db.sql(
        "INSERT INTO {schema}.dead_letters (id, consumer, event_id, cause, preview, event, attempt_count, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT ON CONSTRAINT dead_letters_consumer_event_id_key DO NOTHING",
    );
    let mut tx = db.begin().await?;
    if applier.claim(&mut tx, vec![id], now).await?.is_empty() {
        // Another process applied it, or buried it, in the meantime.
        return Ok(());
    }
    sqlx::query(sql)
        .bind(Uuid::now_v7())
        .bind(applier.consumer())
        .bind(id)
        .bind(chain(cause))
        .bind(preview(bytes))
        .bind(bytes)
        .bind(attempts)
        .bind(now.to_sqlx())
        .execute(&mut *tx)
        .await
        .store()?;
    tx.commit().await.store()
}

/// Applies a dead letter after all and removes it, in one transaction.
pub(super) async fn redrive(applier: &Applier, handler: &dyn EventHandler, id: Uuid, now: Timestamp) -> Result<()> {
    let db = applier.db();
    let mut tx = db.begin().await?;
    // The delete locks the letter: driven twice at once, it is applied once.
    let bytes: Option<Vec<u8>> =
        sqlx::query_scalar(db.sql("DELETE FROM {schema}.dead_letters WHERE id = $1 AND consumer = $2 RETURNING event"))
            .bind(id)
            .bind(applier.consumer())
            .fetch_optional(&mut *tx)
            .await
            .store()?;
    let bytes = bytes.ok_or_else(|| Error::not_found("dead letter", id))?;
    let event = Event::decode(bytes.as_slice()).map_err(Error::internal)?;
    let effects = guarded(handler, &mut tx, &event, now).await?;
    effects.write(db, &mut tx, now).await?;
    tx.commit().await.store()?;
    db.wake(&effects);
    tracing::info!(consumer = applier.consumer(), event = event.id, "a dead letter was applied");
    Ok(())
}

fn preview(bytes: &[u8]) -> serde_json::Value {
    match Event::decode(bytes) {
        Ok(event) => serde_json::json!({
            "type": event.r#type,
            "subject": event.subject,
            "estate_id": event.estate_id,
            "sequence": event.sequence,
            "payload_bytes": event.payload.map_or(0, |payload| payload.value.len()),
        }),
        Err(_) => serde_json::json!({ "unreadable_bytes": bytes.len() }),
    }
}

/// The failure and what caused it, in one line. Refusals carry no personal data.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text.chars().take(CAUSE_CHARS).collect()
}
