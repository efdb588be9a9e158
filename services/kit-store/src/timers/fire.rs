//! The transaction that ends timers and does what they promised.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row, SqlStr};
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::FiredTimer;
use super::handlers::Handlers;
use super::hints::Entry;
use crate::db::Db;
use crate::error::StoreResult;
use crate::shard::shard_of;

/// The first pause of a timer whose handler failed; doubled with each attempt.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The longest one.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// A timer that stays: where it belongs in the index, and what kind it is.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) entry: Entry,
    pub(super) kind: String,
    pub(super) attempt_count: i32,
}

/// The statements, built once.
pub(super) struct Firer {
    pub(super) db: Db,
    handlers: Handlers,
    kinds: Vec<String>,
    subjects: SqlStr,
    end: SqlStr,
    put_back: SqlStr,
    present: SqlStr,
    older: SqlStr,
    overdue: SqlStr,
    page: SqlStr,
}

impl Firer {
    pub(super) fn new(db: Db, handlers: Handlers) -> Self {
        Self {
            kinds: handlers.kinds().map(str::to_owned).collect(),
            handlers,
            subjects: db.sql(
                "SELECT DISTINCT kind, subject_id FROM {schema}.timers
                  WHERE id = ANY($1) AND wake_time <= $2 AND kind = ANY($3) ORDER BY kind, subject_id",
            ),
            end: db.sql(
                "DELETE FROM {schema}.timers WHERE id = ANY($1) AND wake_time <= $2 AND kind = ANY($3)
                 RETURNING id, kind, subject_id, key, estate_id, due_time, create_time, attempt_count, traceparent",
            ),
            put_back: db.sql(
                "UPDATE {schema}.timers SET attempt_count = attempt_count + 1,
                        wake_time = greatest(due_time, $2 + least($3 * power(2, least(attempt_count, 20)), $4) * interval '1 second')
                  WHERE id = $1 RETURNING id, subject_id, wake_time, kind, attempt_count",
            ),
            present: db.sql("SELECT id, subject_id, wake_time, kind, attempt_count FROM {schema}.timers WHERE id = ANY($1)"),
            older: db.sql(
                "SELECT o.id FROM {schema}.timers t JOIN {schema}.timers o ON o.subject_id = t.subject_id
                  WHERE t.id = ANY($1) AND o.wake_time < t.wake_time",
            ),
            overdue: db.sql("SELECT id FROM {schema}.timers WHERE wake_time <= $1 AND kind = ANY($2) ORDER BY wake_time, id LIMIT $3"),
            page: db.sql(
                "SELECT id, subject_id, wake_time FROM {schema}.timers
                  WHERE (wake_time, id) > ($1, $2) AND wake_time <= $3 ORDER BY wake_time, id LIMIT $4",
            ),
            db,
        }
    }

    pub(super) fn knows(&self, kind: &str) -> bool {
        self.handlers.of(kind).is_some()
    }

    /// Ends those of `ids` that are due and does what they promised, oldest first, in one transaction. Returns them.
    /// What another replica ended, what was moved and what was cancelled is not among them.
    pub(super) async fn fire(&self, ids: &[Uuid], now: Timestamp) -> Result<Vec<FiredTimer>> {
        let _place = self.db.background().await;
        let mut tx = self.db.begin().await?;
        self.lock_subjects(&mut tx, ids, now).await?;
        let rows = sqlx::query(self.end.clone()).bind(ids).bind(now.to_sqlx()).bind(&self.kinds).fetch_all(&mut *tx).await.store()?;
        let mut timers = rows.iter().map(|row| self.read(row)).collect::<Result<Vec<_>>>()?;
        timers.sort_by_key(|timer| (timer.due_time, timer.id));
        let effects = self.handlers.fire(&mut tx, &timers, now).await?;
        effects.write(&self.db, &mut tx, now).await?;
        tx.commit().await.store()?;
        self.db.wake(&effects);
        Ok(timers)
    }

    async fn lock_subjects(&self, tx: &mut PgConnection, ids: &[Uuid], now: Timestamp) -> Result<()> {
        let rows: Vec<(String, Uuid)> =
            sqlx::query_as(self.subjects.clone()).bind(ids).bind(now.to_sqlx()).bind(&self.kinds).fetch_all(&mut *tx).await.store()?;
        let mut subjects: BTreeMap<String, Vec<Uuid>> = BTreeMap::new();
        for (kind, subject) in rows {
            subjects.entry(kind).or_default().push(subject);
        }
        for (kind, subjects) in subjects {
            if let Some(handler) = self.handlers.of(&kind) {
                handler.lock(tx, &subjects).await?;
            }
        }
        Ok(())
    }

    /// Lets a timer that failed rest, longer each time. `None` if it is gone.
    pub(super) async fn put_back(&self, id: Uuid, now: Timestamp) -> Result<Option<Pending>> {
        let row = sqlx::query(self.put_back.clone())
            .bind(id)
            .bind(now.to_sqlx())
            .bind(FIRST_PAUSE.as_secs_f64())
            .bind(LONGEST_PAUSE.as_secs_f64())
            .fetch_optional(self.db.pool())
            .await
            .store()?;
        row.as_ref().map(pending).transpose().store()
    }

    /// Those of `ids` that are there.
    pub(super) async fn present(&self, ids: &[Uuid]) -> Result<Vec<Pending>> {
        let rows = sqlx::query(self.present.clone()).bind(ids).fetch_all(self.db.pool()).await.store()?;
        rows.iter().map(pending).collect::<Result<_, _>>().store()
    }

    /// What is due of the same subjects before `ids` are: a timer that overtakes others does not overtake those of its own subject.
    pub(super) async fn older(&self, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        sqlx::query_scalar(self.older.clone()).bind(ids).fetch_all(self.db.pool()).await.store()
    }

    /// The oldest timers that are due.
    pub(super) async fn overdue(&self, now: Timestamp, most: u16) -> Result<Vec<Uuid>> {
        sqlx::query_scalar(self.overdue.clone())
            .bind(now.to_sqlx())
            .bind(&self.kinds)
            .bind(i64::from(most))
            .fetch_all(self.db.pool())
            .await
            .store()
    }

    /// The timers after `after` that wake at `until` or before, oldest first.
    pub(super) async fn page(&self, after: (Timestamp, Uuid), until: Timestamp, most: i64) -> Result<Vec<Entry>> {
        let rows = sqlx::query(self.page.clone())
            .bind(after.0.to_sqlx())
            .bind(after.1)
            .bind(until.to_sqlx())
            .bind(most)
            .fetch_all(self.db.pool())
            .await
            .store()?;
        rows.iter().map(entry).collect::<Result<_, _>>().store()
    }

    fn read(&self, row: &PgRow) -> Result<FiredTimer> {
        let kind: String = row.try_get("kind").store()?;
        let kind = self.handlers.of(&kind).ok_or_else(|| Error::bug("a timer without a handler"))?.kind();
        let instant = |column| row.try_get::<jiff_sqlx::Timestamp, _>(column).map(jiff_sqlx::Timestamp::to_jiff);
        Ok(FiredTimer {
            id: row.try_get::<Uuid, _>("id").store()?.into(),
            kind,
            subject_id: row.try_get("subject_id").store()?,
            key: row.try_get("key").store()?,
            estate_id: row.try_get::<Option<Uuid>, _>("estate_id").store()?.map(Into::into),
            due_time: instant("due_time").store()?,
            create_time: instant("create_time").store()?,
            attempt_count: row.try_get("attempt_count").store()?,
            traceparent: row.try_get("traceparent").store()?,
        })
    }
}

fn pending(row: &PgRow) -> Result<Pending, sqlx::Error> {
    Ok(Pending { entry: entry(row)?, kind: row.try_get("kind")?, attempt_count: row.try_get("attempt_count")? })
}

fn entry(row: &PgRow) -> Result<Entry, sqlx::Error> {
    let subject: Uuid = row.try_get("subject_id")?;
    let wake_time = row.try_get::<jiff_sqlx::Timestamp, _>("wake_time")?.to_jiff();
    Ok(Entry { shard: shard_of(subject), id: row.try_get("id")?, wake_time })
}
