//! One batch of one shard, in one transaction.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use prost::Message;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row, SqlStr};
use steward_kit::Result;
use steward_kit::proto::to_timestamp;
use steward_kit::telemetry::{continue_trace, current_traceparent, is_sampled};
use steward_proto::event::v1::Event;
use tracing::Span;
use uuid::Uuid;

use super::short_name;
use super::transport::{Appended, Transport};
use crate::db::Db;
use crate::error::StoreResult;

/// What a look at a shard came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// This many events went out, the first of them written at that time.
    Published(usize, Option<Timestamp>),
    /// Another replica is at it.
    Taken,
    /// The stream had lost events; this many are unpublished again.
    Restored(u64),
}

/// The statements, built once.
#[derive(Debug)]
pub(super) struct Publisher {
    db: Db,
    batch: i64,
    lock: SqlStr,
    unpublished: SqlStr,
    mark: SqlStr,
    restore: SqlStr,
}

impl Publisher {
    pub(super) fn new(db: Db, batch: i64) -> Self {
        let lock = db.sql("SELECT position, stream_end FROM {schema}.relay_shards WHERE shard = $1 FOR UPDATE SKIP LOCKED");
        let unpublished = db.sql(
            "SELECT seq, create_time, id, type, subject_id, estate_id, occur_time, traceparent, payload
               FROM {schema}.outbox WHERE shard = $1 AND publish_time IS NULL ORDER BY seq LIMIT $2",
        );
        let mark = db.sql(
            "WITH marked AS (
                 UPDATE {schema}.outbox o SET publish_time = $2, position = n.position
                   FROM unnest($3::bigint[], $4::timestamptz[], $5::bigint[]) AS n(seq, create_time, position)
                  WHERE o.seq = n.seq AND o.create_time = n.create_time)
             UPDATE {schema}.relay_shards SET position = $6, stream_end = $6 WHERE shard = $1",
        );
        // Nothing below the lowest watermark is needed again. A group that is younger than its first watermark is
        // covered by what was published within the last minutes ($3).
        let restore = db.sql(
            "WITH reached AS (
                 UPDATE {schema}.relay_shards SET stream_end = $2 WHERE shard = $1)
             UPDATE {schema}.outbox SET publish_time = NULL, position = NULL
              WHERE shard = $1 AND position > $2
                AND (publish_time > $3
                     OR position > (SELECT min(w.position) FROM {schema}.outbox_watermarks w WHERE w.shard = $1))",
        );
        Self { db, batch, lock, unpublished, mark, restore }
    }

    /// Publishes the next batch of `shard`.
    ///
    /// The order is the proof: the counter is locked first, so no other relay reads the same rows; the append comes
    /// before the commit, so a crash repeats and never loses; a loss is written down before anything is appended after
    /// it, so that it can not be overlooked.
    pub(super) async fn publish(&self, transport: &dyn Transport, shard: u16, now: Timestamp, grace: Timestamp) -> Result<Outcome> {
        let _place = self.db.background().await;
        let mut tx = self.db.begin().await?;
        let counter = sqlx::query(self.lock.clone()).bind(shard_number(shard)).fetch_optional(&mut *tx).await.store()?;
        let Some(counter) = counter else { return Ok(Outcome::Taken) };
        let position: i64 = counter.try_get("position").store()?;
        let stream_end: i64 = counter.try_get("stream_end").store()?;

        let rows = sqlx::query(self.unpublished.clone()).bind(shard_number(shard)).bind(self.batch).fetch_all(&mut *tx).await.store()?;
        // They end with this function: when what was appended is marked, or will be appended again.
        let mut spans = Vec::new();
        let events = rows.iter().map(|row| encode(row, now, &mut spans)).collect::<Result<Vec<_>, sqlx::Error>>().store()?;
        let outcome = match transport.append(shard, stream_end, position, &events).await? {
            Appended::Lost(end) => {
                let restored = sqlx::query(self.restore.clone())
                    .bind(shard_number(shard))
                    .bind(end)
                    .bind(grace.to_sqlx())
                    .execute(&mut *tx)
                    .await
                    .store()?;
                tracing::warn!(
                    schema = self.db.schema(),
                    shard,
                    events = restored.rows_affected(),
                    "the stream lost events; publishing them again"
                );
                Outcome::Restored(restored.rows_affected())
            }
            Appended::At(_) if rows.is_empty() => Outcome::Published(0, None),
            Appended::At(first) => {
                self.mark(&mut tx, shard, &rows, first, now).await?;
                let oldest = rows.first().map(|row| row.try_get::<jiff_sqlx::Timestamp, _>("create_time")).transpose().store()?;
                Outcome::Published(rows.len(), oldest.map(jiff_sqlx::Timestamp::to_jiff))
            }
        };
        tx.commit().await.store()?;
        Ok(outcome)
    }

    async fn mark(&self, tx: &mut PgConnection, shard: u16, rows: &[PgRow], first: i64, now: Timestamp) -> Result<()> {
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let seqs = rows.iter().map(|row| row.try_get("seq")).collect::<Result<Vec<i64>, _>>().store()?;
        let times = rows.iter().map(|row| row.try_get("create_time")).collect::<Result<Vec<jiff_sqlx::Timestamp>, _>>().store()?;
        sqlx::query(self.mark.clone())
            .bind(shard_number(shard))
            .bind(now.to_sqlx())
            .bind(seqs)
            .bind(times)
            .bind((first..first + count).collect::<Vec<i64>>())
            .bind(first + count - 1)
            .execute(tx)
            .await
            .store()?;
        Ok(())
    }
}

pub(super) fn shard_number(shard: u16) -> i16 {
    i16::try_from(shard).unwrap_or(i16::MAX)
}

fn encode(row: &PgRow, now: Timestamp, spans: &mut Vec<Span>) -> Result<Vec<u8>, sqlx::Error> {
    let kind: String = row.try_get("type")?;
    let occurred: jiff_sqlx::Timestamp = row.try_get("occur_time")?;
    let mut event = Event {
        id: row.try_get::<Uuid, _>("id")?.to_string(),
        subject: row.try_get::<Uuid, _>("subject_id")?.to_string(),
        estate_id: row.try_get::<Option<Uuid>, _>("estate_id")?.map(|id| id.to_string()).unwrap_or_default(),
        occur_time: Some(to_timestamp(occurred.to_jiff())),
        publish_time: Some(to_timestamp(now)),
        sequence: row.try_get("seq")?,
        traceparent: row.try_get("traceparent")?,
        payload: Some(prost_types::Any { type_url: format!("type.googleapis.com/{kind}"), value: row.try_get("payload")? }),
        r#type: kind,
    };
    // Only where somebody records it: a span for each event of a busy outbox is not free.
    if is_sampled(&event.traceparent) {
        let name = format!("publish {}", short_name(&event.r#type));
        let span = tracing::info_span!(parent: None, "publish", otel.name = name, otel.kind = "producer", kind = event.r#type, event = event.id, subject = event.subject);
        continue_trace(&span, &event.traceparent);
        if let Some(own) = span.in_scope(current_traceparent) {
            event.traceparent = own;
        }
        spans.push(span);
    }
    Ok(event.encode_to_vec())
}
