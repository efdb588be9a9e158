//! Figures counted before. A service counts its figures from the rows of an estate and a period; what that comes to, a few numbers
//! for each figure ([`Tally`]), is kept, and is used again for as long as counting anew would give the same. A board of hundreds of
//! estates then reads a row an estate instead of every case.
//!
//! | file | what it does |
//! |---|---|
//! | `question` | what is counted: definitions and a period |
//! | `rows` | the kept counts, and what tells whether they are still true |
//! | `asked` | what was asked for lately |
//! | `keep` | the job that counts again before somebody asks |
//!
//! `docs/rollups.md` says why a kept count is never wrong.

mod asked;
mod keep;
mod question;
mod rows;
mod stretch;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::auth::ScopedEstate;
use steward_kit::clock::Clock;
use steward_kit::ids::EstateId;
use steward_kit::metric::{Seen, Tally};
use steward_kit::telemetry::cache_asked;
use steward_kit::{Error, Result};

use crate::db::Db;
use crate::error::StoreResult;

pub use question::Question;
pub(crate) use question::hash;
pub use stretch::{Stretch, StretchColumns};

use asked::Asked;
use question::Key;
use rows::Rows;

/// Estates counted in one go: what was done is kept before the next ones are begun, so that a caller who gives up is further on
/// when they ask again.
const CHUNK: usize = 32;

/// How a service counts.
pub trait Counter: Send + Sync + 'static {
    /// The rules that rows are counted by, as they are written. When one of them changes, everything is counted anew.
    fn rules(&self) -> Vec<&'static str>;

    /// What the counts of an estate rest on beside rows, as bytes: its zone, calendars, limits. When that changes, the estate is
    /// counted anew.
    fn ground(&self, estate: EstateId) -> impl Future<Output = Result<Vec<u8>>> + Send;

    /// Counts estates, each by its own rows. Every row is read on this connection, whose transaction sees one state of them.
    fn count(
        &self,
        db: &mut PgConnection,
        question: &Question,
        estates: &[ScopedEstate],
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Count>>> + Send;
}

/// What the rows of an estate came to.
#[derive(Clone, Debug)]
pub struct Count {
    /// The estate.
    pub estate: EstateId,
    /// A tally for each definition of the question, in its order.
    pub tallies: Vec<Tally>,
    /// From where to where rows were read: a change that touches none of it changes nothing.
    pub read: (Timestamp, Timestamp),
    /// What else the count rests on.
    pub seen: Seen,
}

/// The kept counts of one service. Cheap to clone; clones share what they remember.
#[derive(Debug)]
pub struct Rollups<C> {
    parts: Arc<Parts<C>>,
}

#[derive(Debug)]
struct Parts<C> {
    db: Db,
    clock: Clock,
    counter: C,
    rules: [u8; 32],
    rows: Rows,
    asked: Asked,
}

impl<C> Clone for Rollups<C> {
    fn clone(&self) -> Self {
        Self { parts: self.parts.clone() }
    }
}

impl<C: Counter> Rollups<C> {
    /// Counts of this counter, kept in the service's schema.
    pub fn new(db: Db, clock: Clock, counter: C) -> Self {
        let rules = hash(counter.rules().join("\n").as_bytes());
        Self { parts: Arc::new(Parts { rows: Rows::new(db.clone()), db, clock, counter, rules, asked: Asked::default() }) }
    }

    /// Who counts.
    pub fn counter(&self) -> &C {
        &self.parts.counter
    }

    /// The tallies of each question, for each estate, in these orders. One trip where all of them are kept and true; the rest is
    /// counted, [`CHUNK`] estates at a time.
    ///
    /// # Errors
    /// Postgres does not answer; what the counter refuses.
    pub async fn tallies(&self, questions: &[Arc<Question>], estates: &[ScopedEstate], now: Timestamp) -> Result<Vec<Vec<Vec<Tally>>>> {
        let mut keys = Vec::with_capacity(questions.len() * estates.len());
        for question in questions {
            keys.extend(self.keys(question, estates).await?);
        }
        let kept = self.parts.rows.read(&keys, now).await?;
        let mut all = Vec::with_capacity(questions.len());
        let mut is_behind = false;
        for (question, keys) in questions.iter().zip(keys.chunks(estates.len().max(1))) {
            let known = |key: &Key, estate| kept.get(key).map(|tallies| (estate, tallies.clone()));
            // An estate may be asked for twice.
            let mut found: HashMap<EstateId, Vec<Tally>> =
                keys.iter().zip(estates).filter_map(|(key, estate)| known(key, estate.id())).collect();
            let missing: Vec<ScopedEstate> = estates.iter().copied().filter(|estate| !found.contains_key(&estate.id())).collect();
            for estate in estates {
                cache_asked("figures", found.contains_key(&estate.id()));
            }
            is_behind |= !missing.is_empty();
            self.parts.asked.note(question, estates, now);
            for chunk in missing.chunks(CHUNK) {
                found.extend(self.count(question, chunk, now).await?.into_iter().map(|count| (count.estate, count.tallies)));
            }
            let of_estate = |estate: &ScopedEstate| {
                let tallies = found.get(&estate.id()).filter(|tallies| tallies.len() == question.definitions.len());
                tallies.cloned().ok_or_else(|| Error::bug("a count lacks an estate or a definition"))
            };
            all.push(estates.iter().map(of_estate).collect::<Result<_>>()?);
        }
        if is_behind {
            self.hint();
        }
        Ok(all)
    }

    /// Says that something may have changed: what was asked for lately is looked at. Does not wait and does not fail.
    pub fn hint(&self) {
        self.parts.asked.hint();
    }

    async fn keys(&self, question: &Question, estates: &[ScopedEstate]) -> Result<Vec<Key>> {
        let mut keys = Vec::with_capacity(estates.len());
        for estate in estates {
            let ground = self.parts.counter.ground(estate.id()).await?;
            keys.push(question.key(estate.id(), &self.parts.rules, &ground));
        }
        Ok(keys)
    }

    /// Counts estates in one state of their rows, and keeps what it comes to. Two trips beside the counter's own, and two for the
    /// transaction.
    async fn count(&self, question: &Question, estates: &[ScopedEstate], now: Timestamp) -> Result<Vec<Count>> {
        let keys = self.keys(question, estates).await?;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut tx = self.parts.db.pool().begin_with(begin).await.store()?;
        let snapshot = self.parts.rows.snapshot(&mut tx).await?;
        let counts = self.parts.counter.count(&mut tx, question, estates, now).await?;
        tx.commit().await.store()?;
        // An estate whose ground has changed meanwhile was counted on one of two.
        let mut keys = keys;
        let after = self.keys(question, estates).await?;
        keys.retain(|key| after.contains(key));
        // What cannot be kept is counted again another time; the caller has it.
        if let Err(error) = self.parts.rows.keep(&keys, &counts, &snapshot, now).await {
            tracing::warn!(schema = self.parts.db.schema(), error = ?error, "could not keep what figures came to");
        }
        Ok(counts)
    }
}
