//! Round trips, as the servers themselves count them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use sqlx::PgPool;

use crate::stage::Stage;

/// Statements that roles of a schema sent since [`Statements::reset`].
#[derive(Clone, Debug)]
pub(crate) struct Statements(Vec<(String, i64)>);

impl Statements {
    /// Forgets what was counted.
    pub(crate) async fn reset(pool: &PgPool) -> Result<()> {
        sqlx::query("SELECT pg_stat_statements_reset()").execute(pool).await.context("resetting pg_stat_statements")?;
        Ok(())
    }

    /// What this role sent: each statement in a few words, and how often, most often first.
    pub(crate) async fn of(pool: &PgPool, role: &str) -> Result<Self> {
        let counted = sqlx::query_as(
            "SELECT left(regexp_replace(s.query, '\\s+', ' ', 'g'), 120), sum(s.calls)::bigint
               FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
              WHERE r.rolname = $1 AND s.toplevel
              GROUP BY 1 ORDER BY 2 DESC",
        );
        Ok(Self(counted.bind(role).fetch_all(pool).await.context("reading pg_stat_statements")?))
    }

    /// All of them for each of so many calls, those of background jobs too: the most that a call can have cost.
    pub(crate) fn for_each(&self, calls: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts of statements")]
        let each = self.0.iter().map(|(_, sent)| *sent).sum::<i64>() as f64 / calls.max(1) as f64;
        each
    }

    /// The most frequent ones, for each of so many calls.
    pub(crate) fn told(&self, calls: u64) -> String {
        #[expect(clippy::cast_precision_loss, reason = "counts of statements")]
        let each = |sent: i64| sent as f64 / calls.max(1) as f64;
        let lines = self.0.iter().filter(|(_, sent)| each(*sent) >= 0.005);
        lines.map(|(query, sent)| format!("{:8.3}  {query}\n", each(*sent))).collect()
    }
}

/// How often Redis was asked for each command since its start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Commands(BTreeMap<String, u64>);

impl Commands {
    /// As it stands now.
    pub(crate) async fn now(stage: &Stage) -> Result<Self> {
        let mut redis = stage.redis().await?;
        let text: String = redis::cmd("INFO").arg("commandstats").query_async(&mut redis).await.context("asking Redis")?;
        Ok(Self::read(&text))
    }

    /// `cmdstat_zadd:calls=21,usec=…`; our own questions are left out.
    fn read(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
        });
        Self(lines.filter(|(name, _)| name != "info").collect())
    }

    /// What came between an earlier look and this one.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let grown = self.0.iter().map(|(name, calls)| (name.clone(), calls - earlier.0.get(name).copied().unwrap_or(0)));
        Self(grown.filter(|(_, calls)| *calls > 0).collect())
    }

    pub(crate) fn all(&self) -> u64 {
        self.0.values().sum()
    }

    /// `zadd 12, xadd 3`
    pub(crate) fn told(&self) -> String {
        let mut lines: Vec<_> = self.0.iter().collect();
        lines.sort_by_key(|(_, calls)| std::cmp::Reverse(**calls));
        lines.iter().map(|(name, calls)| format!("{name} {calls}")).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_counted_between_two_looks() {
        let before = Commands::read("# Commandstats\r\ncmdstat_zadd:calls=2,usec=9,usec_per_call=4.5\r\ncmdstat_info:calls=1,usec=3\r\n");
        let after = Commands::read("cmdstat_zadd:calls=5,usec=9\r\ncmdstat_config|get:calls=7,usec=1\r\ncmdstat_info:calls=2,usec=3\r\n");
        let between = after.since(&before);
        assert_eq!(between.all(), 10);
        assert_eq!(between.told(), "config|get 7, zadd 3");
    }
}
