//! The one flow of every verb on a record: load, decide, save; and what happens when the request came before, or somebody else
//! was faster. Two trips; three where there is a refusal, because the request may have come before.

use jiff::Timestamp;
use prost::Message;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres, Transaction};
use steward_kit::auth::{Access, ScopedEstate};
use steward_kit::idempotency::RequestKey;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::idempotency::{is_replay, replay};
use steward_kit_store::{Claim, Effects, NewEvent, StoreResult, TimerChange, store_error};
use uuid::Uuid;

use super::App;
use crate::store::records::{RecordFilter, RecordKey, Stored};

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

impl Call<'_> {
    /// Refuses who does not reach every estate: what belongs to no estate is used in all of them.
    pub(crate) fn for_every_estate(&self) -> Result<()> {
        match self.access.scope.estates() {
            None => Ok(()),
            Some(_) => Err(self.access.deny(&self.access.permission)),
        }
    }
}

/// The thing a verb is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// Its id.
    pub(crate) id: Uuid,
    /// The version the caller saw; `None` when any will do.
    pub(crate) etag: Option<i64>,
}

/// What a verb decided.
#[derive(Debug, Default)]
pub(crate) struct Follows {
    /// Facts to publish.
    pub(crate) events: Vec<NewEvent>,
    /// Timers to set and to cancel.
    pub(crate) timers: Vec<TimerChange>,
}

impl Follows {
    /// Nothing follows.
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    /// One fact.
    pub(super) fn event(event: NewEvent) -> Self {
        Self { events: vec![event], timers: Vec::new() }
    }

    /// With a timer.
    pub(super) fn and(mut self, timer: TimerChange) -> Self {
        self.timers.push(timer);
        self
    }
}

impl App {
    /// A connection; taking one is no trip.
    pub(super) async fn connection(&self) -> Result<PoolConnection<Postgres>> {
        self.db.pool().acquire().await.store()
    }

    /// One record through the caller's scope. One trip.
    pub(crate) async fn load<R: Stored>(&self, access: &Access, id: impl Into<Uuid> + Send) -> Result<R> {
        let id = id.into();
        let mut db = self.connection().await?;
        R::load(&mut db, &self.cipher, &access.scope, id).await
    }

    /// Records of an estate, newest first. One trip.
    pub(crate) async fn list<R: Stored>(
        &self,
        access: &Access,
        estate: ScopedEstate,
        filter: RecordFilter<'_>,
        page: &PageRequest<RecordKey>,
    ) -> Result<Vec<R>> {
        R::list(self.db.pool(), &self.cipher, &access.scope, estate, filter, page).await
    }

    /// Adds a record. One trip.
    pub(super) async fn create<R: Stored, A: Message + Default>(
        &self,
        call: &Call<'_>,
        record: &R,
        follows: Follows,
        answer: impl Fn(&R) -> A + Sync,
        now: Timestamp,
    ) -> Result<A> {
        let response = answer(record);
        let effects = self.effects(call, &response, follows);
        let mut db = self.connection().await?;
        match record.insert(&mut db, &self.cipher, &effects, now).await? {
            Ok(()) => {
                self.db.wake(&effects);
                Ok(response)
            }
            Err(error) => self.failed(call, error).await,
        }
    }

    /// Does one verb to one record. Two trips.
    pub(super) async fn change<R: Stored, A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        decide: impl Fn(&R, Timestamp) -> Result<(R, Follows)> + Sync,
        answer: impl Fn(&R) -> A + Sync,
    ) -> Result<A> {
        for _ in 0..TRIES {
            let before: R = or_repeated!(self, call, self.load(call.access, target.id).await);
            if target.etag.is_some_and(|seen| seen != before.row_version()) {
                return self.unless_repeated(call, Error::Stale { resource: R::NOUN }).await;
            }
            let now = self.clock.now();
            let (mut after, follows) = or_repeated!(self, call, decide(&before, now));
            after.set_row(before.row_version() + 1, now);
            let response = answer(&after);
            let effects = self.effects(call, &response, follows);
            let mut db = self.connection().await?;
            match after.save(&mut db, &self.cipher, before.row_version(), &effects, now).await? {
                Ok(true) => {
                    self.db.wake(&effects);
                    self.watch.changed(after.keys().id);
                    return Ok(response);
                }
                Ok(false) if target.etag.is_some() => break,
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: R::NOUN }).await
    }

    /// Saves a record whose verb writes more than one, on a transaction that `conclude` ends. `None`: somebody else was faster.
    pub(super) async fn save_first<R: Stored>(
        &self,
        after: &R,
        before_version: i64,
        effects: &Effects,
        now: Timestamp,
    ) -> Result<Result<Option<Transaction<'static, Postgres>>, sqlx::Error>> {
        let mut tx = self.db.begin().await?;
        let saved = after.save(&mut tx, &self.cipher, before_version, effects, now).await?;
        Ok(saved.map(|is_saved| is_saved.then_some(tx)))
    }

    /// Commits what a verb wrote, and answers.
    pub(super) async fn conclude<A>(&self, tx: Transaction<'static, Postgres>, effects: &Effects, response: A) -> Result<A> {
        tx.commit().await.map_err(store_error)?;
        self.db.wake(effects);
        Ok(response)
    }

    /// Changes a record on the transaction of a timer, whose row is locked; `None` changes nothing.
    pub(super) async fn change_by_timer<R: Stored>(
        &self,
        tx: &mut PgConnection,
        id: Uuid,
        now: Timestamp,
        decide: impl FnOnce(&R) -> Result<Option<(R, Follows)>> + Send,
    ) -> Result<Effects> {
        let scope = steward_kit::auth::Scope::system("a timer fired");
        let before = match R::load(&mut *tx, &self.cipher, &scope, id).await {
            Ok(record) => record,
            // It is gone, and with it the promise.
            Err(Error::NotFound { .. }) => return Ok(Effects::none()),
            Err(error) => return Err(error),
        };
        let Some((mut after, follows)) = decide(&before)? else { return Ok(Effects::none()) };
        after.set_row(before.row_version() + 1, now);
        match after.save(tx, &self.cipher, before.row_version(), &Effects::none(), now).await?.store()? {
            true => Ok(Effects { claim: None, events: follows.events, timers: follows.timers }),
            false => Err(Error::unavailable("postgres", anyhow::anyhow!("{} changed while its timer fired", R::NOUN))),
        }
    }

    /// The effects of a mutation.
    pub(super) fn effects(&self, call: &Call<'_>, response: &impl Message, follows: Follows) -> Effects {
        Effects { claim: Some(self.claim(call, response)), events: follows.events, timers: follows.timers }
    }

    /// The claim on a request, with its answer. Sealed: an answer may hold what people wrote.
    fn claim(&self, call: &Call<'_>, response: &impl Message) -> Claim {
        Claim {
            key: call.key.clone(),
            response: self.cipher.seal(answer_place(&call.key.method, call.key.request_id), response.encode_to_vec()),
        }
    }

    /// A statement that failed: void because the request came before, or a failure of the database.
    pub(super) async fn failed<A: Message + Default>(&self, call: &Call<'_>, error: sqlx::Error) -> Result<A> {
        if is_replay(&error) { self.unless_repeated(call, store_error(error)).await } else { Err(store_error(error)) }
    }

    /// The stored answer if the request came before, else the refusal. One trip, taken only where there is a refusal.
    pub(super) async fn unless_repeated<A: Message + Default>(&self, call: &Call<'_>, refusal: Error) -> Result<A> {
        let Some(sealed) = replay(&self.db, &call.key).await? else { return Err(refusal) };
        let answer = self.cipher.open(answer_place(&call.key.method, call.key.request_id), &sealed)?;
        A::decode(answer.as_slice()).map_err(Error::internal)
    }
}

/// Where the answer to a request stands, for which it is sealed.
pub(crate) fn answer_place(method: &str, request_id: impl std::fmt::Display) -> String {
    format!("survey/answer/{method}/{request_id}")
}
