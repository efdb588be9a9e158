//! What becomes of a claimed batch.

use std::collections::{BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::hints::Entry;
use super::index::Claimed;
use super::service::Parts;
use crate::error::is_outage;

/// How long a timer rests that this version of the service has no handler for. Short: during a deployment the replicas
/// of the new version have one, and wait for it.
const UNKNOWN_KIND_REST: SignedDuration = SignedDuration::from_secs(1);

impl Parts {
    /// Fires a claimed batch: whole, or in smaller parts when the whole fails. Returns those of it whose leases may end.
    pub(super) async fn settle(&self, shard: u16, claimed: &Claimed) -> Result<Vec<Uuid>> {
        let ids = self.in_order(claimed).await?;
        let rest = self.fire(&ids).await?;
        // What was fired is gone from the table; only what was not fired needs a look.
        self.reconcile(shard, &rest).await?;
        let rest: HashSet<Uuid> = rest.into_iter().collect();
        Ok(claimed.ids.iter().chain(&claimed.fresh).copied().filter(|id| !rest.contains(id)).collect())
    }

    /// What was claimed, and what is due of the subjects of those that overtook the others.
    async fn in_order(&self, claimed: &Claimed) -> Result<Vec<Uuid>> {
        let mut ids = claimed.ids.clone();
        if !claimed.fresh.is_empty() {
            let known: HashSet<Uuid> = ids.iter().copied().collect();
            ids.extend(self.firer.older(&claimed.fresh).await?.into_iter().filter(|id| !known.contains(id)));
            ids.extend(&claimed.fresh);
        }
        Ok(ids)
    }

    /// Fires what is due of `ids`; returns those that were not fired.
    pub(super) async fn fire(&self, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        let mut rest = Vec::new();
        let mut waiting = vec![ids];
        while let Some(part) = waiting.pop() {
            match (self.fire_once(part).await, part) {
                (Ok(not_fired), _) => rest.extend(not_fired),
                // No timer's fault: none is put later for it.
                (Err(error), _) if is_outage(&error) => return Err(error),
                (Err(error), [id]) => {
                    self.put_back(*id, &error).await?;
                    rest.push(*id);
                }
                // The one that fails is found by halves, the older half first.
                (Err(_), _) => {
                    let (older, newer) = part.split_at(part.len() / 2);
                    waiting.extend([newer, older]);
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
        let fired: HashSet<Uuid> = fired.iter().map(|timer| timer.id.as_uuid()).collect();
        Ok(ids.iter().copied().filter(|id| !fired.contains(id)).collect())
    }

    /// Puts a claimed batch back at the front, for whoever can fire it first. Without this it would lie until the lease is over; if
    /// Redis is away too, it does. What of it was fired after all is found gone when it is claimed again.
    pub(super) async fn give_back(&self, shard: u16, claimed: &Claimed) {
        let ids = claimed.ids.iter().chain(&claimed.fresh);
        let entries: Vec<Entry> = ids.map(|id| Entry { shard, id: *id, wake_time: Timestamp::UNIX_EPOCH }).collect();
        if let Err(error) = self.index.add(&entries).await {
            tracing::debug!(schema = self.firer.db.schema(), error = ?error, "claimed timers wait for the end of their lease");
        }
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
        self.index.add(&entries).await.map(drop)
    }
}
