//! Events that could not be applied: kept whole until somebody settles them. Here they are written and read; what settles
//! them is in `settle.rs`.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use prost::Message;
use sqlx::Row;
use sqlx::postgres::PgRow;
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::error::Error;
use steward_kit::paging::PageRequest;
use steward_proto::event::v1::Event;
use uuid::Uuid;

use super::apply::Applier;
use super::cause::cause;
use crate::db::Db;
use crate::error::StoreResult;

steward_kit::define_id!(DeadLetterId, "dead letter");

/// A dead letter, without the event's content.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// Its id.
    pub id: Uuid,
    /// The consumer that gave up.
    pub consumer: String,
    /// The event.
    pub event_id: Uuid,
    /// The last failure with its causes; no personal data.
    pub cause: String,
    /// Type, ids and size of the event; no personal data.
    pub preview: serde_json::Value,
    /// How often it was tried.
    pub attempt_count: i32,
    /// When the consumer gave up.
    pub create_time: Timestamp,
    /// `None` while it is open.
    pub settled: Option<Settled>,
}

/// What became of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// How.
    pub how: Settlement,
    /// When.
    pub time: Timestamp,
    /// The subject of whoever did it.
    pub by: String,
}

/// How a dead letter was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// Applied after all.
    Redriven,
    /// Never to be applied.
    Discarded {
        /// Why.
        reason: String,
    },
}

/// Which letters to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct LetterFilter<'a> {
    /// Of this consumer; `None`: of all.
    pub consumer: Option<&'a str>,
    /// In this state.
    pub state: LetterState,
}

/// Where a letter stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LetterState {
    /// Not settled.
    #[default]
    Open,
    /// Applied after all.
    Redriven,
    /// Never to be applied.
    Discarded,
}

impl LetterState {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Redriven => "redriven",
            Self::Discarded => "discarded",
        }
    }
}

pub(super) const COLUMNS: &str =
    "id, consumer, event_id, cause, preview, attempt_count, create_time, state, settle_time, settled_by, reason";

/// The open dead letters of a service, oldest first.
///
/// # Errors
/// Postgres does not answer.
pub async fn dead_letters(db: &Db, limit: i64) -> Result<Vec<DeadLetter>> {
    let scope = Scope::system("dead letters are looked at");
    read(db, &scope, LetterFilter::default(), None, limit).await
}

/// A page of the letters in the caller's scope, oldest first.
pub(super) async fn list(db: &Db, scope: &Scope, filter: LetterFilter<'_>, page: &PageRequest<Uuid>) -> Result<Vec<DeadLetter>> {
    read(db, scope, filter, page.after, page.size.limit()).await
}

pub(super) async fn read(db: &Db, scope: &Scope, filter: LetterFilter<'_>, after: Option<Uuid>, limit: i64) -> Result<Vec<DeadLetter>> {
    let sql = db.sql(&format!(
        "SELECT {COLUMNS} FROM {{schema}}.dead_letters
          WHERE state = $1 AND ($2::text IS NULL OR consumer = $2) AND ($3::uuid IS NULL OR id > $3)
            AND ($4::uuid[] IS NULL OR estate_id = ANY($4)) AND $5::uuid IS NULL
          ORDER BY id LIMIT $6"
    ));
    let rows = sqlx::query(sql)
        .bind(filter.state.as_str())
        .bind(filter.consumer)
        .bind(after)
        .bind(scope.estates())
        .bind(scope.own_customer())
        .bind(limit)
        .fetch_all(db.pool())
        .await
        .store()?;
    rows.iter().map(of_row).collect()
}

/// One letter in the caller's scope.
pub(super) async fn get(db: &Db, scope: &Scope, id: Uuid) -> Result<DeadLetter> {
    let sql = db.sql(&format!(
        "SELECT {COLUMNS} FROM {{schema}}.dead_letters
          WHERE id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2)) AND $3::uuid IS NULL"
    ));
    let row = sqlx::query(sql).bind(id).bind(scope.estates()).bind(scope.own_customer()).fetch_optional(db.pool()).await.store()?;
    row.as_ref().map(of_row).transpose()?.ok_or_else(|| Error::not_found("dead letter", id))
}

pub(super) fn of_row(row: &PgRow) -> Result<DeadLetter> {
    let time = |name| Ok::<_, sqlx::Error>(row.try_get::<Option<jiff_sqlx::Timestamp>, _>(name)?.map(|time| time.to_jiff()));
    let read = || {
        let reason = row.try_get::<Option<String>, _>("reason")?;
        let how = match reason {
            Some(reason) => Settlement::Discarded { reason },
            None => Settlement::Redriven,
        };
        let by = row.try_get::<Option<String>, _>("settled_by")?;
        let settled = time("settle_time")?.zip(by).map(|(time, by)| Settled { how, time, by });
        Ok(DeadLetter {
            id: row.try_get("id")?,
            consumer: row.try_get("consumer")?,
            event_id: row.try_get("event_id")?,
            cause: row.try_get("cause")?,
            preview: row.try_get("preview")?,
            attempt_count: row.try_get("attempt_count")?,
            create_time: row.try_get::<jiff_sqlx::Timestamp, _>("create_time")?.to_jiff(),
            settled,
        })
    };
    read().store()
}

/// Writes down an event that can not be applied, and marks it, so that a repetition of it is passed over.
pub(super) async fn bury(applier: &Applier, id: Uuid, bytes: &[u8], error: &Error, attempts: i32, now: Timestamp) -> Result<()> {
    let db = applier.db();
    let sql = db.sql(
        "INSERT INTO {schema}.dead_letters (id, consumer, event_id, estate_id, cause, preview, event, attempt_count, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT ON CONSTRAINT dead_letters_consumer_event_id_key DO NOTHING",
    );
    let mut tx = db.begin().await?;
    if applier.claim(&mut tx, vec![id], now).await?.is_empty() {
        // Another process applied it, or buried it, in the meantime.
        return Ok(());
    }
    let event = Event::decode(bytes).ok();
    sqlx::query(sql)
        .bind(Uuid::now_v7())
        .bind(applier.consumer())
        .bind(id)
        .bind(event.as_ref().and_then(|event| Uuid::try_parse(&event.estate_id).ok()))
        .bind(cause(error))
        .bind(preview(event, bytes.len()))
        .bind(bytes)
        .bind(attempts)
        .bind(now.to_sqlx())
        .execute(&mut *tx)
        .await
        .store()?;
    tx.commit().await.store()
}

/// The envelope without the content.
fn preview(event: Option<Event>, bytes: usize) -> serde_json::Value {
    let Some(event) = event else { return serde_json::json!({ "unreadable_bytes": bytes }) };
    let occur_time = event.occur_time.as_ref().and_then(steward_kit::proto::timestamp);
    serde_json::json!({
        "type": event.r#type,
        "subject": event.subject,
        "estate_id": event.estate_id,
        "sequence": event.sequence,
        "occur_time": occur_time.map(|time| time.to_string()),
        "payload_bytes": event.payload.map_or(0, |payload| payload.value.len()),
    })
}
