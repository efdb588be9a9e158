//! Pauses of a clock (WO-43): which reasons pause which clock is the caller's policy; here they only stop the counting.

use std::sync::Arc;

use jiff::Timestamp;

use super::error::CalendarError;

/// A stretch in which a clock does not run, from `from` until just before `to`; an open one has no `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// When the clock stopped.
    pub from: Timestamp,
    /// When it ran again; `None` while it stands still.
    pub to: Option<Timestamp>,
    /// Why, as a code: `waiting_for_parts`.
    pub reason: Arc<str>,
}

impl Pause {
    /// Makes a pause.
    pub fn new(from: Timestamp, to: Option<Timestamp>, reason: impl Into<Arc<str>>) -> Self {
        Self { from, to, reason: reason.into() }
    }

    /// The end, at the end of time for an open pause.
    pub(super) fn end(&self) -> Timestamp {
        self.to.unwrap_or(Timestamp::MAX)
    }
}

/// Pauses in order, without overlap and without empty ones. Where two overlap, the one that began first gives the
/// reason.
pub(super) fn normalised(pauses: &[Pause]) -> Result<Vec<Pause>, CalendarError> {
    if let Some(index) = pauses.iter().position(|pause| pause.end() < pause.from) {
        return Err(CalendarError::PauseBackwards { index });
    }
    let mut ordered: Vec<&Pause> = pauses.iter().collect();
    ordered.sort_by_key(|pause| pause.from);
    let mut out: Vec<Pause> = Vec::with_capacity(ordered.len());
    for pause in ordered {
        let from = out.last().map_or(pause.from, |last| last.end().max(pause.from));
        if pause.end() > from {
            out.push(Pause { from, ..pause.clone() });
        }
    }
    Ok(out)
}
