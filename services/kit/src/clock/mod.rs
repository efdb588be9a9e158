//! Time, asked in one place.
//!
//! Everything in the suite takes `now` as an argument; what must ask, asks a [`Clock`]. There are three:
//!
//! * [`Clock::system`]: the machine's clock. Production knows no other.
//! * [`Clock::manual`]: frozen until a test says otherwise.
//! * [`Clock::shared`]: the machine's clock plus an offset that lives in a small file. Every process of a development
//!   stack reads the file at each [`Clock::now`], so all of them move at the same instant.
//!
//! Sleepers wait for an instant, not for a span: [`Clock::sleep_until`] returns when the clock says so, also when the
//! clock was moved meanwhile. The system clock is never polled.
//!
//! Instants are cut to microseconds, because that is what Postgres keeps: what was answered is what is read back.

mod manual;
mod shared;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use manual::ManualClock;
pub use shared::SharedClock;

/// A source of the present instant. Cheap to clone; clones agree.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(ManualClock),
    Shared(Arc<shared::Watched>),
}

/// A sleeper of the system clock looks again after this long, because the wall clock may have been stepped and the
/// monotonic clock that times the sleep does not notice.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock frozen at `start`, and the handle that moves it.
    pub fn manual(start: Timestamp) -> (Self, ManualClock) {
        let handle = ManualClock::at(start);
        (Self(Source::Manual(handle.clone())), handle)
    }

    /// The machine's clock moved by the offset in the file at `path` (see [`SharedClock`]). Development only:
    /// [`crate::config`] refuses it in production.
    ///
    /// # Errors
    /// The file cannot be opened, or holds fewer than eight bytes.
    pub fn shared(path: impl AsRef<Path>) -> std::io::Result<Self> {
        Ok(Self(Source::Shared(shared::Watched::open(path.as_ref())?)))
    }

    /// The present instant, in whole microseconds.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => machine_now(),
            Source::Manual(clock) => clock.now(),
            Source::Shared(clock) => clock.now(),
        }
    }

    /// Returns as soon as [`Clock::now`] is at or after `instant`; at once if it already is. Safe to drop.
    pub async fn sleep_until(&self, instant: Timestamp) {
        match &self.0 {
            Source::System => loop {
                let Some(remaining) = remaining(self.now(), instant) else { return };
                tokio::time::sleep(remaining.min(LONGEST_SLEEP)).await;
            },
            Source::Manual(clock) => clock.wait_for(instant).await,
            Source::Shared(clock) => clock.sleep_until(instant).await,
        }
    }

    /// Whether this clock can be moved by hand. A service says so loudly at start.
    pub fn is_movable(&self) -> bool {
        match &self.0 {
            Source::System => false,
            Source::Manual(_) | Source::Shared(_) => true,
        }
    }
}

/// The one call of the wall clock in the suite.
#[allow(clippy::disallowed_methods, reason = "this module is where the wall clock is asked")]
fn machine_now() -> Timestamp {
    whole_microseconds(Timestamp::now())
}

fn whole_microseconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or(instant)
}

/// How long until `instant`; `None` when it has come.
fn remaining(now: Timestamp, instant: Timestamp) -> Option<Duration> {
    let span = instant.duration_since(now);
    span.is_positive().then(|| span.unsigned_abs())
}

#[cfg(test)]
mod tests;
