//! Hints inside the process: an attempt is due, an inbox has something new. Losing one costs moments: timers and sweeps
//! find what is there.

use std::sync::Mutex;
use std::sync::PoisonError;

use tokio::sync::{Notify, watch};

use steward_kit::ids::MessageId;
use steward_kit::telemetry::sampled_traceparent;

use crate::domain::ids::{BroadcastId, DeliveryId};

/// Work that a timer woke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Errand {
    /// A delivery is due for an attempt.
    Attempt(DeliveryId),
    /// A message is due to be judged.
    Judge(MessageId),
    /// Pages of a broadcast are due to be made.
    Broadcast(BroadcastId),
}

/// Who goes first (NT-41).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// What is said to one, and emergencies.
    First,
    /// What is said to many: has a part of the places, and none that the first lane wants.
    Bulk,
}

impl Lane {
    /// The lane of what is, or is not, said to many.
    pub(crate) fn of(is_bulk: bool) -> Self {
        if is_bulk { Self::Bulk } else { Self::First }
    }
}

/// An errand, and the trace that it belongs to; empty where that is not recorded.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) errand: Errand,
    pub(crate) lane: Lane,
    pub(crate) traceparent: String,
}

/// See above.
#[derive(Debug)]
pub(crate) struct Wakes {
    due: Mutex<Vec<Due>>,
    errands: Notify,
    inbox: Notify,
    head: watch::Sender<i64>,
}

impl Default for Wakes {
    fn default() -> Self {
        Self { due: Mutex::default(), errands: Notify::new(), inbox: Notify::new(), head: watch::Sender::new(0) }
    }
}

impl Wakes {
    /// Something is due.
    pub(crate) fn run(&self, errand: Errand, lane: Lane) {
        let due = Due { errand, lane, traceparent: sampled_traceparent().unwrap_or_default() };
        self.due.lock().unwrap_or_else(PoisonError::into_inner).push(due);
        self.errands.notify_one();
    }

    /// Waits for errands that are due and takes all of them.
    pub(crate) async fn take_errands(&self) -> Vec<Due> {
        loop {
            let taken = std::mem::take(&mut *self.due.lock().unwrap_or_else(PoisonError::into_inner));
            if !taken.is_empty() {
                return taken;
            }
            self.errands.notified().await;
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
