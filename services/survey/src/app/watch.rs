//! Who watches which frame job. Hints only: a watcher reads the job again and decides by its version.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

type Watched = Mutex<HashMap<Uuid, watch::Sender<()>>>;

/// The watchers of this process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct WatchHub(Arc<Watched>);

/// One watcher; leaves the hub when dropped.
#[derive(Debug)]
pub(crate) struct Watcher {
    hub: WatchHub,
    id: Uuid,
    changes: watch::Receiver<()>,
}

impl WatchHub {
    /// Watches a record from now on.
    pub(crate) fn watch(&self, id: Uuid) -> Watcher {
        let mut watched = self.lock();
        let changes = watched.entry(id).or_insert_with(|| watch::Sender::new(())).subscribe();
        Watcher { hub: self.clone(), id, changes }
    }

    /// A record has changed.
    pub(crate) fn changed(&self, id: Uuid) {
        if let Some(changes) = self.lock().get(&id) {
            changes.send_replace(());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    /// Returns when the record may have changed since the last call. Changes in between are not missed.
    pub(crate) async fn changed(&mut self) {
        // The sender stays in the hub as long as this watcher lives.
        let _ = self.changes.changed().await;
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut watched = self.hub.lock();
        if watched.get(&self.id).is_some_and(|changes| changes.receiver_count() <= 1) {
            watched.remove(&self.id);
        }
    }
}
