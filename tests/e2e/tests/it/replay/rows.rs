//! How many rows every table of every service has.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, bail};
use steward_e2e::House;

/// Tables in which the mechanisms keep their own books while nobody asks for anything.
const BOOKS: [&str; 3] = ["outbox_watermarks", "inbox", "_sqlx_migrations"];

/// Rows by table.
pub(super) type Rows = BTreeMap<String, i64>;

/// Counts every table.
pub(super) async fn counted(house: &House) -> Result<Rows> {
    let db = house.database.superuser().await?;
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_schema::text, table_name::text FROM information_schema.tables t
           JOIN pg_class c ON c.oid = (quote_ident(table_schema) || '.' || quote_ident(table_name))::regclass AND NOT c.relispartition
          WHERE table_schema NOT IN ('public', 'pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'",
    )
    .fetch_all(&db)
    .await?;
    let tables: Vec<String> = tables
        .into_iter()
        .filter(|(_, table)| !BOOKS.contains(&table.as_str()))
        .map(|(schema, table)| format!("{schema}.{table}"))
        .collect();
    // One statement, so one state of the world.
    let each: Vec<String> = tables.iter().map(|table| format!("SELECT '{table}', count(*) FROM {table}")).collect();
    let rows: Vec<(String, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(each.join(" UNION ALL "))).fetch_all(&db).await?;
    db.close().await;
    Ok(rows.into_iter().collect())
}

/// Counts every table once nothing has changed for a while: what earlier calls set going has come to its end.
pub(super) async fn settled(house: &House) -> Result<Rows> {
    const LOOKS: u32 = 100;
    const CALM: u32 = 4;
    let (mut seen, mut calm) = (counted(house).await?, 0);
    for _ in 0..LOOKS {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let now = counted(house).await?;
        calm = if now == seen { calm + 1 } else { 0 };
        if calm == CALM {
            return Ok(now);
        }
        seen = now;
    }
    bail!("the house does not come to rest")
}

/// Which tables differ, for people.
pub(super) fn difference(before: &Rows, after: &Rows) -> String {
    let differs = after.iter().filter(|(table, count)| before.get(*table) != Some(count));
    let shown = differs.map(|(table, count)| format!("{table} {} -> {count}", before.get(table).copied().unwrap_or_default()));
    shown.collect::<Vec<_>>().join(", ")
}
