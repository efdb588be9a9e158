//! Timers that fire: which use case each kind is.

use std::slice;
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::ids::WorkOrderId;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;
use steward_kit_store::timers::{FiredTimer, TimerHandler};
use uuid::Uuid;

use crate::app::{App, ORDER_JOB, Progress, RECOMPUTE_CLOCKS};
use crate::domain::{AutoCloseDue, ClockDue};
use crate::events::{
    AUTO_CLOSE, CALLBACK_FORM, CLOCK_STEP, DISPATCH, DISSENT, DRAW_SPOT_CHECKS, ESTATE_DAY, FOLLOW_LEAD, JUDGE_MAJOR, MAJOR_WINDOW,
    PAUSE_OVER, SPOT_CHECK_DUE, clock_of_key,
};

/// The handlers of the service, one for each kind of timer.
pub(super) fn handlers(app: &Arc<App>) -> Vec<Arc<dyn TimerHandler>> {
    let of_orders = ORDER_TIMERS.map(|does| Arc::new(OrderTimer { app: app.clone(), does }) as Arc<dyn TimerHandler>);
    let others: [Arc<dyn TimerHandler>; 5] = [
        Arc::new(RecomputeClocks(app.clone())),
        Arc::new(EstateDay(app.clone())),
        Arc::new(RunOrderJob(app.clone())),
        Arc::new(DrawSpotChecks(app.clone())),
        Arc::new(SpotCheckDue(app.clone())),
    ];
    of_orders.into_iter().chain(others).collect()
}

/// What a timer of an order is for.
#[derive(Clone, Copy)]
enum Does {
    /// A clock's next step is due.
    ClockStep,
    /// The silence after completion is over.
    AutoClose,
    /// Is the case a major complaint?
    JudgeMajor,
    /// The window in which a case counts as a major complaint is over.
    MajorWindow,
    /// The work has stood still for as long as it may.
    PauseOver,
    /// The customer's form in the app is over.
    CallbackForm,
    /// Something became of the order that another was merged into.
    FollowLead,
    /// The reporter of a duplicate is dissatisfied.
    Dissent,
    /// Somebody is looked for who takes the order.
    Dispatch,
}

const ORDER_TIMERS: [Does; 9] = [
    Does::ClockStep,
    Does::AutoClose,
    Does::JudgeMajor,
    Does::MajorWindow,
    Does::PauseOver,
    Does::CallbackForm,
    Does::FollowLead,
    Does::Dissent,
    Does::Dispatch,
];

/// Timers of one kind, whose subjects are orders: locked together, and done together where the use case takes many.
struct OrderTimer {
    app: Arc<App>,
    does: Does,
}

#[tonic::async_trait]
impl TimerHandler for OrderTimer {
    fn kind(&self) -> &'static str {
        match self.does {
            Does::ClockStep => CLOCK_STEP,
            Does::AutoClose => AUTO_CLOSE,
            Does::JudgeMajor => JUDGE_MAJOR,
            Does::MajorWindow => MAJOR_WINDOW,
            Does::PauseOver => PAUSE_OVER,
            Does::FollowLead => FOLLOW_LEAD,
            Does::Dissent => DISSENT,
            Does::CallbackForm => CALLBACK_FORM,
            Does::Dispatch => DISPATCH,
        }
    }

    async fn lock(&self, tx: &mut PgConnection, subjects: &[Uuid]) -> Result<()> {
        self.app.lock_for_timers(tx, subjects).await
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.fire_all(tx, slice::from_ref(timer), now).await
    }

    fn takes_many(&self) -> bool {
        match self.does {
            Does::ClockStep | Does::AutoClose | Does::MajorWindow | Does::PauseOver | Does::CallbackForm | Does::FollowLead => true,
            // Each counts the cases around it, or compares the roster by what was given before.
            Does::JudgeMajor | Does::Dispatch => false,
            // What is opened again wakes its duplicates.
            Does::Dissent => false,
        }
    }

    async fn fire_all(&self, tx: &mut PgConnection, timers: &[FiredTimer], now: Timestamp) -> Result<Effects> {
        match self.does {
            Does::ClockStep => self.app.take_clock_steps(tx, &due(timers, clock_due)?, now).await,
            Does::AutoClose => self.app.close_silent_orders(tx, &due(timers, silence_due)?, now).await,
            Does::MajorWindow => self.app.end_major_windows(tx, &due(timers, |_| Ok(()))?, now).await,
            Does::PauseOver => self.app.end_longest_pauses(tx, &due(timers, |_| Ok(()))?, now).await,
            Does::CallbackForm => self.app.expire_callback_forms(tx, &due(timers, |_| Ok(()))?, now).await,
            Does::FollowLead => self.app.follow_leads(tx, &due(timers, |_| Ok(()))?, now).await,
            Does::Dissent => self.app.hear_dissent(tx, &due(timers, |_| Ok(()))?, now).await,
            Does::Dispatch => {
                let mut effects = Effects::none();
                for timer in timers {
                    effects.merge(self.app.dispatch_work_order(tx, timer.subject_id.into(), now).await?);
                }
                Ok(effects)
            }
            Does::JudgeMajor => {
                let mut effects = Effects::none();
                for timer in timers {
                    effects.merge(self.app.judge_major(tx, timer.subject_id.into(), now).await?);
                }
                Ok(effects)
            }
        }
    }
}

/// The orders of timers, each with what its key says.
fn due<T>(timers: &[FiredTimer], read: impl Fn(&FiredTimer) -> Result<T>) -> Result<Vec<(WorkOrderId, T)>> {
    timers.iter().map(|timer| Ok((timer.subject_id.into(), read(timer)?))).collect()
}

fn clock_due(timer: &FiredTimer) -> Result<ClockDue> {
    let (clock, cycle) = clock_of_key(&timer.key).ok_or_else(|| Error::bug(format_args!("a clock's timer has the key {}", timer.key)))?;
    Ok(ClockDue { clock, cycle })
}

fn silence_due(timer: &FiredTimer) -> Result<AutoCloseDue> {
    let cycle = timer.key.parse().map_err(|_| Error::bug(format_args!("the timer of a silence has the key {}", timer.key)))?;
    Ok(AutoCloseDue { cycle })
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

/// A local day of an estate began.
struct EstateDay(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for EstateDay {
    fn kind(&self) -> &'static str {
        ESTATE_DAY
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.0.begin_estate_day(tx, timer.subject_id.into(), timer.due_time, now).await
    }
}

/// The next orders of a job have their turn.
struct RunOrderJob(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for RunOrderJob {
    fn kind(&self) -> &'static str {
        ORDER_JOB
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.0.run_order_job(tx, timer.subject_id, now).await
    }
}

/// A week of an estate is over.
struct DrawSpotChecks(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for DrawSpotChecks {
    fn kind(&self) -> &'static str {
        DRAW_SPOT_CHECKS
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        self.0.draw_spot_checks(tx, timer.subject_id.into(), timer.due_time, now).await
    }
}

/// A spot check is due.
struct SpotCheckDue(Arc<App>);

#[tonic::async_trait]
impl TimerHandler for SpotCheckDue {
    fn kind(&self) -> &'static str {
        SPOT_CHECK_DUE
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, _now: Timestamp) -> Result<Effects> {
        self.0.tell_overdue_check(tx, timer.subject_id.into(), timer.due_time).await
    }
}
