//! What becomes of a claimed batch.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::service::Parts;

/// How long a timer rests that this version of the service has no handler for. Short: during a deployment the replicas
/// of the new version have one, and wait for it.
const UNKNOWN_KIND_REST: SignedDuration = SignedDuration::from_secs(1);

impl Parts {
    /// Fires a claimed batch and takes it out of the index: whole, or one by one when the whole fails.
    pub(super) async fn settle(&self, shard: u16, ids: &[Uuid]) -> Result<()> {
        let rest = self.fire(ids).await?;
        // What was fired is gone from the table; only what was not fired needs a look.
        let settled: Vec<Uuid> = ids.iter().copied().filter(|id| !rest.contains(id)).collect();
        self.index.acknowledge(shard, &settled).await?;
        self.reconcile(shard, &rest).await
    }

    /// Fires what is due of `ids`; returns those that were not fired.
    pub(super) async fn fire(&self, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        if let Ok(rest) = self.fire_once(ids).await {
            return Ok(rest);
        }
        let mut rest = Vec::new();
        for id in ids {
            match self.fire_once(&[*id]).await {
                Ok(not_fired) => rest.extend(not_fired),
                Err(error) => {
                    self.put_back(*id, &error).await?;
                    rest.push(*id);
                }
            }
        }
        Ok(rest)
    }

    async fn fire_once(&self, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        let fired = self.firer.fire(ids, self.clock.now()).await?;
        let done = self.clock.now();
        for timer in &fired {
            self.meters.timer_fired(timer.kind, done.duration_since(timer.due_time));
        }
        let is_fired = |id: &Uuid| fired.iter().any(|timer| timer.id.as_uuid() == *id);
        Ok(ids.iter().copied().filter(|id| !is_fired(id)).collect())
    }

    /// Its own timer alone is put later, in the table: the index follows it.
    async fn put_back(&self, id: Uuid, failure: &Error) -> Result<()> {
        if let Some(timer) = self.firer.put_back(id, self.clock.now()).await? {
            tracing::error!(schema = self.firer.db.schema(), timer = %id, kind = timer.kind, attempts = timer.attempt_count,
                again = %timer.entry.wake_time, error = ?failure, "a timer could not be fired; it is tried again");
            self.meters.timer_failed(timer.kind);
        }
        Ok(())
    }

    /// Claimed and not fired: gone from the table, or there with another time, or of a kind that is not known here.
    async fn reconcile(&self, shard: u16, ids: &[Uuid]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let earliest_unknown = self.clock.now() + UNKNOWN_KIND_REST;
        let (mut entries, mut unknown) = (Vec::new(), BTreeSet::new());
        for timer in self.firer.present(ids).await? {
            let mut entry = timer.entry;
            if !self.firer.knows(&timer.kind) {
                entry.wake_time = entry.wake_time.max(earliest_unknown);
                unknown.insert(timer.kind);
            }
            entries.push(entry);
        }
        if !unknown.is_empty() {
            tracing::warn!(schema = self.firer.db.schema(), kinds = ?unknown, "timers are due that this version has no handler for");
        }
        let gone: Vec<Uuid> = ids.iter().copied().filter(|id| !entries.iter().any(|entry| entry.id == *id)).collect();
        self.index.acknowledge(shard, &gone).await?;
        self.index.add(&entries).await
    }
}
