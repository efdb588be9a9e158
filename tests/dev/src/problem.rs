//! What went wrong and, where we know it, the command that mends it.

use std::{fmt, io};

/// The result of everything the launcher does.
pub type Result<T> = std::result::Result<T, Problem>;

/// A refusal for a person at a terminal: what, and what to do about it.
#[derive(Debug, Clone)]
pub struct Problem {
    what: String,
    remedy: Option<String>,
}

impl Problem {
    /// A problem without a known remedy.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: None }
    }

    /// Adds the command or step that mends it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Wraps an I/O error with what was being done.
    pub fn io(doing: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::new(format!("{doing}: {error}"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n  to mend it: {remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}
