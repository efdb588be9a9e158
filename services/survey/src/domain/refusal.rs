//! How a state refuses: with itself, and with what it would allow.

use steward_kit::Error;
use steward_kit::error::WrongState;

/// The state does not allow the verb.
pub fn forbids(subject: String, state: &str, allowed: &[&str], detail: &str) -> Error {
    WrongState::new("STATE_FORBIDS", subject, state, allowed.iter().copied(), detail).into()
}

/// Somebody was faster.
pub fn stale(resource: &'static str) -> Error {
    Error::Stale { resource }
}
