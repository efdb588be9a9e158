//! Changes to timers.

use jiff::Timestamp;
use steward_kit::ids::{EstateId, TimerId};
use steward_kit::telemetry::sampled_traceparent;
use uuid::Uuid;

/// A change to a subject's timers. A timer is named by its subject, kind and key (the key tells apart several of one
/// kind: a clock's name and step; empty if there is only one).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimerChange {
    /// Set it, or move it if it is set already.
    Set {
        /// New with every setting, so that a wake-up for the old time fires nothing.
        id: TimerId,
        /// Names the handler.
        kind: &'static str,
        /// What it is about.
        subject_id: Uuid,
        /// Tells apart several of one kind.
        key: String,
        /// The subject's estate; `None` for what belongs to the whole group.
        estate_id: Option<EstateId>,
        /// When it fires; a time in the past fires at once.
        due_time: Timestamp,
        /// W3C trace context of what set it, empty where that is not recorded.
        traceparent: String,
    },
    /// Forget it; nothing happens if it is not set.
    Cancel {
        /// Names the handler.
        kind: &'static str,
        /// What it is about.
        subject_id: Uuid,
        /// Tells apart several of one kind.
        key: String,
    },
    /// Forget every timer of the subject.
    CancelAll {
        /// What they are about.
        subject_id: Uuid,
    },
}

impl TimerChange {
    /// Sets or moves a timer.
    pub fn set(
        kind: &'static str,
        subject_id: impl Into<Uuid>,
        key: impl Into<String>,
        estate_id: impl Into<Option<EstateId>>,
        due_time: Timestamp,
    ) -> Self {
        let (subject_id, key, estate_id) = (subject_id.into(), key.into(), estate_id.into());
        Self::Set { id: TimerId::new(), kind, subject_id, key, estate_id, due_time, traceparent: sampled_traceparent().unwrap_or_default() }
    }

    /// Cancels a timer.
    pub fn cancel(kind: &'static str, subject_id: impl Into<Uuid>, key: impl Into<String>) -> Self {
        Self::Cancel { kind, subject_id: subject_id.into(), key: key.into() }
    }

    /// Cancels every timer of a subject.
    pub fn cancel_all(subject_id: impl Into<Uuid>) -> Self {
        Self::CancelAll { subject_id: subject_id.into() }
    }
}
