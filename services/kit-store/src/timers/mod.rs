//! Promises with a date: fired once, oldest first, late by milliseconds, through crashes and the loss of Redis.
//!
//! The truth is a row of `<schema>.timers`, written with the change that made the promise ([`crate::effects`]) and
//! deleted in the transaction of its effect: that delete decides who fires it. Redis holds an index by time, so that
//! every replica sleeps until the next due time and none ticks. The sweeper holds the index against the rows, and fires
//! from the rows alone while there is no Redis. See `docs/timers.md` for what a crash at each step leaves behind.

mod fire;
mod handlers;
mod hints;
mod index;
mod runner;
mod service;
mod settle;
mod sweeper;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::ids::{EstateId, TimerId};
use uuid::Uuid;

use crate::effects::Effects;

pub(crate) use hints::TimerHints;
pub use service::{TimerOptions, TimerService};

/// A timer whose time has come. Its row is gone in the transaction it is given with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiredTimer {
    /// This setting of it.
    pub id: TimerId,
    /// Names the handler.
    pub kind: &'static str,
    /// What it is about.
    pub subject_id: Uuid,
    /// Tells apart several of one kind.
    pub key: String,
    /// The subject's estate; `None` for what belongs to the whole group.
    pub estate_id: Option<EstateId>,
    /// When it was due: the time that verdicts are made of, never the time it was noticed.
    pub due_time: Timestamp,
    /// When it was set.
    pub create_time: Timestamp,
    /// How often it failed before.
    pub attempt_count: i32,
    /// W3C trace context of what set it, empty where that is not recorded.
    pub traceparent: String,
}

/// What happens when timers of one kind fire.
#[tonic::async_trait]
pub trait TimerHandler: Send + Sync + 'static {
    /// The kind of timers it handles, as in [`crate::TimerChange::set`]; unique in a service.
    fn kind(&self) -> &'static str;

    /// Locks the rows of these subjects (`SELECT ... WHERE id = ANY($1) ORDER BY id FOR UPDATE`), before the timers are
    /// deleted. Every other writer locks its row first and touches timers afterwards; a handler that updates such rows
    /// takes the same way round by this, or the two may wait for each other until Postgres ends one of them.
    ///
    /// # Errors
    /// Those of the statement.
    async fn lock(&self, tx: &mut PgConnection, subjects: &[Uuid]) -> Result<()> {
        let _ = (tx, subjects);
        Ok(())
    }

    /// Does what was promised: writes rows on `tx` and returns what follows. Committed together with the end of the
    /// timer, or not at all. Must not call other services: the transaction is open, and shared with other timers.
    ///
    /// # Errors
    /// Any; the timer alone is then put back and tried again later, for ever, with growing pauses.
    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects>;

    /// Whether it does for many in one statement what it does for one: then runs of timers go to [`TimerHandler::fire_all`].
    fn takes_many(&self) -> bool {
        false
    }

    /// What [`TimerHandler::fire`] does, for several timers, oldest first, each of another subject. What it returns may change
    /// timers of these subjects and of no others, because whether another timer of the run still fires is settled by then.
    ///
    /// # Errors
    /// Any; the run is then tried again in smaller parts, and in the end one by one, by [`TimerHandler::fire`].
    async fn fire_all(&self, tx: &mut PgConnection, timers: &[FiredTimer], now: Timestamp) -> Result<Effects> {
        let mut effects = Effects::none();
        for timer in timers {
            effects.merge(self.fire(tx, timer, now).await?);
        }
        Ok(effects)
    }
}
