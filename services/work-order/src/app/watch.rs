//! Who watches which order. Hints only: a watcher reads the order again and decides by its version.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use steward_kit::ids::WorkOrderId;
use steward_kit_store::outbox::Published;
use tokio::sync::watch;

type Watched = Mutex<HashMap<WorkOrderId, watch::Sender<()>>>;

/// The watchers of this process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct WatchHub(Arc<Watched>);

/// One watcher of one order; leaves the hub when dropped.
#[derive(Debug)]
pub(crate) struct Watcher {
    hub: WatchHub,
    id: WorkOrderId,
    changes: watch::Receiver<()>,
}

impl WatchHub {
    /// Watches an order from now on.
    pub(crate) fn watch(&self, id: WorkOrderId) -> Watcher {
        let mut watched = self.lock();
        let changes = watched.entry(id).or_insert_with(|| watch::Sender::new(())).subscribe();
        Watcher { hub: self.clone(), id, changes }
    }

    /// An order has changed.
    pub(crate) fn changed(&self, id: WorkOrderId) {
        if let Some(changes) = self.lock().get(&id) {
            changes.send_replace(());
        }
    }

    /// Facts were published by some replica: the orders that they may be about may have changed.
    pub(crate) fn published(&self, published: Published) {
        for (_, changes) in self.lock().iter().filter(|(id, _)| published.concerns(**id)) {
            changes.send_replace(());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<WorkOrderId, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    /// Returns when the order may have changed since the last call. Changes in between are not missed.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_change_wakes_its_watchers_and_the_last_one_tidies_up() {
        let hub = WatchHub::default();
        let (mine, other) = (WorkOrderId::new(), WorkOrderId::new());
        let (mut first, second) = (hub.watch(mine), hub.watch(mine));
        hub.changed(other);
        hub.changed(mine);
        first.changed().await;
        drop(first);
        assert_eq!(hub.lock().len(), 1);
        drop(second);
        assert!(hub.lock().is_empty());
    }
}
