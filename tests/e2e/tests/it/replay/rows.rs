//! How many rows every table of every service has, and a fingerprint of what stands in them.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, bail};
use sqlx::{AssertSqlSafe, PgPool};
use steward_e2e::House;

/// Tables in which the mechanisms keep their own books while nobody asks for anything; those of figures may be emptied at any time.
const BOOKS: [&str; 6] = ["outbox_watermarks", "inbox", "_sqlx_migrations", "figure_tallies", "figure_changes", "figure_horizon"];

/// Rows by table: how many, and the sum of their hashes, so that a counter that went up shows as well as a row that came.
pub(super) type Rows = BTreeMap<String, (i64, String)>;

/// Looks at the tables of a house.
pub(super) struct Tables {
    db: PgPool,
    /// One statement, so one state of the world.
    look: String,
}

impl Tables {
    /// Those of a house.
    pub(super) async fn of(house: &House) -> Result<Self> {
        let db = house.database.superuser().await?;
        let tables: Vec<(String, String)> = sqlx::query_as(
            "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
                AND n.nspname NOT IN ('public', 'pg_catalog', 'pg_toast', 'information_schema')",
        )
        .fetch_all(&db)
        .await?;
        assert!(tables.len() > 100, "only {} tables are looked at", tables.len());
        let each = tables.into_iter().filter(|(_, table)| !BOOKS.contains(&table.as_str())).map(|(schema, table)| {
            format!("SELECT '{schema}.{table}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM {schema}.{table} t")
        });
        let look = each.collect::<Vec<_>>().join(" UNION ALL ");
        Ok(Self { db, look })
    }

    /// How they stand.
    pub(super) async fn look(&self) -> Result<Rows> {
        let rows: Vec<(String, i64, String)> = sqlx::query_as(AssertSqlSafe(self.look.clone())).fetch_all(&self.db).await?;
        Ok(rows.into_iter().map(|(table, count, content)| (table, (count, content))).collect())
    }

    /// How they stand once nothing has changed for a while: what earlier calls set going has come to its end.
    pub(super) async fn settled(&self) -> Result<Rows> {
        const LOOKS: u32 = 100;
        const CALM: u32 = 4;
        let (mut seen, mut calm) = (self.look().await?, 0);
        for _ in 0..LOOKS {
            tokio::time::sleep(Duration::from_millis(150)).await;
            let now = self.look().await?;
            calm = if now == seen { calm + 1 } else { 0 };
            if calm == CALM {
                return Ok(now);
            }
            seen = now;
        }
        bail!("the house does not come to rest")
    }
}

/// Which tables differ, for people.
pub(super) fn difference(before: &Rows, after: &Rows) -> String {
    let differs = after.iter().filter(|(table, rows)| before.get(*table) != Some(rows));
    let shown = differs.map(|(table, (count, _))| match before.get(table).map_or(0, |(count, _)| *count) {
        same if same == *count => format!("{table} has {count} rows as before, not all of them the same"),
        other => format!("{table} {other} -> {count}"),
    });
    shown.collect::<Vec<_>>().join(", ")
}
