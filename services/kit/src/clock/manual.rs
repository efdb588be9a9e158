//! The frozen clock of tests.

use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio::sync::watch;

use super::whole_microseconds;

/// Moves a [`super::Clock::manual`]. Clones move the same clock; every move wakes the sleepers it has reached.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<watch::Sender<Timestamp>>);

impl ManualClock {
    pub(super) fn at(start: Timestamp) -> Self {
        Self(Arc::new(watch::Sender::new(whole_microseconds(start))))
    }

    /// Where the clock stands.
    pub fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    /// Moves the clock by `span`, backwards if negative, and returns where it stands now.
    ///
    /// # Panics
    /// When the result lies outside what a `Timestamp` can say; a test that does so is wrong.
    pub fn advance(&self, span: SignedDuration) -> Timestamp {
        let mut reached = Timestamp::UNIX_EPOCH;
        self.0.send_modify(|now| {
            *now = whole_microseconds(*now + span);
            reached = *now;
        });
        reached
    }

    /// Sets the clock to `instant`.
    pub fn set(&self, instant: Timestamp) {
        self.0.send_replace(whole_microseconds(instant));
    }

    pub(super) async fn wait_for(&self, instant: Timestamp) {
        let mut changes = self.0.subscribe();
        // The sender lives in `self`, so the wait cannot end with an error.
        let _ = changes.wait_for(|now| *now >= instant).await;
    }
}
