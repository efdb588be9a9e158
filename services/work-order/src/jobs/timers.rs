//! Timers that fire: which use case each kind is.

use std::slice;
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;
use steward_kit_store::timers::{FiredTimer, TimerHandler};
use uuid::Uuid;

use crate::app::{App, Progress, RECOMPUTE_CLOCKS};
use crate::domain::{AutoCloseDue, ClockDue};
use crate::events::{AUTO_CLOSE, CLOCK_STEP, JUDGE_MAJOR, MAJOR_WINDOW, PAUSE_OVER, clock_of_key};

/// The handlers of the service, one for each kind of timer.
pub(super) fn handlers(app: &Arc<App>) -> Vec<Arc<dyn TimerHandler>> {
    vec![
        Arc::new(ClockStep(app.clone())),
        Arc::new(AutoClose(app.clone())),
        Arc::new(RecomputeClocks(app.clone())),
        Arc::new(JudgeMajor(app.clone())),
        Arc::new(MajorWindow(app.clone())),
        Arc::new(PauseOver(app.clone())),
    ]
}

/// A clock's next step is due.
struct ClockStep(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for ClockStep {
    fn kind(&self) -> &'static str {
        CLOCK_STEP
    }

    async fn lock(&self, tx: &mut PgConnection, subjects: &[Uuid]) -> Result<()> {
        self.0.lock_for_timers(tx, subjects).await
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.fire_all(tx, slice::from_ref(timer), now).await
    }

    fn takes_many(&self) -> bool {
        true
    }

    async fn fire_all(&self, tx: &mut PgConnection, timers: &[FiredTimer], now: Timestamp) -> Result<Effects> {
        let due = timers.iter().map(|timer| {
            let (clock, cycle) =
                clock_of_key(&timer.key).ok_or_else(|| Error::bug(format_args!("a clock's timer has the key {}", timer.key)))?;
            Ok((timer.subject_id.into(), ClockDue { clock, cycle }))
        });
        self.0.take_clock_steps(tx, &due.collect::<Result<Vec<_>>>()?, now).await
    }
}

/// The silence after completion is over.
struct AutoClose(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for AutoClose {
    fn kind(&self) -> &'static str {
        AUTO_CLOSE
    }

    async fn lock(&self, tx: &mut PgConnection, subjects: &[Uuid]) -> Result<()> {
        self.0.lock_for_timers(tx, subjects).await
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.fire_all(tx, slice::from_ref(timer), now).await
    }

    fn takes_many(&self) -> bool {
        true
    }

    async fn fire_all(&self, tx: &mut PgConnection, timers: &[FiredTimer], now: Timestamp) -> Result<Effects> {
        let due = timers.iter().map(|timer| {
            let cycle = timer.key.parse().map_err(|_| Error::bug(format_args!("the timer of a silence has the key {}", timer.key)))?;
            Ok((timer.subject_id.into(), AutoCloseDue { cycle }))
        });
        self.0.close_silent_orders(tx, &due.collect::<Result<Vec<_>>>()?, now).await
    }
}

/// Clocks are computed anew after a calendar year was loaded.
struct RecomputeClocks(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for RecomputeClocks {
    fn kind(&self) -> &'static str {
        RECOMPUTE_CLOCKS
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        let at = Progress::of_key(&timer.key).ok_or_else(|| Error::bug(format_args!("a recomputation has the key {}", timer.key)))?;
        self.0.recompute_clocks(tx, timer.subject_id, at, now).await
    }
}

/// Is the case a major complaint?
struct JudgeMajor(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for JudgeMajor {
    fn kind(&self) -> &'static str {
        JUDGE_MAJOR
    }

    async fn lock(&self, tx: &mut PgConnection, subjects: &[Uuid]) -> Result<()> {
        self.0.lock_for_timers(tx, subjects).await
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.0.judge_major(tx, timer.subject_id.into(), now).await
    }
}

/// The window in which a case counts as a major complaint is over.
struct MajorWindow(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for MajorWindow {
    fn kind(&self) -> &'static str {
        MAJOR_WINDOW
    }

    async fn lock(&self, tx: &mut PgConnection, subjects: &[Uuid]) -> Result<()> {
        self.0.lock_for_timers(tx, subjects).await
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.0.end_major_window(tx, timer.subject_id.into(), now).await
    }
}

/// The work has stood still for as long as it may.
struct PauseOver(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for PauseOver {
    fn kind(&self) -> &'static str {
        PAUSE_OVER
    }

    async fn lock(&self, tx: &mut PgConnection, subjects: &[Uuid]) -> Result<()> {
        self.0.lock_for_timers(tx, subjects).await
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.fire_all(tx, slice::from_ref(timer), now).await
    }

    fn takes_many(&self) -> bool {
        true
    }

    async fn fire_all(&self, tx: &mut PgConnection, timers: &[FiredTimer], now: Timestamp) -> Result<Effects> {
        let due: Vec<_> = timers.iter().map(|timer| (timer.subject_id.into(), ())).collect();
        self.0.end_longest_pauses(tx, &due, now).await
    }
}
