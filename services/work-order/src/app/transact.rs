//! The one flow of every verb: load, decide, save; and what happens when the request came before, or somebody else was
//! faster.
//!
//! ```text
//! load ──> decide ──> save ──ok──> answer            2 trips, 3 with a look at whoever becomes accountable
//!   │        │          ├─stale──> load again, at most three times; with an etag from the caller: refuse
//!   │        │          └─claimed─> the stored answer
//!   └─other etag┴─refused─────────> the stored answer, if the request came before; else refuse        3 trips
//! ```
//!
//! A first call pays nothing for being repeatable: the claim on its request id is written by the statement that saves, and a
//! repetition makes that statement void.

use jiff::Timestamp;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::idempotency::RequestKey;
use steward_kit::ids::WorkOrderId;
use steward_kit::{Error, Result};
use steward_kit_store::idempotency::{is_replay, replay, replayed};
use steward_kit_store::{Claim, Effects, store_error};

use super::App;
use crate::domain::{Actor, Context, Refusal, Transition, WorkOrder};
use crate::events::effects_of;
use crate::store::{Change, Saved, answer_place, load_work_order, look_at_worker, save_transitions};

/// How often a caller without an etag is given another try when somebody else was faster.
pub(super) const TRIES: u32 = 3;

/// A mutation that is being answered.
pub(crate) struct Call<'a, R> {
    /// Who asks, and which rows they reach.
    pub(crate) access: &'a Access,
    /// What makes a repetition the same request.
    pub(crate) key: RequestKey,
    /// The answer for an order as it then is.
    pub(crate) answer: fn(&WorkOrder, &Access) -> R,
}

impl<R> Call<'_, R> {
    /// The caller, as whoever acts.
    pub(super) fn actor(&self) -> Actor {
        Actor::of(&self.access.principal)
    }
}

/// The order a verb is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// Its id.
    pub(crate) id: WorkOrderId,
    /// The version the caller saw; `None` when any will do.
    pub(crate) etag: Option<i64>,
}

/// What a verb looks at beside its order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beside<'a> {
    /// It may name some of the staff as complained about.
    pub(super) is_about_staff: bool,
    /// It makes this one of the staff accountable: what they have already counts, and the write is guarded by it.
    pub(super) taker: Option<&'a str>,
}

impl App {
    /// Does one verb to one order. Two trips, one more for the lines of its staff when the order complains about any, and one more for
    /// whoever becomes accountable.
    pub(super) async fn transact<R: Message + Default>(
        &self,
        call: &Call<'_, R>,
        target: Target,
        decide: impl Fn(&WorkOrder, &Context<'_>, Timestamp) -> Result<Transition, Refusal>,
    ) -> Result<R> {
        self.transact_with(call, target, Beside::default(), decide).await
    }

    /// The same, for a verb that looks at something beside its order.
    pub(super) async fn transact_with<R: Message + Default>(
        &self,
        call: &Call<'_, R>,
        target: Target,
        beside: Beside<'_>,
        decide: impl Fn(&WorkOrder, &Context<'_>, Timestamp) -> Result<Transition, Refusal>,
    ) -> Result<R> {
        for _ in 0..TRIES {
            let before = self.load(call.access, target.id).await?;
            if target.etag.is_some_and(|seen| seen != before.row_version) {
                return self.unless_repeated(call, Error::Stale { resource: "work order" }).await;
            }
            let rules = self.rules.of(before.estate_id, before.receive_time).await?;
            let lines = self.lines_around(&before, beside.is_about_staff).await?;
            let taker = match beside.taker {
                Some(subject) => look_at_worker(self.db.pool(), call.access.scope.estate(before.estate_id)?, subject).await?,
                None => None,
            };
            let context = Context { lines: &lines, taker: taker.as_ref(), ..rules.context() };
            let now = self.clock.now();
            let transition = match decide(&before, &context, now) {
                Ok(transition) => transition,
                Err(refusal) => return self.unless_repeated(call, refusal.into()).await,
            };
            let saved = WorkOrder { row_version: before.row_version + 1, ..transition.order.clone() };
            let answer = (call.answer)(&saved, call.access);
            let effects = effects_of(&transition, Some(self.claim(call, &answer)));
            let change = Change { before: &before, transition: &transition };
            match save_transitions(self.db.pool(), &self.cipher, &[change], &effects, now).await? {
                Ok(Saved::Yes) => {
                    self.after_commit(target.id, &effects);
                    return Ok(answer);
                }
                Ok(Saved::Stale) if target.etag.is_some() => break,
                Ok(Saved::Stale) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "work order" }).await
    }

    /// One order through the caller's scope. One trip.
    pub(crate) async fn load(&self, access: &Access, id: WorkOrderId) -> Result<WorkOrder> {
        let found = load_work_order(self.db.pool(), &self.cipher, &access.scope, id).await?;
        found.ok_or_else(|| Error::not_found("work order", id))
    }

    /// The claim on a request, with its answer. Sealed: an answer holds what the customer wrote.
    pub(super) fn claim<R: Message>(&self, call: &Call<'_, R>, answer: &R) -> Claim {
        Claim {
            key: call.key.clone(),
            response: self.cipher.seal(answer_place(&call.key.method, call.key.request_id), answer.encode_to_vec()),
        }
    }

    /// A statement that failed: void because the request came before, or a failure of the database.
    pub(super) async fn failed<R: Message + Default>(&self, call: &Call<'_, R>, error: sqlx::Error) -> Result<R> {
        if is_replay(&error) { self.unless_repeated(call, store_error(error)).await } else { Err(store_error(error)) }
    }

    /// The stored answer if the request came before, else the refusal. One trip, taken only where there is a refusal.
    pub(super) async fn unless_repeated<R: Message + Default>(&self, call: &Call<'_, R>, refusal: Error) -> Result<R> {
        let Some(sealed) = replay(&self.db, &call.key).await? else { return Err(refusal) };
        let answer = self.cipher.open(answer_place(&call.key.method, call.key.request_id), &sealed)?;
        R::decode(answer.as_slice()).map_err(Error::internal)
    }

    /// The answer of a twin that was faster between the look for its claim and the write, for use cases whose answers stand
    /// in clear; else the failure.
    pub(super) async fn first_answer<R: Message + Default>(&self, key: &RequestKey, error: sqlx::Error) -> Result<R> {
        if is_replay(&error) { replayed(&self.db, key).await } else { Err(store_error(error)) }
    }

    /// Hints that follow a commit; losing one costs moments.
    pub(crate) fn after_commit(&self, id: WorkOrderId, effects: &Effects) {
        self.db.wake(effects);
        self.watch.changed(id);
    }
}
