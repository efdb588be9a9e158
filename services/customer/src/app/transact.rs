//! What mutations have in common: the claim on the request id, the retry of a lost race, and the stored answer for a request
//! that came before.
//!
//! ```text
//! read ──> decide ──> write ──ok──> answer
//!   │        │          ├─stale──> read again, at most three times; with an etag from the caller: refuse
//!   │        │          └─void───> the stored answer, or what the constraint means
//!   └────────┴─refused───────────> the stored answer, if the request came before; else refuse
//! ```

use std::future::Future;

use prost::Message;
use steward_kit::auth::Access;
use steward_kit::idempotency::RequestKey;
use steward_kit::{Error, Result};
use steward_kit_store::idempotency::{REQUEST_ID_REUSED, is_replay, replay};
use steward_kit_store::{Claim, Effects};

use super::App;
use crate::store::refusal::refusal;

/// How often a caller without an etag is given another try when somebody else was faster.
const TRIES: u32 = 3;

/// A mutation that is being answered.
pub(crate) struct Call<'a, T, R> {
    /// Who asks, and which rows they reach.
    pub(crate) access: &'a Access,
    /// What makes a repetition the same request.
    pub(crate) key: RequestKey,
    /// The answer for the resource as it then is.
    pub(crate) answer: fn(&T) -> R,
}

/// What a change is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<I> {
    /// The resource.
    pub(crate) id: I,
    /// The version that the caller saw; `None` when any will do.
    pub(crate) etag: Option<i64>,
}

impl<I> Target<I> {
    /// Refuses a version that the caller has not seen.
    pub(super) fn check(&self, resource: &'static str, row_version: i64) -> Result<()> {
        match self.etag {
            Some(seen) if seen != row_version => Err(Error::Stale { resource }),
            Some(_) | None => Ok(()),
        }
    }
}

impl App {
    /// Runs `attempt` until it has written, refuses, or has lost its race too often. An attempt that was too slow gives
    /// `None`.
    pub(super) async fn transact<T, R, Work>(
        &self,
        call: &Call<'_, T, R>,
        resource: &'static str,
        etag: Option<i64>,
        attempt: impl Fn() -> Work,
    ) -> Result<R>
    where
        R: Message + Default,
        Work: Future<Output = Result<Option<R>>>,
    {
        for _ in 0..TRIES {
            match attempt().await {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) if etag.is_some() => break,
                Ok(None) => {}
                Err(error @ (Error::Internal(_) | Error::Unavailable { .. })) => return Err(error),
                Err(refusal) => return self.unless_repeated(call, refusal).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource }).await
    }

    /// The claim of a call, with its answer. Sealed: an answer holds what the caller may see.
    pub(super) fn claim<T, R: Message>(&self, call: &Call<'_, T, R>, answer: &R) -> Claim {
        Claim { key: call.key.clone(), response: self.vault.seal_answer(&call.key, &answer.encode_to_vec()) }
    }

    /// What a write says: the answer, `None` when the row had changed, or what the constraint means that it broke.
    pub(super) fn written<R>(&self, answer: R, effects: &Effects, written: sqlx::Result<bool>) -> Result<Option<R>> {
        match written {
            Ok(true) => {
                self.db.wake(effects);
                Ok(Some(answer))
            }
            Ok(false) => Ok(None),
            Err(error) if is_replay(&error) => Err(Error::already_exists("request", REQUEST_ID_REUSED, "this request_id was used before")),
            Err(error) => Err(refusal(error)),
        }
    }

    /// The stored answer if the request came before, else the refusal. One trip, taken only where there is a refusal.
    async fn unless_repeated<T, R: Message + Default>(&self, call: &Call<'_, T, R>, refusal: Error) -> Result<R> {
        self.answered(call).await?.ok_or(refusal)
    }

    /// The stored answer if the request came before. One trip.
    pub(super) async fn answered<T, R: Message + Default>(&self, call: &Call<'_, T, R>) -> Result<Option<R>> {
        let Some(sealed) = replay(&self.db, &call.key).await? else { return Ok(None) };
        R::decode(self.vault.open_answer(&call.key, &sealed)?.as_slice()).map(Some).map_err(Error::internal)
    }
}
