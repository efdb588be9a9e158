//! Watermarks and trimming.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::{Row, SqlStr};
use steward_kit::Result;

use super::publish::shard_number;
use super::transport::Transport;
use crate::db::Db;
use crate::error::StoreResult;

/// How many events each consumer group is behind.
pub(super) type Lag = Vec<(String, i64)>;

#[derive(Debug)]
pub(super) struct Tender {
    retention: SignedDuration,
    db: Db,
    store: SqlStr,
    state: SqlStr,
    /// Of each shard, which position had been reached when: how old an entry is, without asking the table.
    reached: Mutex<HashMap<u16, VecDeque<(Timestamp, i64)>>>,
}

impl Tender {
    pub(super) fn new(db: Db, retention: SignedDuration) -> Self {
        // A watermark never sinks: after a loss the new group starts from nothing, the old acknowledgements stay true.
        let store = db.sql(
            "INSERT INTO {schema}.outbox_watermarks AS w (shard, consumer, position, update_time)
             SELECT $1, n.consumer, n.position, $4 FROM unnest($2::text[], $3::bigint[]) AS n(consumer, position)
             ON CONFLICT ON CONSTRAINT outbox_watermarks_pkey DO UPDATE
                 SET position = EXCLUDED.position, update_time = EXCLUDED.update_time
               WHERE w.position < EXCLUDED.position",
        );
        let state = db.sql(
            "SELECT r.position AS reached, w.consumer, w.position
               FROM {schema}.relay_shards r LEFT JOIN {schema}.outbox_watermarks w USING (shard) WHERE r.shard = $1",
        );
        Self { retention, db, store, state, reached: Mutex::default() }
    }

    /// Stores what each group has acknowledged, and lets go of what everybody has and is old enough.
    pub(super) async fn tend(&self, transport: &dyn Transport, shard: u16, now: Timestamp) -> Result<Lag> {
        let (consumers, positions): (Vec<_>, Vec<_>) = transport.acknowledged(shard).await?.into_iter().unzip();
        if !consumers.is_empty() {
            sqlx::query(self.store.clone())
                .bind(shard_number(shard))
                .bind(&consumers)
                .bind(&positions)
                .bind(now.to_sqlx())
                .execute(self.db.pool())
                .await
                .store()?;
        }
        let rows = sqlx::query(self.state.clone()).bind(shard_number(shard)).fetch_all(self.db.pool()).await.store()?;
        let (mut reached, mut lag, mut needed) = (0, Lag::new(), i64::MAX);
        for row in &rows {
            reached = row.try_get("reached").store()?;
            let Some(consumer) = row.try_get::<Option<String>, _>("consumer").store()? else { continue };
            let position: i64 = row.try_get("position").store()?;
            needed = needed.min(position);
            lag.push((consumer, (reached - position).max(0)));
        }
        let let_go = self.old_enough(shard, now, reached).min(needed);
        if let_go > 0 {
            transport.trim(shard, let_go).await?;
        }
        Ok(lag)
    }

    /// Notes where the shard stands and answers the position it had passed a retention ago; 0 if that is not known.
    fn old_enough(&self, shard: u16, now: Timestamp, reached: i64) -> i64 {
        let mut all = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let notes = all.entry(shard).or_default();
        if notes.back().is_none_or(|(_, position)| *position < reached) {
            notes.push_back((now, reached));
        }
        let mut old = 0;
        while let Some((when, position)) = notes.front().copied()
            && now.duration_since(when) >= self.retention
        {
            old = position;
            notes.pop_front();
        }
        old
    }
}
