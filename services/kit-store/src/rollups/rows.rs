//! The kept counts: `figure_tallies`, and whether they are still true.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, Row, SqlStr};
use steward_kit::Result;
use steward_kit::metric::Tally;
use uuid::Uuid;

use super::Count;
use super::question::Key;
use crate::db::Db;
use crate::error::StoreResult;

type Time = jiff_sqlx::Timestamp;

#[derive(Debug)]
pub(super) struct Rows {
    db: Db,
    read: SqlStr,
    look: SqlStr,
    keep: SqlStr,
    tend: SqlStr,
}

/// What a count saw of the rows, as Postgres writes it.
#[derive(Clone, Debug)]
pub(super) struct Snapshot(String);

/// Counts that are true as of `$3`: nothing that they rest on has changed, and no instant has passed that they wait for.
const TRUE_ONES: &str = "
  FROM unnest($1::uuid[], $2::bytea[]) WITH ORDINALITY AS w (estate_id, question, place)
  JOIN {schema}.figure_tallies t ON t.estate_id = w.estate_id AND t.question = w.question
  JOIN {schema}.figure_horizon h ON h.cluster = {schema}.figure_cluster()
 WHERE (t.since_time IS NULL OR t.since_time <= $3) AND (t.until_time IS NULL OR $3 < t.until_time)
   AND {schema}.is_figure_fresh(t, h)";

impl Rows {
    pub(super) fn new(db: Db) -> Self {
        Self {
            read: db.sql(&format!("SELECT w.place, t.tallies{TRUE_ONES}")),
            look: db.sql(&format!("SELECT w.place, t.until_time{TRUE_ONES}")),
            // Of two counts the one that saw more stays. In one order, so that two writers never wait for each other.
            keep: db.sql(
                "INSERT INTO {schema}.figure_tallies AS t (estate_id, question, tallies, snapshot, start_time, end_time,
                     reach_start_time, reach_end_time, since_time, until_time, count_time)
                 SELECT n.estate_id, n.question, n.tallies, $9::pg_snapshot, n.start_time, n.end_time, n.reach_start, n.reach_end,
                        n.since, n.until, $10
                   FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
                               $7::timestamptz[], $8::timestamptz[], $11::timestamptz[])
                        AS n (estate_id, question, tallies, start_time, end_time, reach_start, reach_end, since, until)
                  ORDER BY n.estate_id, n.question
                 ON CONFLICT ON CONSTRAINT figure_tallies_pkey DO UPDATE
                    SET tallies = EXCLUDED.tallies, snapshot = EXCLUDED.snapshot, start_time = EXCLUDED.start_time,
                        end_time = EXCLUDED.end_time, reach_start_time = EXCLUDED.reach_start_time,
                        reach_end_time = EXCLUDED.reach_end_time, since_time = EXCLUDED.since_time,
                        until_time = EXCLUDED.until_time, count_time = EXCLUDED.count_time
                  WHERE pg_snapshot_xmax(t.snapshot) <= pg_snapshot_xmax(EXCLUDED.snapshot)",
            ),
            tend: db.sql("SELECT {schema}.tend_figures($1)"),
            db,
        }
    }

    /// What is kept and true. One trip.
    pub(super) async fn read(&self, keys: &[Key], now: Timestamp) -> Result<HashMap<Key, Vec<Tally>>> {
        let mut found = HashMap::with_capacity(keys.len());
        for row in self.true_ones(&self.read, keys, now).await? {
            let Some(key) = place(&row)?.and_then(|place| keys.get(place)) else { continue };
            // What does not read was written by another version; it is counted anew.
            if let Some(tallies) = Tally::kept(row.try_get("tallies").store()?) {
                found.insert(key.clone(), tallies);
            }
        }
        Ok(found)
    }

    /// Which of these are not kept or not true any more, and the next instant that another one is not. One trip.
    pub(super) async fn behind(&self, keys: &[Key], now: Timestamp) -> Result<(Vec<usize>, Option<Timestamp>)> {
        let (mut is_true, mut next) = (vec![false; keys.len()], None);
        for row in self.true_ones(&self.look, keys, now).await? {
            let Some(one) = place(&row)?.and_then(|place| is_true.get_mut(place)) else { continue };
            *one = true;
            let until = row.try_get::<Option<Time>, _>("until_time").store()?.map(Time::to_jiff);
            next = next.into_iter().chain(until).min();
        }
        Ok((is_true.iter().enumerate().filter(|(_, is_true)| !**is_true).map(|(place, _)| place).collect(), next))
    }

    async fn true_ones(&self, sql: &SqlStr, keys: &[Key], now: Timestamp) -> Result<Vec<sqlx::postgres::PgRow>> {
        let (estates, questions) = columns(keys);
        let query = sqlx::query(sql.clone()).bind(estates).bind(questions).bind(now.to_sqlx());
        query.fetch_all(self.db.pool()).await.store()
    }

    /// What the transaction sees; its first statement. One trip.
    pub(super) async fn snapshot(&self, db: &mut PgConnection) -> Result<Snapshot> {
        sqlx::query_scalar("SELECT pg_current_snapshot()::text").fetch_one(db).await.map(Snapshot).store()
    }

    /// Keeps counts that were made of what `snapshot` saw, under the keys that their estates had when they were made. One trip.
    pub(super) async fn keep(&self, keys: &[Key], counts: &[Count], snapshot: &Snapshot, now: Timestamp) -> Result<()> {
        let both: Vec<(&Key, &Count)> =
            keys.iter().filter_map(|key| Some((key, counts.iter().find(|count| count.estate == key.estate)?))).collect();
        let column = |time: fn(&Count) -> Option<Timestamp>| -> Vec<Option<Time>> {
            both.iter().map(|(_, count)| time(count).map(|time| time.to_sqlx())).collect()
        };
        let (estates, questions) = columns(both.iter().map(|(key, _)| *key));
        sqlx::query(self.keep.clone())
            .bind(estates)
            .bind(questions)
            .bind(both.iter().map(|(_, count)| Tally::keep(count.tallies.clone())).collect::<Vec<_>>())
            .bind(column(|count| Some(count.read.0)))
            .bind(column(|count| Some(count.read.1)))
            .bind(column(|count| count.seen.around.map(|(from, _)| from)))
            .bind(column(|count| count.seen.around.map(|(_, to)| to)))
            .bind(column(|count| count.seen.since))
            .bind(&snapshot.0)
            .bind(now.to_sqlx())
            .bind(column(|count| count.seen.until))
            .execute(self.db.pool())
            .await
            .store()?;
        Ok(())
    }

    /// Forgets what nobody needs any more. One trip.
    pub(super) async fn tend(&self, forget_before: Timestamp) -> Result<()> {
        sqlx::query(self.tend.clone()).bind(forget_before.to_sqlx()).execute(self.db.pool()).await.store()?;
        Ok(())
    }
}

fn columns<'a>(keys: impl IntoIterator<Item = &'a Key>) -> (Vec<Uuid>, Vec<Vec<u8>>) {
    keys.into_iter().map(|key| (key.estate.as_uuid(), key.question.to_vec())).unzip()
}

/// Place of a row among the keys that were asked for.
fn place(row: &sqlx::postgres::PgRow) -> Result<Option<usize>> {
    let place: i64 = row.try_get("place").store()?;
    Ok(usize::try_from(place - 1).ok())
}
