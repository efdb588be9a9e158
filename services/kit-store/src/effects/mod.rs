//! What follows a business change, written in its statement: the claim on the request id, timers, events.
//!
//! # The pattern
//!
//! A mutation is **one** data-modifying statement in autocommit. The business row is changed by a CTE; everything else
//! is derived `FROM` it; the effects go in by one call of `write_effects`, fed by the CTE that proves the change:
//!
//! ```sql
//! WITH updated AS (
//!     UPDATE work_order.work_orders
//!        SET state = $3, assignee = $4, update_time = $5, row_version = row_version + 1
//!      WHERE id = $1 AND row_version = $2            -- the guard
//!  RETURNING id, estate_id
//! ), history AS (
//!     INSERT INTO work_order.history (work_order_id, estate_id, ...)
//!     SELECT id, estate_id, ... FROM updated         -- nothing if stale
//! )
//! SELECT (SELECT count(*) FROM updated)                              AS "updated!",
//!        (SELECT work_order.write_effects($6) FROM updated)::text    AS effects
//! ```
//!
//! * `updated` = 0: the row was changed meanwhile (or is not the caller's). Nothing was written, not even the claim:
//!   read again and decide again, at most three times; with an etag from the caller answer `Stale`.
//! * A request id that was claimed before raises `unique_violation` on `idempotency_claims_pkey`: the whole statement is
//!   void. [`crate::idempotency::is_replay`] recognises it; [`crate::idempotency::replayed`] reads the first answer.
//!   Two calls at once: the second waits at the key for the first, then the same.
//! * A create has no guard: `WITH created AS (INSERT ... RETURNING id) SELECT ... FROM created`.
//! * When the CTE may return many rows, write
//!   `(SELECT s.write_effects($n) WHERE EXISTS (SELECT FROM updated))`, so that it is called once.
//! * When a decision used a policy, compare the epoch in the same statement (see [`crate::policy`]).
//! * Never put the call into a CTE of its own that nobody reads: Postgres does not run an unread `SELECT`.
//!
//! ```ignore
//! let effects = Effects { claim: Some(Claim::new(&key, &answer)), events, timers };
//! let row = sqlx::query!("...", id, version, ..., effects.json(now)).fetch_one(db.pool()).await;
//! match row {
//!     Ok(row) if row.updated == 1 => { db.wake(&effects); Ok(answer) }
//!     Ok(_) => retry or Stale,
//!     Err(e) if is_replay(&e) => replayed(&db, &key).await,
//!     Err(e) => Err(store_error(e)),
//! }
//! ```
//!
//! Why the order of events holds: `write_effects` runs after the row's lock was taken, so the numbers of a subject's
//! events rise in the order of its commits. A subject whose row is not locked by its writers has no order.

mod document;
mod event;
mod timer;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::idempotency::RequestKey;

use crate::db::Db;
use crate::error::StoreResult;

pub use event::NewEvent;
pub use timer::TimerChange;

/// Everything that a change brings with it. Order matters within `events` (published in this order per subject) and
/// within `timers` (a later change of the same timer wins).
#[derive(Debug, Clone, Default)]
pub struct Effects {
    /// The claim on the request id; `None` for background work.
    pub claim: Option<Claim>,
    /// Facts to publish.
    pub events: Vec<NewEvent>,
    /// Timers to set and to cancel.
    pub timers: Vec<TimerChange>,
}

/// A request that is being answered, and its answer.
#[derive(Debug, Clone)]
pub struct Claim {
    /// What makes it the same request.
    pub key: RequestKey,
    /// The encoded answer that a repetition gets.
    pub response: Vec<u8>,
}

impl Claim {
    /// Claims `key` with `answer`.
    pub fn new(key: &RequestKey, answer: &impl prost::Message) -> Self {
        Self { key: key.clone(), response: answer.encode_to_vec() }
    }
}

impl Effects {
    /// Nothing follows.
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether nothing follows.
    pub fn is_empty(&self) -> bool {
        self.claim.is_none() && self.events.is_empty() && self.timers.is_empty()
    }

    /// Adds what else follows. The claim of `self` stays; background work, which is what is merged, has none.
    pub fn merge(&mut self, other: Self) {
        self.claim = self.claim.take().or(other.claim);
        self.events.extend(other.events);
        self.timers.extend(other.timers);
    }

    /// The argument of `write_effects`. `now` is the business time of the change.
    pub fn json(&self, now: Timestamp) -> serde_json::Value {
        document::of(self, now)
    }

    /// Writes the effects on an open transaction, for jobs and consumers. Call [`Db::wake`] after the commit.
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn write(&self, db: &Db, tx: &mut PgConnection, now: Timestamp) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        self.try_write(db, tx, now).await.store()
    }

    /// [`Effects::write`] for a request that may have come before: the error is raw, so that
    /// [`crate::idempotency::is_replay`] can be asked about it. After one, the transaction is void.
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn try_write(&self, db: &Db, tx: &mut PgConnection, now: Timestamp) -> Result<(), sqlx::Error> {
        sqlx::query(db.write_effects_sql()).bind(self.json(now)).execute(tx).await.map(drop)
    }
}
