//! Hints inside the process: an attempt is due, an inbox has something new. Losing one costs moments: timers and sweeps
//! find what is there.

use std::sync::Mutex;
use std::sync::PoisonError;

use tokio::sync::{Notify, watch};

use crate::domain::ids::DeliveryId;

/// See above.
#[derive(Debug)]
pub(crate) struct Wakes {
    due: Mutex<Vec<DeliveryId>>,
    attempts: Notify,
    inbox: Notify,
    head: watch::Sender<i64>,
}

impl Default for Wakes {
    fn default() -> Self {
        Self { due: Mutex::default(), attempts: Notify::new(), inbox: Notify::new(), head: watch::Sender::new(0) }
    }
}

impl Wakes {
    /// A delivery is due for an attempt.
    pub(crate) fn attempt(&self, delivery: DeliveryId) {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).push(delivery);
        self.attempts.notify_one();
    }

    /// Waits for deliveries that are due and takes all of them.
    pub(crate) async fn take_attempts(&self) -> Vec<DeliveryId> {
        loop {
            let taken = std::mem::take(&mut *self.due.lock().unwrap_or_else(PoisonError::into_inner));
            if !taken.is_empty() {
                return taken;
            }
            self.attempts.notified().await;
        }
    }

    /// Something may have come into an inbox, perhaps in a transaction that is still open.
    pub(crate) fn inbox(&self) {
        self.inbox.notify_one();
    }

    /// Waits for [`Wakes::inbox`].
    pub(crate) async fn inbox_changed(&self) {
        self.inbox.notified().await;
    }

    /// Items up to `position` can be read.
    pub(crate) fn reached(&self, position: i64) {
        self.head.send_if_modified(|head| {
            let higher = position > *head;
            *head = position.max(*head);
            higher
        });
    }

    /// The highest position that can be read, and its changes.
    pub(crate) fn head(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }
}
