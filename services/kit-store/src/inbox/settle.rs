//! Dead letters are settled: applied after all, or given up for good. Each in one transaction with the claim on the request
//! that asked for it, so that an operator may repeat a call.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use prost::Message;
use sqlx::{PgConnection, Row};
use steward_kit::auth::{Access, Scope};
use steward_kit::clock::Clock;
use steward_kit::error::WrongState;
use steward_kit::idempotency::RequestKey;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_proto::event::v1::Event;
use uuid::Uuid;

use super::apply::guarded;
use super::cause::cause;
use super::consumer::Consumer;
use super::dead_letter::{self, COLUMNS, DeadLetter, LetterFilter, LetterState, Settlement};
use crate::db::Db;
use crate::effects::{Claim, Effects};
use crate::error::{StoreResult, store_error};
use crate::idempotency::{is_replay, replay, replayed};

/// The dead letters of a service and the consumers that could apply them. Cheap to clone.
#[derive(Clone)]
pub struct DeadLetters {
    db: Db,
    clock: Clock,
    consumers: Arc<BTreeMap<String, Consumer>>,
}

/// An operator's request that settles letters.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) access: &'a Access,
    pub(super) key: RequestKey,
}

/// A letter that is locked by the transaction, with its event.
struct Locked {
    letter: DeadLetter,
    event: Vec<u8>,
}

impl DeadLetters {
    /// The letters of the service of `db`. Consumers of one name (of several sources) have one handler; any of them will do.
    pub fn new(db: Db, clock: Clock, consumers: impl IntoIterator<Item = Consumer>) -> Self {
        let consumers = consumers.into_iter().map(|consumer| (consumer.group().to_owned(), consumer)).collect();
        Self { db, clock, consumers: Arc::new(consumers) }
    }

    pub(super) async fn list(&self, scope: &Scope, filter: LetterFilter<'_>, page: &PageRequest<Uuid>) -> Result<Vec<DeadLetter>> {
        dead_letter::list(&self.db, scope, filter, page).await
    }

    pub(super) async fn get(&self, scope: &Scope, id: Uuid) -> Result<DeadLetter> {
        dead_letter::get(&self.db, scope, id).await
    }

    /// Applies one letter after all.
    pub(super) async fn redrive<R: Message + Default>(&self, order: &Order<'_>, id: Uuid, answer: fn(&DeadLetter) -> R) -> Result<R> {
        if let Some(first) = replay(&self.db, &order.key).await? {
            return R::decode(first).map_err(Error::internal);
        }
        let claim = |letter: &DeadLetter| Some(Claim::new(&order.key, &answer(letter)));
        match self.apply(order.access, id, claim).await {
            Ok(letter) => Ok(answer(&letter)),
            Err(Refused::Claimed) => replayed(&self.db, &order.key).await,
            Err(Refused::Failed(error)) => {
                let letter = self.note_failure(id, &error).await?;
                let detail = format!("the event still cannot be applied: {}", letter.cause);
                Err(refusal("DEAD_LETTER_STILL_FAILS", &letter, &["RedriveDeadLetter", "DiscardDeadLetter"], detail))
            }
            Err(Refused::With(error)) => self.unless_repeated(order, error).await,
        }
    }

    /// Applies open letters behind `after`, oldest first, each in its own transaction; what fails stays open. The second
    /// part of the answer says whether these were the last.
    pub(super) async fn redrive_all<R: Message + Default>(
        &self,
        order: &Order<'_>,
        consumer: Option<&str>,
        after: Option<Uuid>,
        limit: i64,
        answer: fn(&[DeadLetter], bool) -> R,
    ) -> Result<R> {
        if let Some(first) = replay(&self.db, &order.key).await? {
            return R::decode(first).map_err(Error::internal);
        }
        let filter = LetterFilter { consumer, state: LetterState::Open };
        let mut open = dead_letter::read(&self.db, &order.access.scope, filter, after, limit + 1).await?;
        let is_last = !usize::try_from(limit).is_ok_and(|limit| open.len() > limit);
        open.truncate(usize::try_from(limit).unwrap_or_default());
        let mut tried = Vec::with_capacity(open.len());
        for letter in open {
            tried.push(match self.apply(order.access, letter.id, |_| None).await {
                Ok(letter) => letter,
                Err(Refused::Failed(error)) => self.note_failure(letter.id, &error).await?,
                // Settled by somebody else meanwhile, or nobody's: as it stands.
                Err(Refused::With(Error::WrongState(_) | Error::NotFound { .. })) => self.get(&order.access.scope, letter.id).await?,
                Err(Refused::With(error)) => return Err(error),
                Err(Refused::Claimed) => return replayed(&self.db, &order.key).await,
            });
        }
        let answer = answer(&tried, is_last);
        let effects = Effects { claim: Some(Claim::new(&order.key, &answer)), ..Effects::none() };
        let mut connection = self.db.pool().acquire().await.store()?;
        match effects.try_write(&self.db, &mut connection, self.clock.now()).await {
            Ok(()) => Ok(answer),
            Err(error) if is_replay(&error) => replayed(&self.db, &order.key).await,
            Err(error) => Err(store_error(error)),
        }
    }

    /// Gives a letter up for good.
    pub(super) async fn discard<R: Message + Default>(
        &self,
        order: &Order<'_>,
        id: Uuid,
        reason: String,
        answer: fn(&DeadLetter) -> R,
    ) -> Result<R> {
        if let Some(first) = replay(&self.db, &order.key).await? {
            return R::decode(first).map_err(Error::internal);
        }
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let locked = match self.lock(&mut tx, &order.access.scope, id).await {
            Ok(locked) => locked,
            Err(refusal) => {
                drop(tx);
                return self.unless_repeated(order, refusal).await;
            }
        };
        let how = Settlement::Discarded { reason };
        let letter = self.settle(&mut tx, locked.letter.id, &order.access.principal.subject, &how, now).await?;
        let answer = answer(&letter);
        let effects = Effects { claim: Some(Claim::new(&order.key, &answer)), ..Effects::none() };
        match effects.try_write(&self.db, &mut tx, now).await {
            Ok(()) => {}
            Err(error) if is_replay(&error) => {
                drop(tx);
                return replayed(&self.db, &order.key).await;
            }
            Err(error) => return Err(store_error(error)),
        }
        tx.commit().await.store()?;
        audit(order.access, &letter, "a dead letter was discarded");
        Ok(answer)
    }

    /// The first answer, if it was the same request, sent twice at once, that settled the letter; else the refusal.
    async fn unless_repeated<R: Message + Default>(&self, order: &Order<'_>, refusal: Error) -> Result<R> {
        let first = replay(&self.db, &order.key).await?.ok_or(refusal)?;
        R::decode(first).map_err(Error::internal)
    }

    /// The handler's effects, the settled letter and the claim, in one transaction.
    async fn apply(&self, access: &Access, id: Uuid, claim: impl Fn(&DeadLetter) -> Option<Claim>) -> Result<DeadLetter, Refused> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let Locked { letter, event } = self.lock(&mut tx, &access.scope, id).await?;
        let Some(consumer) = self.consumers.get(&letter.consumer) else {
            let detail = format!("this release has no consumer {}", letter.consumer);
            return Err(refusal("DEAD_LETTER_WITHOUT_CONSUMER", &letter, &["DiscardDeadLetter"], detail).into());
        };
        let event = Event::decode(event.as_slice()).map_err(|_| Refused::Failed(Error::bug("not an event")))?;
        let mut effects = guarded(consumer.handler(), &mut tx, &[&event], now).await.map_err(|error| {
            match matches!(error, Error::Unavailable { .. }) {
                // The store or a peer being down is not the event's fault, so not counted.
                true => Refused::With(error),
                false => Refused::Failed(error),
            }
        })?;
        let letter = self.settle(&mut tx, id, &access.principal.subject, &Settlement::Redriven, now).await?;
        effects.claim = claim(&letter);
        effects.try_write(&self.db, &mut tx, now).await.map_err(|error| match is_replay(&error) {
            true => Refused::Claimed,
            false => Refused::Failed(store_error(error)),
        })?;
        tx.commit().await.map_err(|error| Refused::With(store_error(error)))?;
        self.db.wake(&effects);
        consumer.handler().committed();
        audit(access, &letter, "a dead letter was applied");
        Ok(letter)
    }

    /// Locks an open letter of the scope: settled twice at once, it is settled once.
    async fn lock(&self, tx: &mut PgConnection, scope: &Scope, id: Uuid) -> Result<Locked> {
        let sql = self.db.sql(&format!(
            "SELECT {COLUMNS}, event FROM {{schema}}.dead_letters
              WHERE id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2)) AND $3::uuid IS NULL FOR UPDATE"
        ));
        let row = sqlx::query(sql).bind(id).bind(scope.estates()).bind(scope.own_customer()).fetch_optional(tx).await.store()?;
        let row = row.ok_or_else(|| Error::not_found("dead letter", id))?;
        let letter = dead_letter::of_row(&row)?;
        if letter.settled.is_some() {
            return Err(refusal("DEAD_LETTER_SETTLED", &letter, &[], "the dead letter was settled before".to_owned()));
        }
        Ok(Locked { event: row.try_get("event").store()?, letter })
    }

    async fn settle(&self, tx: &mut PgConnection, id: Uuid, by: &str, how: &Settlement, now: Timestamp) -> Result<DeadLetter> {
        let (state, reason) = match how {
            Settlement::Redriven => (LetterState::Redriven, None),
            Settlement::Discarded { reason } => (LetterState::Discarded, Some(reason.as_str())),
        };
        let sql = self.db.sql(&format!(
            "UPDATE {{schema}}.dead_letters SET state = $2, settle_time = $3, settled_by = $4, reason = $5, event = NULL
              WHERE id = $1 RETURNING {COLUMNS}"
        ));
        let row = sqlx::query(sql).bind(id).bind(state.as_str()).bind(now.to_sqlx()).bind(by).bind(reason).fetch_one(tx).await.store()?;
        dead_letter::of_row(&row)
    }

    /// Writes the new failure to a letter that stays.
    async fn note_failure(&self, id: Uuid, error: &Error) -> Result<DeadLetter> {
        tracing::warn!(letter = %id, error = ?error, "a dead letter still cannot be applied");
        let sql = self.db.sql(&format!(
            "UPDATE {{schema}}.dead_letters SET cause = $2, attempt_count = attempt_count + 1 WHERE id = $1 RETURNING {COLUMNS}"
        ));
        let row = sqlx::query(sql).bind(id).bind(cause(error)).fetch_one(self.db.pool()).await.store()?;
        dead_letter::of_row(&row)
    }
}

/// Why a letter was not applied.
enum Refused {
    /// Another process answered the same request.
    Claimed,
    /// The handler cannot apply the event.
    Failed(Error),
    /// It was not tried to the end.
    With(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::With(error)
    }
}

fn refusal(reason: &'static str, letter: &DeadLetter, allowed: &[&str], detail: String) -> Error {
    let state = match letter.settled.as_ref().map(|settled| &settled.how) {
        None => "OPEN",
        Some(Settlement::Redriven) => "REDRIVEN",
        Some(Settlement::Discarded { .. }) => "DISCARDED",
    };
    WrongState::new(reason, format!("dead letter {}", letter.id), state, allowed.iter().copied(), detail).into()
}

fn audit(access: &Access, letter: &DeadLetter, what: &'static str) {
    tracing::info!(
        target: "audit",
        subject = access.principal.subject,
        permission = access.permission,
        letter = %letter.id,
        event = %letter.event_id,
        consumer = letter.consumer,
        what
    );
}
