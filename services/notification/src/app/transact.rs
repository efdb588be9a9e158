//! What every mutation has: a request id, and what happens when the request came before.
//!
//! A first call pays nothing for being repeatable: the claim on its request id is written by the statement that saves, and
//! a repetition makes that statement void.

use prost::Message;
use steward_kit::auth::Access;
use steward_kit::idempotency::RequestKey;
use steward_kit::{Error, Result};
use steward_kit_store::idempotency::{is_replay, replay};
use steward_kit_store::{Claim, store_error};

use super::App;
use crate::domain::codes::Actor;

/// How often a caller without an etag is given another try when somebody else was faster.
pub(super) const TRIES: u32 = 3;

/// A mutation that is being answered.
pub(crate) struct Call<'a> {
    /// Who asks, and which rows they reach.
    pub(crate) access: &'a Access,
    /// What makes a repetition the same request.
    pub(crate) key: RequestKey,
}

/// The thing a verb is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<I> {
    /// Its id.
    pub(crate) id: I,
    /// The version the caller saw; `None` when any will do.
    pub(crate) etag: Option<i64>,
}

impl<I> Target<I> {
    /// Whether the caller saw another version.
    pub(super) fn is_stale(&self, row_version: i64) -> bool {
        self.etag.is_some_and(|seen| seen != row_version)
    }
}

impl Call<'_> {
    /// Refuses who does not reach every estate: what belongs to no estate is used in all of them.
    pub(crate) fn for_every_estate(&self) -> Result<()> {
        match self.access.scope.estates() {
            None => Ok(()),
            Some(_) => Err(self.access.deny(&self.access.permission)),
        }
    }

    /// The caller, as whoever acts.
    pub(super) fn actor(&self) -> Actor {
        Actor::of(&self.access.principal)
    }

    /// The claim on the request, with its answer.
    pub(super) fn claim(&self, answer: &impl Message) -> Option<Claim> {
        Some(Claim::new(&self.key, answer))
    }
}

impl App {
    /// A statement that failed: void because the request came before, or a failure of the database.
    pub(super) async fn failed<R: Message + Default>(&self, call: &Call<'_>, error: sqlx::Error) -> Result<R> {
        if is_replay(&error) { self.unless_repeated(call, store_error(error)).await } else { Err(store_error(error)) }
    }

    /// The stored answer if the request came before, else the refusal. One trip, taken only where there is a refusal.
    pub(super) async fn unless_repeated<R: Message + Default>(&self, call: &Call<'_>, refusal: Error) -> Result<R> {
        let stored = replay(&self.db, &call.key).await?.ok_or(refusal)?;
        R::decode(stored).map_err(Error::internal)
    }
}
