//! One number that says whether what we keep in memory is still true.
//!
//! `policy_epoch` rises in the statement of every change to a policy, the estate directory or a calendar year. Each
//! cache remembers the epoch it was loaded at and loads again when a higher one was seen. A cache may still be behind by
//! moments; a write that was decided by it therefore compares the epoch in its own statement (see [`crate::policy`]).

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use steward_kit::Result;
use steward_kit::telemetry::cache_asked;
use tokio_util::sync::CancellationToken;

use crate::db::Db;
use crate::error::StoreResult;

/// How often a process asks for the epoch by itself. Reads may be behind by this much; guarded writes never.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// The highest epoch this process has seen.
#[derive(Debug, Default)]
pub(crate) struct EpochSeen(AtomicI64);

impl EpochSeen {
    pub(crate) fn observe(&self, epoch: i64) {
        self.0.fetch_max(epoch, Ordering::AcqRel);
    }

    pub(crate) fn get(&self) -> i64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Asks the database for the epoch; every cache of this process that is behind loads again at its next use.
///
/// # Errors
/// Postgres does not answer.
pub async fn refresh(db: &Db) -> Result<i64> {
    let epoch: i64 = sqlx::query_scalar(db.sql("SELECT epoch FROM {schema}.policy_epoch")).fetch_one(db.pool()).await.store()?;
    db.epoch_seen().observe(epoch);
    Ok(epoch)
}

/// The job that keeps reads fresh in a process that does not write.
pub async fn watch(db: Db, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(ASK_EVERY)).await.is_some() {
        if let Err(error) = refresh(&db).await {
            tracing::warn!(schema = db.schema(), error = ?error, "could not ask for the policy epoch; caches may be behind");
        }
    }
}

/// Something loaded whole, and the epoch it was true at.
#[derive(Debug, Default)]
pub(crate) struct Loaded<T> {
    pub(crate) epoch: i64,
    pub(crate) value: T,
}

/// Keeps the last of it.
#[derive(Debug, Default)]
pub(crate) struct Cached<T>(RwLock<Arc<Loaded<T>>>);

impl<T> Cached<T> {
    /// What is held, or what `load` brings if that is behind. Two callers may load at once; the newer stays.
    /// `name` is what its hits and misses are counted by.
    pub(crate) async fn get(&self, name: &'static str, db: &Db, load: impl Future<Output = Result<Loaded<T>>>) -> Result<Arc<Loaded<T>>> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        // Epochs begin with 1: nothing was loaded yet at 0.
        let is_true = held.epoch > 0 && held.epoch >= db.epoch_seen().get();
        cache_asked(name, is_true);
        if is_true {
            return Ok(held);
        }
        let loaded = Arc::new(load.await?);
        db.epoch_seen().observe(loaded.epoch);
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if held.epoch <= loaded.epoch {
            *held = loaded.clone();
        }
        Ok(loaded)
    }
}
