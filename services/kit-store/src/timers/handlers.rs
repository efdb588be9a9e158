//! The timers of a batch, given to their handlers.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use steward_kit::telemetry::{continue_trace, link_trace};
use steward_kit::{Error, Result};
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::{FiredTimer, TimerHandler};
use crate::effects::{Effects, TimerChange};

/// A timer that slept longer begins a trace of its own, with a link to the one that it was set in: traces that go on for months
/// can be stored and shown by nobody.
const LONGEST_TRACE: SignedDuration = SignedDuration::from_hours(12);

/// The handlers of a service by their kind.
pub(super) struct Handlers(HashMap<&'static str, Arc<dyn TimerHandler>>);

impl Handlers {
    pub(super) fn new(handlers: Vec<Arc<dyn TimerHandler>>) -> Result<Self> {
        let mut by_kind = HashMap::new();
        for handler in handlers {
            let kind = handler.kind();
            if by_kind.insert(kind, handler).is_some() {
                return Err(Error::bug(format_args!("two handlers for timers of kind {kind}")));
            }
        }
        Ok(Self(by_kind))
    }

    pub(super) fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    pub(super) fn of(&self, kind: &str) -> Option<&dyn TimerHandler> {
        self.0.get(kind).map(Arc::as_ref)
    }

    /// Does what `timers` promised, in their order. One that an older one of them has cancelled or moved is left out.
    pub(super) async fn fire(&self, tx: &mut PgConnection, timers: &[FiredTimer], now: Timestamp) -> Result<Effects> {
        let (mut effects, mut touched) = (Effects::none(), HashSet::new());
        let mut left = timers;
        while let Some((first, others)) = left.split_first() {
            if touched.contains(&first.subject_id) && is_changed(&effects, first) {
                left = others;
                continue;
            }
            let handler = self.of(first.kind).ok_or_else(|| Error::bug("a timer without a handler"))?;
            let together = if handler.takes_many() { together(first, others, &touched) } else { 1 };
            let (run, rest) = left.split_at(together);
            let more = guarded(handler, tx, run, now).await?;
            touched.extend(more.timers.iter().map(subject_of));
            effects.merge(more);
            left = rest;
        }
        Ok(effects)
    }
}

/// How many go to a handler at once: of one kind; each subject once, since the older may cancel the younger; none whose subject was
/// touched by what fired before; none whose trace is recorded, since an effect belongs to one trace.
fn together(first: &FiredTimer, others: &[FiredTimer], touched: &HashSet<Uuid>) -> usize {
    let mut subjects = HashSet::from([first.subject_id]);
    let alike = |other: &&FiredTimer| {
        other.kind == first.kind
            && other.traceparent.is_empty()
            && !touched.contains(&other.subject_id)
            && subjects.insert(other.subject_id)
    };
    1 + if first.traceparent.is_empty() { others.iter().take_while(alike).count() } else { 0 }
}

/// The handler within the trace of what set the timer. One that panics has failed, and takes nothing else with it.
async fn guarded(handler: &dyn TimerHandler, tx: &mut PgConnection, run: &[FiredTimer], now: Timestamp) -> Result<Effects> {
    let firing = async {
        match run {
            [timer] => handler.fire(tx, timer, now).instrument(span_of(timer)).await,
            many => handler.fire_all(tx, many, now).instrument(span_of_many(handler.kind(), many)).await,
        }
    };
    AssertUnwindSafe(firing).catch_unwind().await.unwrap_or_else(|_| Err(Error::bug("the handler panicked")))
}

fn span_of(timer: &FiredTimer) -> Span {
    let FiredTimer { kind, id, subject_id, due_time, .. } = timer;
    let span = tracing::info_span!(parent: None, "fire_timer", otel.name = format!("timer {kind}"), kind, timer = %id, subject = %subject_id, due = %due_time);
    if due_time.duration_since(timer.create_time) <= LONGEST_TRACE {
        continue_trace(&span, &timer.traceparent);
    } else {
        link_trace(&span, &timer.traceparent);
    }
    span
}

fn span_of_many(kind: &'static str, timers: &[FiredTimer]) -> Span {
    tracing::info_span!(parent: None, "fire_timers", otel.name = format!("timers {kind}"), kind, count = timers.len())
}

fn subject_of(change: &TimerChange) -> Uuid {
    match change {
        TimerChange::Set { subject_id, .. } | TimerChange::Cancel { subject_id, .. } | TimerChange::CancelAll { subject_id } => *subject_id,
    }
}

/// Whether what was decided so far has cancelled or moved `timer`.
fn is_changed(effects: &Effects, timer: &FiredTimer) -> bool {
    effects.timers.iter().any(|change| match change {
        TimerChange::Set { kind, subject_id, key, .. } | TimerChange::Cancel { kind, subject_id, key } => {
            *kind == timer.kind && *subject_id == timer.subject_id && *key == timer.key
        }
        TimerChange::CancelAll { subject_id } => *subject_id == timer.subject_id,
    })
}
