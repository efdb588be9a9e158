//! Why a deadline cannot be computed.

use thiserror::Error;

/// Errors of the arithmetic itself; reading spans, years and hours have their own.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CalendarError {
    /// A span names a working-hours calendar that is not loaded.
    #[error("working-hours calendar `{name}` is not loaded")]
    UnknownHours {
        /// The name in the span.
        name: String,
    },
    /// The result lies outside the range of time that can be represented, or more than 300 years away.
    #[error("the deadline is out of range")]
    OutOfRange,
    /// A pause ends before it begins.
    #[error("pause {index} ends before it begins")]
    PauseBackwards {
        /// Position in the list given.
        index: usize,
    },
}

impl From<jiff::Error> for CalendarError {
    // Every fallible call of this module is a checked addition or a conversion of a date near the ends of time.
    fn from(_: jiff::Error) -> Self {
        Self::OutOfRange
    }
}
