//! Timers just written, on their way into the index.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::effects::{Effects, TimerChange};
use crate::shard::shard_of;

/// Most hints kept. Those beyond are dropped: the sweeper finds their rows.
const MOST: usize = 50_000;

/// A timer and when to wake for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) shard: u16,
    pub(crate) id: Uuid,
    pub(crate) wake_time: Timestamp,
}

/// The queue between [`crate::Db::wake`] and the indexer. Offering never waits.
#[derive(Debug, Default)]
pub(crate) struct TimerHints {
    waiting: Mutex<Vec<Entry>>,
    arrived: Notify,
}

impl TimerHints {
    pub(crate) fn offer(&self, effects: &Effects) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for change in &effects.timers {
            // A cancelled timer stays in the index until its time: waking for nothing is cheaper than knowing its id.
            if let TimerChange::Set { id, subject_id, due_time, .. } = change
                && waiting.len() < MOST
            {
                waiting.push(Entry { shard: shard_of(*subject_id), id: id.as_uuid(), wake_time: *due_time });
            }
        }
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Waits for hints and takes all of them.
    pub(crate) async fn take(&self) -> Vec<Entry> {
        loop {
            let taken = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            if !taken.is_empty() {
                return taken;
            }
            self.arrived.notified().await;
        }
    }
}
