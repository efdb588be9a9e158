//! The counts: what is there against what must be there, each thing once.

mod outside;
mod sql;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use steward_harness::{MailSink, WebhookSink};

use crate::journal::Journal;

/// What it means when there is less of a thing than there must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A caller was told that it is done.
    Write,
    /// Something was promised, or follows from a fact.
    Obligation,
}

/// What one check counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Which check.
    pub check: &'static str,
    /// What less of a thing means.
    pub sort: Sort,
    /// How many things were looked at; a check that looked at nothing proves nothing.
    pub looked_at: i64,
    /// What is not there as often as it must be: name, expected, found.
    pub off: Vec<(String, i64, i64)>,
}

/// The three numbers that must be zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Promises that were not kept, facts that did not arrive.
    pub obligations_lost: i64,
    /// What happened more than once.
    pub effects_doubled: i64,
    /// What a caller was told is done, and is not.
    pub writes_lost: i64,
}

impl Sums {
    /// Whether all is well.
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }
}

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, more: Self) {
        self.obligations_lost += more.obligations_lost;
        self.effects_doubled += more.effects_doubled;
        self.writes_lost += more.writes_lost;
    }
}

/// What the counts amount to.
pub fn judge(counted: &[Counted]) -> Sums {
    let mut sums = Sums::default();
    for check in counted {
        for (_, expected, found) in &check.off {
            let (missing, more) = ((expected - found).max(0), (found - expected).max(0));
            match check.sort {
                Sort::Write => sums.writes_lost += missing,
                Sort::Obligation => sums.obligations_lost += missing,
            }
            sums.effects_doubled += more;
        }
    }
    sums
}

/// One check in SQL: rows `(what, expected, found)`. `$1` is the time, `$2` and `$3` what was acknowledged and how often.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) sort: Sort,
    pub(crate) acknowledged: Option<&'static str>,
    pub(crate) sql: String,
}

/// How late a timer may be that is still on its way.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_secs(3);

/// Claims are forgotten after 48 h; younger ones are there.
const CLAIMS_KEPT: SignedDuration = SignedDuration::from_hours(40);

/// Notes who hears which facts: who ever applied one of a type. Answers how many are new: of those, others may still be on their way.
///
/// # Errors
/// Postgres does not answer.
pub async fn hear(db: &PgPool) -> Result<u64> {
    let mut new = 0;
    for statement in sql::hear() {
        new += sqlx::query(AssertSqlSafe(statement)).execute(db).await.context("noting who hears what")?.rows_affected();
    }
    Ok(new)
}

/// Takes every count.
///
/// # Errors
/// Postgres does not answer.
pub async fn take(db: &PgPool, journal: &Journal, now: Timestamp) -> Result<Vec<Counted>> {
    hear(db).await?;
    let mut all = Vec::new();
    for check in sql::all() {
        let counts = check.acknowledged.map_or_else(BTreeMap::new, |kind| match kind {
            sql::EVERY_CLAIM => journal.request_ids(now - CLAIMS_KEPT).into_iter().map(|(request, _)| (request, 1)).collect(),
            sql::EVERY_REFUSAL => journal.refused().into_iter().map(|(request, _)| (request, 1)).collect(),
            kind => journal.acknowledged(kind),
        });
        all.push(count(db, &check, &counts, now - ON_ITS_WAY).await?);
    }
    Ok(all)
}

/// Takes the counts that have to do with the world outside.
///
/// # Errors
/// Postgres does not answer.
pub async fn take_outside(db: &PgPool, mail: &MailSink, webhooks: &WebhookSink) -> Result<Vec<Counted>> {
    outside::take(db, mail, webhooks).await
}

async fn count(db: &PgPool, check: &Check, acknowledged: &BTreeMap<String, i64>, now: Timestamp) -> Result<Counted> {
    let sql = format!(
        "WITH acknowledged(id, times) AS (SELECT * FROM unnest($2::text[], $3::bigint[])), counted(what, expected, found) AS ({})
         SELECT count(*), coalesce(jsonb_agg(jsonb_build_array(what, expected, found)) FILTER (WHERE expected <> found), '[]')
           FROM counted WHERE $1::timestamptz IS NOT NULL",
        check.sql
    );
    let (ids, times): (Vec<String>, Vec<i64>) = acknowledged.iter().map(|(id, times)| (id.clone(), *times)).unzip();
    let counted: (i64, Value) = sqlx::query_as(AssertSqlSafe(sql))
        .bind(now.to_string())
        .bind(ids)
        .bind(times)
        .fetch_one(db)
        .await
        .with_context(|| format!("counting {}", check.name))?;
    let (looked_at, off) = counted;
    let row = |row: &Value| Some((row[0].as_str()?.to_owned(), row[1].as_i64()?, row[2].as_i64()?));
    let off = off.as_array().into_iter().flatten().filter_map(row).collect();
    Ok(Counted { check: check.name, sort: check.sort, looked_at, off })
}

/// What still waits anywhere: facts to be published or applied (of those made since there was no rest), timers that are due, attempts
/// under way. At rest there is nothing.
///
/// # Errors
/// Postgres does not answer.
pub async fn waiting(db: &PgPool, now: Timestamp, since: Timestamp) -> Result<Vec<(String, i64)>> {
    let asked = sqlx::query_as(AssertSqlSafe(sql::waiting())).bind(now.to_string()).bind(since.to_string());
    let rows: Vec<(String, i64)> = asked.fetch_all(db).await.context("asking what waits")?;
    Ok(rows.into_iter().filter(|(_, count)| *count > 0).collect())
}

/// The same without looking at each consumer: what is to be published, fired or delivered now.
///
/// # Errors
/// Postgres does not answer.
pub async fn queued(db: &PgPool, now: Timestamp) -> Result<i64> {
    let asked = sqlx::query_as(AssertSqlSafe(sql::queued())).bind(now.to_string());
    let rows: Vec<(String, i64)> = asked.fetch_all(db).await.context("asking what is queued")?;
    Ok(rows.into_iter().map(|(_, count)| count).sum())
}

/// How many timers of orders wait.
///
/// # Errors
/// Postgres does not answer.
pub async fn timers(db: &PgPool) -> Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM work_order.timers").fetch_one(db).await.context("counting timers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(sort: Sort, off: &[(&str, i64, i64)]) -> Counted {
        Counted { check: "a check", sort, looked_at: 10, off: off.iter().map(|(what, a, b)| ((*what).to_owned(), *a, *b)).collect() }
    }

    #[test]
    fn what_is_lost_and_what_is_doubled_is_seen_and_told_apart() {
        assert!(judge(&[counted(Sort::Write, &[]), counted(Sort::Obligation, &[])]).is_zero());
        let sums = judge(&[
            counted(Sort::Write, &[("order 1", 1, 0), ("order 2", 1, 2)]),
            counted(Sort::Obligation, &[("escalation 1", 1, 3), ("escalation 2", 2, 1), ("event 7", 0, 1)]),
        ]);
        assert_eq!(sums, Sums { obligations_lost: 1, effects_doubled: 4, writes_lost: 1 });
    }
}
