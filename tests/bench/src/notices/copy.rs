//! The limit: the rows that a broadcast wrote, sent by COPY from a client into tables with the same columns and indexes.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, PgPool};
use steward_proto::notification::v1::Broadcast;

/// The tables that a message has rows in, and which rows are those of a broadcast. What waits for its place in an inbox moves there; it
/// is copied once.
const TABLES: [(&str, &str); 6] = [
    ("messages", "t.broadcast_id = $id"),
    ("message_keys", "t.message_id IN (SELECT id FROM notification.messages WHERE broadcast_id = $id)"),
    ("deliveries", "t.message_id IN (SELECT id FROM notification.messages WHERE broadcast_id = $id)"),
    ("inbox_items", "t.message_id IN (SELECT id FROM notification.messages WHERE broadcast_id = $id)"),
    (
        "contacts",
        "t.id IN (SELECT e.contact_id FROM notification.contact_entries e JOIN notification.messages m ON m.id = e.message_id
                            WHERE m.broadcast_id = $id)",
    ),
    ("contact_entries", "t.message_id IN (SELECT id FROM notification.messages WHERE broadcast_id = $id)"),
];

/// See above.
pub(super) struct Copies<'a>(&'a PgPool);

impl<'a> Copies<'a> {
    pub(super) async fn open(pool: &'a PgPool) -> Result<Self> {
        let copies = Self(pool);
        copies.sql("DROP SCHEMA IF EXISTS bench_notices CASCADE").await?;
        copies.sql("CREATE SCHEMA bench_notices").await?;
        for (table, _) in TABLES {
            copies.sql(&format!("CREATE TABLE bench_notices.{table} (LIKE notification.{table} INCLUDING ALL)")).await?;
        }
        Ok(copies)
    }

    pub(super) async fn close(self) -> Result<()> {
        self.sql("DROP SCHEMA bench_notices CASCADE").await
    }

    /// Reads what the broadcast wrote, and writes it as fast as a client can; messages a second.
    pub(super) async fn write_again(&self, broadcast: &Broadcast) -> Result<f64> {
        let mut files = Vec::new();
        for (table, which) in TABLES {
            self.sql(&format!("TRUNCATE bench_notices.{table}")).await?;
            files.push((table, self.read(table, which, broadcast).await?));
        }
        let begun = Instant::now();
        let mut written = Vec::new();
        for (table, file) in files {
            let mut connection = self.0.acquire().await?;
            let mut into = connection.copy_in_raw(&format!("COPY bench_notices.{table} FROM STDIN")).await.context("COPY")?;
            into.send(file).await?;
            written.push(into.finish().await?);
        }
        let elapsed = begun.elapsed();
        let messages = written.first().copied().unwrap_or_default();
        ensure!(messages > 0, "the broadcast wrote nothing to copy");
        Ok(rate(messages, elapsed.as_secs_f64()))
    }

    /// How many rows each message of the broadcast has.
    pub(super) async fn rows_of(&self, broadcast: &Broadcast) -> Result<f64> {
        let mut counts = Vec::new();
        for (table, which) in TABLES {
            let sql = format!("SELECT count(*) FROM notification.{table} t WHERE {}", named(which, broadcast));
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(self.0).await?;
            counts.push(u64::try_from(count)?);
        }
        let messages = counts.first().copied().unwrap_or_default();
        Ok(rate(counts.iter().sum(), rate(messages, 1.0)))
    }

    async fn read(&self, table: &str, which: &str, broadcast: &Broadcast) -> Result<Vec<u8>> {
        let mut connection = self.0.acquire().await?;
        let sql = format!("COPY (SELECT t.* FROM notification.{table} t WHERE {}) TO STDOUT", named(which, broadcast));
        let parts = connection.copy_out_raw(&sql).await?;
        let file = parts.try_fold(Vec::new(), |mut file, part| async move {
            file.extend_from_slice(&part);
            Ok(file)
        });
        file.await.with_context(|| format!("reading {table}"))
    }

    async fn sql(&self, sql: &str) -> Result<()> {
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(self.0).await.with_context(|| sql.to_owned())?;
        Ok(())
    }
}

/// COPY takes no arguments; the id is one that the service made.
fn named(which: &str, broadcast: &Broadcast) -> String {
    which.replace("$id", &format!("'{}'", broadcast.id))
}

#[expect(clippy::cast_precision_loss, reason = "a count of rows")]
fn rate(count: u64, by: f64) -> f64 {
    count as f64 / by
}
