//! The one flow of every verb: load, decide, save; and what happens when the request came before, or somebody else was faster.
//!
//! ```text
//! load ──> decide ──> save ──ok──> answer            2 trips; a create has no load: 1 trip
//!   │        │          ├─stale──> load again, at most three times; with an etag from the caller: refuse
//!   │        │          └─claimed─> the stored answer
//!   └─other etag┴─refused─────────> the stored answer, if the request came before; else refuse        3 trips
//! ```

use jiff::Timestamp;
use prost::Message;
use sqlx::PgConnection;
use steward_kit::auth::{Access, Scope};
use steward_kit::idempotency::RequestKey;
use steward_kit::{Error, Result};
use steward_kit_store::idempotency::is_replay;
use steward_kit_store::{Effects, store_error};
use uuid::Uuid;

use super::App;
use crate::domain::base::{Change, Stored};
use crate::domain::codes::Actor;
use crate::domain::terms::Rules;
use crate::events::publish::{Told, effects_of};
use crate::store::documents::Table;

/// How often a caller without an etag is given another try when somebody else was faster.
pub(super) const TRIES: u32 = 3;

/// What was found or decided; of a refusal, the answer that the request got when it came before, however things stand by now.
macro_rules! or_repeated {
    ($app:expr, $call:expr, $decided:expr) => {
        match $decided {
            Ok(decided) => decided,
            Err(refusal) => return $app.unless_repeated($call, refusal).await,
        }
    };
}
pub(super) use or_repeated;

/// A mutation that is being answered.
pub(crate) struct Call<'a> {
    /// Who asks, and which rows they reach.
    pub(crate) access: &'a Access,
    /// What makes a repetition the same request.
    pub(crate) key: RequestKey,
}

/// The thing a verb is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// Its id.
    pub(crate) id: Uuid,
    /// The version the caller saw; `None` when any will do.
    pub(crate) etag: Option<i64>,
}

impl Target {
    /// Whether the caller saw another version.
    pub(super) fn is_stale(&self, row_version: i64) -> bool {
        self.etag.is_some_and(|seen| seen != row_version)
    }
}

impl Call<'_> {
    /// The caller, as whoever acts.
    pub(super) fn actor(&self) -> Actor {
        Actor::of(&self.access.principal)
    }

    /// The caller's subject.
    pub(crate) fn subject(&self) -> &str {
        &self.access.principal.subject
    }
}

impl App {
    /// A connection of the pool. No trip.
    pub(super) async fn conn(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Postgres>> {
        self.db.pool().acquire().await.map_err(store_error)
    }

    /// One document of the caller's estates. One trip.
    pub(super) async fn load<T: Table>(&self, scope: &Scope, id: Uuid) -> Result<Option<Stored<T>>> {
        let row = T::load(&mut *self.conn().await?, scope, id).await?;
        row.map(|row| self.opened(row)).transpose()
    }

    /// Writes a new document. One trip. `taken` says what it means that its key is there already.
    pub(super) async fn create<T: Table + Told, R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: Stored<T>,
        change: Change<T>,
        taken: Option<(&'static str, &'static str)>,
        now: Timestamp,
        answer: impl Fn(&Stored<T>) -> R,
    ) -> Result<R> {
        let row = new.with(change.after.clone(), now);
        let response = answer(&row);
        let effects = effects_of(&row, &change, self.claim(call, &response), now);
        let rows = self.sealed(std::slice::from_ref(&row))?;
        let written = T::write(&mut *self.conn().await?, &rows, &effects, now).await;
        match written {
            Ok(_) => {
                self.db.wake(&effects);
                Ok(response)
            }
            Err(error) => match taken {
                Some((constraint, reason)) if steward_kit_store::constraint(&error) == Some(constraint) => {
                    let refusal = Error::already_exists(T::NOUN, reason, format!("the estate has this {} already", T::NOUN));
                    self.unless_repeated(call, refusal).await
                }
                Some(_) | None => self.failed(call, error).await,
            },
        }
    }

    /// Does one verb to one document. Two trips.
    pub(super) async fn change<T: Table + Told, R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        decide: impl Fn(&Stored<T>, &Rules, Timestamp) -> Result<Change<T>>,
        answer: impl Fn(&Stored<T>) -> R,
    ) -> Result<R> {
        for _ in 0..TRIES {
            let Some(before) = self.load::<T>(&call.access.scope, target.id).await? else {
                return self.unless_repeated(call, Error::not_found(T::NOUN, target.id)).await;
            };
            if target.is_stale(before.row_version) {
                break;
            }
            let now = self.clock.now();
            let rules = self.rules.of(before.estate_id, now).await?;
            let change = or_repeated!(self, call, decide(&before, &rules, now));
            let row = before.with(change.after.clone(), now);
            let response = answer(&row);
            let effects = effects_of(&row, &change, self.claim(call, &response), now);
            let rows = self.sealed(std::slice::from_ref(&row))?;
            let written = T::write(&mut *self.conn().await?, &rows, &effects, now).await;
            match written {
                Ok(written) if written.len() == 1 => {
                    self.db.wake(&effects);
                    return Ok(response);
                }
                Ok(_) => {}
                Err(error) if is_missed(&error) => {}
                Err(error) => return self.failed(call, error).await,
            }
            if target.etag.is_some() {
                break;
            }
        }
        self.unless_repeated(call, Error::Stale { resource: T::NOUN }).await
    }

    /// Does to documents, on an open transaction, what a timer, a fact or a job has for them. Two trips. The effects are returned for
    /// the caller to write. Rows are locked first, so nobody is faster.
    pub(super) async fn settle<T: Table + Told>(
        &self,
        tx: &mut PgConnection,
        ids: &[Uuid],
        now: Timestamp,
        decide: impl Fn(&Stored<T>, &Rules) -> Result<Option<Change<T>>> + Send + Sync,
    ) -> Result<Effects> {
        let mut rows = Vec::new();
        let mut effects = Effects::none();
        for before in T::lock(&mut *tx, ids).await? {
            let before = self.opened(before)?;
            let rules = self.rules.of(before.estate_id, now).await?;
            if let Some(change) = decide(&before, &rules)? {
                let row = before.with(change.after.clone(), now);
                effects.merge(effects_of(&row, &change, None, now));
                rows.push(row);
            }
        }
        if !rows.is_empty() {
            let written = T::write(tx, &self.sealed(&rows)?, &Effects::none(), now).await.map_err(store_error)?;
            if written.len() != rows.len() {
                return Err(Error::bug("a locked row was changed by someone else"));
            }
        }
        Ok(effects)
    }

    /// [`Self::settle`] in a transaction of its own, for workers. Five trips, however many rows.
    pub(super) async fn settle_all<T: Table + Told>(
        &self,
        ids: &[Uuid],
        now: Timestamp,
        decide: impl Fn(&Stored<T>, &Rules) -> Result<Option<Change<T>>> + Send + Sync,
    ) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        let effects = self.settle(&mut tx, ids, now, decide).await?;
        effects.write(&self.db, &mut tx, now).await?;
        tx.commit().await.map_err(store_error)?;
        self.db.wake(&effects);
        Ok(())
    }

    /// Writes documents that may be there already, with the effects of those that were not, in a transaction of its own. How many
    /// were new. Four trips.
    pub(super) async fn insert_missing<T: Table + Told>(&self, mut all: Vec<(Stored<T>, Change<T>)>, now: Timestamp) -> Result<usize> {
        // Two reasons for one thing are one thing: two birthdays of a household on one day.
        all.sort_by_key(|(new, _)| new.id);
        all.dedup_by_key(|(new, _)| new.id);
        if all.is_empty() {
            return Ok(0);
        }
        let rows: Vec<Stored<T>> = all.iter().map(|(new, change)| new.with(change.after.clone(), now)).collect();
        let mut tx = self.db.begin().await?;
        let written = T::write(&mut tx, &self.sealed(&rows)?, &Effects::none(), now).await.map_err(store_error)?;
        let mut effects = Effects::none();
        for (row, (_, change)) in rows.iter().zip(&all).filter(|(row, _)| written.contains(&row.id)) {
            effects.merge(effects_of(row, change, None, now));
        }
        effects.write(&self.db, &mut tx, now).await?;
        tx.commit().await.map_err(store_error)?;
        self.db.wake(&effects);
        Ok(written.len())
    }

    /// A statement that failed: void because the request came before, or a failure of the database.
    pub(super) async fn failed<R: Message + Default>(&self, call: &Call<'_>, error: sqlx::Error) -> Result<R> {
        if is_replay(&error) { self.unless_repeated(call, store_error(error)).await } else { Err(store_error(error)) }
    }

    /// The stored answer if the request came before, else the refusal. One trip, taken only where there is a refusal.
    pub(super) async fn unless_repeated<R: Message + Default>(&self, call: &Call<'_>, refusal: Error) -> Result<R> {
        self.repeated(call).await?.ok_or(refusal)
    }
}

/// Whether a change ran into its own row under its second key, which never changes: `ON CONFLICT` looks for the row by its id, and may
/// miss it while somebody else writes its next version. Whoever changed it was faster.
pub(super) fn is_missed(error: &sqlx::Error) -> bool {
    !is_replay(error) && error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
