//! Hints inside the process: what timers found is to be done outside of their transaction, because another service must be asked.
//! Losing one costs the length of a lease: the timer was set again.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use uuid::Uuid;

/// Work that asks another service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    /// Touchpoints are due, or to be looked at again.
    Act,
    /// A programme is planned in an estate.
    Plan(Uuid, Uuid),
    /// A round's visits are drawn up, or looked at again.
    Round(Uuid),
    /// What an estate counts by the calendars is counted anew.
    Recount(Uuid),
}

/// See above.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    waiting: Mutex<BTreeSet<Work>>,
    new: Notify,
}

impl Wakes {
    /// There is something to do.
    pub(crate) fn add(&self, work: Work) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(work);
        self.new.notify_one();
    }

    /// Whether a piece of work waits.
    pub(crate) fn has(&self, work: Work) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).contains(&work)
    }

    /// Waits for work and takes one piece of it.
    pub(crate) async fn take(&self) -> Work {
        loop {
            let taken = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_first();
            if let Some(work) = taken {
                return work;
            }
            self.new.notified().await;
        }
    }
}
