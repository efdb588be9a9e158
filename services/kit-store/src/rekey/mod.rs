//! The second half of a key rotation: what was sealed by an older key of the keyring is sealed anew by the current one, in
//! the background, until the old key can go. See `docs/rekey.md` for the operator's side.
//!
//! ```ignore
//! let tables = vec![
//!     // Fields sealed by `FieldCipher::seal`, each for its place.
//!     SealedTable::new("work_orders", &["estate_id", "id"])
//!         .field("description", |row| format!("work_order/{}/description", row.of("id"))),
//!     // Keys of persons, wrapped by `FieldCipher::wrap`: what is sealed under them stays as it is.
//!     SealedTable::new("customers", &["id"]).wrapped_key("data_key", |row| row.of("id").to_owned()),
//! ];
//! let rekey = Rekey::new(db.clone(), clock.clone(), cipher, tables);
//! jobs.spawn("rekey", move |stop| rekey.clone().run(stop));
//! ```
//!
//! Keys are numbered, and values only ever move to a higher number: while one replica seals with key 3 and another, not yet
//! restarted, with key 2, neither undoes the other's work. Every replica runs the job; rows are locked batch by batch and
//! locked ones are skipped, so replicas share the rows, and a caller who is changing a row is neither kept waiting nor
//! overwritten. What a crash leaves is found by the next pass: nothing but the values themselves says how far it came.

mod table;

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use steward_kit::Result;
use steward_kit::clock::Clock;
use steward_kit::crypto::FieldCipher;
use tokio_util::sync::CancellationToken;

use crate::db::Db;
use crate::metrics::Meters;

use table::{Batch, Statements};
pub use table::{RowKey, SealedTable};

/// How the job goes about it; the defaults are for production.
#[derive(Debug, Clone)]
pub struct RekeyOptions {
    /// Most rows of one transaction.
    pub batch: i64,
    /// The rest between two transactions, so that callers come first.
    pub pause: Duration,
}

impl Default for RekeyOptions {
    fn default() -> Self {
        Self { batch: 200, pause: Duration::from_millis(20) }
    }
}

/// From one look to the next when nothing is left to do. A look reads the tables from end to end.
const LOOK_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// The second look after a start: a replica that ended a little later than this one began may have used the old key until
/// then. Also the rest after a pass that could change nothing.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(10);
/// The rest after a failure, and between two passes that get on.
const REST: Duration = Duration::from_secs(5);

/// The job. Cheap to clone.
#[derive(Clone)]
pub struct Rekey {
    parts: Arc<Parts>,
}

struct Parts {
    db: Db,
    clock: Clock,
    cipher: FieldCipher,
    tables: Vec<SealedTable>,
    options: RekeyOptions,
    meters: Meters,
}

/// What one pass over every table did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pass {
    /// Rows sealed anew.
    pub changed: u64,
    /// Values that do not open: damaged, or sealed by a key that is gone. They stay as they are and are logged.
    pub failed: u64,
    /// Rows that are still under an older key.
    pub remaining: i64,
}

impl Rekey {
    /// Brings what these tables keep sealed under the current key of `cipher`.
    pub fn new(db: Db, clock: Clock, cipher: FieldCipher, tables: Vec<SealedTable>) -> Self {
        Self::with(db, clock, cipher, tables, RekeyOptions::default())
    }

    /// The same with other options.
    pub fn with(db: Db, clock: Clock, cipher: FieldCipher, tables: Vec<SealedTable>, options: RekeyOptions) -> Self {
        let meters = Meters::of(db.schema());
        Self { parts: Arc::new(Parts { db, clock, cipher, tables, options, meters }) }
    }

    /// Runs until told to stop: at once, again after ten minutes, then every day by the clock; without a rest while there
    /// is something left that it can change.
    pub async fn run(self, stop: CancellationToken) {
        let mut next_look = LOOK_AGAIN;
        while !stop.is_cancelled() {
            match self.pass(&stop).await {
                Ok(Pass { remaining: 0, .. }) => {
                    self.rest(next_look, &stop).await;
                    next_look = LOOK_EVERY;
                }
                Ok(Pass { changed: 0, .. }) => self.rest(LOOK_AGAIN, &stop).await,
                Ok(_) => drop(stop.run_until_cancelled(tokio::time::sleep(REST)).await),
                Err(error) => {
                    tracing::warn!(schema = self.parts.db.schema(), error = ?error, "sealed values could not be brought under the current key");
                    stop.run_until_cancelled(tokio::time::sleep(REST)).await;
                }
            }
        }
    }

    /// One pass over every table.
    ///
    /// # Errors
    /// Postgres does not answer; a table or column is not there.
    pub async fn pass(&self, stop: &CancellationToken) -> Result<Pass> {
        let mut all = Pass::default();
        for table in &self.parts.tables {
            let pass = self.pass_over(table, stop).await?;
            all.changed += pass.changed;
            all.failed += pass.failed;
            all.remaining += pass.remaining;
        }
        Ok(all)
    }

    async fn pass_over(&self, table: &SealedTable, stop: &CancellationToken) -> Result<Pass> {
        let Parts { db, cipher, options, meters, .. } = self.parts.as_ref();
        let (schema, name, key) = (db.schema(), table.name(), cipher.current_key());
        let statements = Statements::of(db, table, key).await?;
        let mut pass = Pass { remaining: statements.count(db).await?, ..Pass::default() };
        meters.rekey_remaining(name, pass.remaining);
        meters.rekeyed(name, 0, 0);
        if pass.remaining == 0 {
            return Ok(pass);
        }
        tracing::info!(schema, table = name, key, rows = pass.remaining, "rows under an older key are sealed anew");
        let mut after = None;
        while !stop.is_cancelled() {
            let Batch { last_key, changed, failed } = statements.batch(db, cipher, table, after.as_deref(), options.batch).await?;
            pass.changed += changed;
            pass.failed += failed;
            meters.rekeyed(name, changed, failed);
            pass.remaining = pass.remaining.saturating_sub_unsigned(changed).max(0);
            meters.rekey_remaining(name, pass.remaining);
            if last_key.is_none() {
                break;
            }
            after = last_key;
            stop.run_until_cancelled(tokio::time::sleep(options.pause)).await;
        }
        // Counted anew: others sealed and wrote meanwhile, and rows that somebody held were skipped.
        pass.remaining = statements.count(db).await?;
        meters.rekey_remaining(name, pass.remaining);
        let Pass { changed, failed, remaining } = pass;
        tracing::info!(schema, table = name, key, changed, failed, remaining, "a pass over rows under an older key has ended");
        Ok(pass)
    }

    async fn rest(&self, time: SignedDuration, stop: &CancellationToken) {
        let clock = &self.parts.clock;
        stop.run_until_cancelled(clock.sleep_until(clock.now() + time)).await;
    }
}

impl std::fmt::Debug for Rekey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Rekey").field("tables", &self.parts.tables).finish_non_exhaustive()
    }
}
