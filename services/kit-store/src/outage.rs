//! Failures of a loop that comes again many times a second: said once, then now and then, until it is over.

use std::time::Duration;

use steward_kit::Error;
use tokio::time::Instant;

/// How often a lasting failure is said again.
const SAY_AGAIN: Duration = Duration::from_secs(30);

/// What one loop has said so far.
#[derive(Debug)]
pub(crate) struct Outage {
    schema: &'static str,
    what: &'static str,
    said: Option<Instant>,
}

impl Outage {
    /// Nothing is wrong yet. `what` says what stands still meanwhile.
    pub(crate) fn of(schema: &'static str, what: &'static str) -> Self {
        Self { schema, what, said: None }
    }

    pub(crate) fn goes_on(&mut self, error: &Error) {
        if self.said.is_none_or(|said| said.elapsed() > SAY_AGAIN) {
            tracing::warn!(schema = self.schema, error = ?error, "{}", self.what);
            self.said = Some(Instant::now());
        }
    }

    pub(crate) fn is_over(&mut self) {
        if self.said.take().is_some() {
            tracing::info!(schema = self.schema, "over: {}", self.what);
        }
    }
}
