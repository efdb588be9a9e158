//! The care fund (CA-81). Balances are decided by the statement that posts, so a claim holds the entry's id alone: the entry stands in the
//! ledger and never changes.

use prost::Message;
use steward_kit::auth::{Access, Scope, ScopedEstate};
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::idempotency::is_replay;
use steward_kit_store::{Effects, NewEvent, constraint, store_error};
use steward_proto::care::v1 as pb;
use uuid::Uuid;

use super::App;
use super::transact::Call;
use crate::domain::base::precondition;
use crate::domain::care_fund::{Balance, Commitment, Entry, Fund, Posting};
use crate::domain::community_codes::FundEntryKind as Kind;
use crate::domain::ids::{CommitmentId, FundEntryId};
use crate::store::care_fund::{
    NOT_THERE, NewEntry, Posted, REVERSED, deposit, list_commitments, list_entries, load_commitment, load_entry, load_fund, post,
};

/// What the resource is called.
const FUND: &str = "care fund";

/// A project that money is set aside for.
#[derive(Debug)]
pub(crate) struct NewCommitment {
    pub(crate) project_code: String,
    pub(crate) title: String,
    pub(crate) use_code: String,
    pub(crate) amount: i64,
    pub(crate) reference: String,
    pub(crate) reason: String,
}

/// How an answer is made of an entry, and the entry's id read out of one: what the claim holds.
pub(crate) struct Answer<F, G> {
    pub(crate) of: F,
    pub(crate) entry_id: G,
}

impl App {
    /// Puts money in. One trip.
    pub(crate) async fn deposit_to_fund<R: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        currency: &str,
        posting: Posting,
        answer: Answer<impl Fn(&Entry) -> R + Sync, impl Fn(&R) -> Option<Uuid> + Sync>,
    ) -> Result<R> {
        call.access.scope.estate(estate)?;
        let now = self.clock.now();
        let blank = blank(call, estate, &posting, now);
        let effects = Effects { claim: self.claim(call, &(answer.of)(&blank)), ..Effects::none() };
        let new = NewEntry { id: blank.id, estate, posting: &posting, actor: call.subject() };
        match deposit(self.db.pool(), new, currency, &effects, now).await {
            Ok(Some(posted)) => Ok((answer.of)(&entry(blank, posted))),
            Ok(None) => {
                let refusal = precondition("CURRENCY_DIFFERS", format!("{FUND} of estate {estate}"), "the fund has another currency");
                self.posted_before(call, refusal.unwrap_or_else(|refusal| refusal), &answer).await
            }
            Err(error) if is_replay(&error) => self.posted_before(call, store_error(error), &answer).await,
            Err(error) => Err(store_error(error)),
        }
    }

    /// Sets money aside for a project. One trip.
    pub(crate) async fn commit_funds<R: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        new: NewCommitment,
        answer: impl Fn(&Commitment, &Entry) -> R + Sync,
        entry_id: impl Fn(&R) -> Option<Uuid> + Sync,
    ) -> Result<R> {
        let scoped = call.access.scope.estate(estate)?;
        let now = self.clock.now();
        let id = CommitmentId::new().as_uuid();
        let posting = Posting::new(Kind::Commitment, new.amount, new.reference, new.reason)?.of(id);
        let made = Commitment {
            id,
            estate_id: estate,
            project_code: new.project_code,
            title: new.title,
            use_code: new.use_code,
            remaining: new.amount,
            spent: 0,
            create_time: now,
        };
        let uses = self.rules.of(estate, now).await?.terms.community.fund_uses;
        if !uses.is_empty() && !uses.contains(&made.use_code) {
            let refusal = Error::invalid("use_code", "FUND_USE_UNKNOWN", format!("must be one of {}", uses.join(", ")));
            return self.committed_before(call, refusal, &answer, &entry_id).await;
        }
        let blank = blank(call, estate, &posting, now);
        let claim = self.claim(call, &answer(&made, &blank));
        let effects = Effects { claim, events: vec![committed(&blank, &made)], timers: Vec::new() };
        let entered = NewEntry { id: blank.id, estate, posting: &posting, actor: call.subject() };
        match post(self.db.pool(), entered, Some(&made), &effects, now).await {
            Ok(Some(posted)) => {
                self.db.wake(&effects);
                Ok(answer(&made, &entry(blank, posted)))
            }
            Ok(None) => self.committed_before(call, Error::not_found(FUND, estate), &answer, &entry_id).await,
            Err(error) => {
                let refusal = self.not_there(scoped, None, error).await;
                self.committed_before(call, refusal, &answer, &entry_id).await
            }
        }
    }

    /// Spends of a commitment, or gives back what a project does not need. Two trips.
    pub(crate) async fn draw_on_commitment<R: Message + Default>(
        &self,
        call: &Call<'_>,
        id: Uuid,
        posting: Posting,
        answer: Answer<impl Fn(&Entry) -> R + Sync, impl Fn(&R) -> Option<Uuid> + Sync>,
    ) -> Result<R> {
        let Some(commitment) = load_commitment(self.db.pool(), &call.access.scope, id).await? else {
            return self.posted_before(call, Error::not_found("commitment", id), &answer).await;
        };
        self.post(call, commitment.estate_id, posting.of(id), Some(&commitment), answer).await
    }

    /// Undoes an entry by a counter entry. Two trips.
    pub(crate) async fn reverse_fund_entry<R: Message + Default>(
        &self,
        call: &Call<'_>,
        id: Uuid,
        reason: &str,
        answer: Answer<impl Fn(&Entry) -> R + Sync, impl Fn(&R) -> Option<Uuid> + Sync>,
    ) -> Result<R> {
        let found = load_entry(self.db.pool(), &call.access.scope, id).await?.ok_or_else(|| Error::not_found("fund entry", id));
        match found.and_then(|found| Ok((found.estate_id, found.reversal(reason)?))) {
            Ok((estate, posting)) => self.post(call, estate, posting, None, answer).await,
            Err(refusal) => self.posted_before(call, refusal, &answer).await,
        }
    }

    /// Posts an entry of a commitment that is there, or of none. One trip.
    async fn post<R: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        posting: Posting,
        commitment: Option<&Commitment>,
        answer: Answer<impl Fn(&Entry) -> R + Sync, impl Fn(&R) -> Option<Uuid> + Sync>,
    ) -> Result<R> {
        let scoped = call.access.scope.estate(estate)?;
        let now = self.clock.now();
        let blank = blank(call, estate, &posting, now);
        let events = commitment.filter(|_| posting.kind == Kind::Spending).map(|of| spent(&blank, of)).into_iter().collect();
        let effects = Effects { claim: self.claim(call, &(answer.of)(&blank)), events, timers: Vec::new() };
        let new = NewEntry { id: blank.id, estate, posting: &posting, actor: call.subject() };
        match post(self.db.pool(), new, None, &effects, now).await {
            Ok(Some(posted)) => {
                self.db.wake(&effects);
                Ok((answer.of)(&entry(blank, posted)))
            }
            Ok(None) => self.posted_before(call, Error::not_found(FUND, estate), &answer).await,
            Err(error) => {
                let refusal = self.not_there(scoped, posting.commitment, error).await;
                self.posted_before(call, refusal, &answer).await
            }
        }
    }

    /// What a statement that was refused by a check means, with what there is.
    async fn not_there(&self, estate: ScopedEstate, commitment: Option<Uuid>, error: sqlx::Error) -> Error {
        match constraint(&error) {
            Some(REVERSED) => precondition("ENTRY_REVERSED", format!("{FUND} of estate {}", estate.id()), "the entry was undone already")
                .unwrap_or_else(|refusal| refusal),
            Some(name) if NOT_THERE.contains(&name) => match self.left(estate, commitment).await {
                Ok(left) => {
                    precondition("FUND_INSUFFICIENT", format!("{FUND} of estate {}", estate.id()), left).unwrap_or_else(|refusal| refusal)
                }
                Err(failure) => failure,
            },
            Some(_) | None => store_error(error),
        }
    }

    /// What is available, and what a commitment has left, in words. Two trips.
    async fn left(&self, estate: ScopedEstate, commitment: Option<Uuid>) -> Result<String> {
        let fund = load_fund(self.db.pool(), estate).await?.ok_or_else(|| Error::not_found(FUND, estate.id()))?;
        let available = format!("available: {} {}", cents(fund.balance.available), fund.currency);
        let Some(id) = commitment else { return Ok(available) };
        let of = load_commitment(self.db.pool(), &Scope::system("a refusal names what is left"), id).await?;
        Ok(of.map_or(available.clone(), |of| format!("left of the commitment: {} {}; {available}", cents(of.remaining), fund.currency)))
    }

    /// The entry that the request posted, if it came before; else the refusal. Two trips.
    async fn posted_before<R: Message + Default>(
        &self,
        call: &Call<'_>,
        refusal: Error,
        answer: &Answer<impl Fn(&Entry) -> R + Sync, impl Fn(&R) -> Option<Uuid> + Sync>,
    ) -> Result<R> {
        let Some(id) = self.repeated::<R>(call).await?.and_then(|stored| (answer.entry_id)(&stored)) else { return Err(refusal) };
        let found = load_entry(self.db.pool(), &call.access.scope, id).await?;
        Ok((answer.of)(&found.ok_or(refusal)?))
    }

    /// The commitment that the request made, as it was then, if it came before; else the refusal. Three trips.
    async fn committed_before<R: Message + Default>(
        &self,
        call: &Call<'_>,
        refusal: Error,
        answer: &(impl Fn(&Commitment, &Entry) -> R + Sync),
        entry_id: &(impl Fn(&R) -> Option<Uuid> + Sync),
    ) -> Result<R> {
        let Some(id) = self.repeated::<R>(call).await?.and_then(|stored| entry_id(&stored)) else { return Err(refusal) };
        let Some(entry) = load_entry(self.db.pool(), &call.access.scope, id).await? else { return Err(refusal) };
        let Some(id) = entry.posting.commitment else { return Err(refusal) };
        let made = load_commitment(self.db.pool(), &call.access.scope, id).await?.ok_or(refusal)?;
        Ok(answer(&Commitment { remaining: entry.posting.amount, spent: 0, ..made }, &entry))
    }

    /// The fund of an estate. One trip.
    pub(crate) async fn care_fund(&self, access: &Access, estate: EstateId) -> Result<Fund> {
        load_fund(self.db.pool(), access.scope.estate(estate)?).await?.ok_or_else(|| Error::not_found(FUND, estate))
    }

    /// A page of its entries. One trip.
    pub(crate) async fn list_fund_entries(
        &self,
        access: &Access,
        estate: EstateId,
        commitment: Option<Uuid>,
        page: &PageRequest<i64>,
    ) -> Result<Vec<Entry>> {
        list_entries(self.db.pool(), access.scope.estate(estate)?, commitment, page).await
    }

    /// A page of its commitments. One trip.
    pub(crate) async fn list_fund_commitments(
        &self,
        access: &Access,
        estate: EstateId,
        page: &PageRequest<Uuid>,
    ) -> Result<Vec<Commitment>> {
        list_commitments(self.db.pool(), access.scope.estate(estate)?, page).await
    }
}

/// An entry before it is posted.
fn blank(call: &Call<'_>, estate: EstateId, posting: &Posting, now: jiff::Timestamp) -> Entry {
    Entry {
        id: FundEntryId::new().as_uuid(),
        estate_id: estate,
        number: 0,
        posting: posting.clone(),
        currency: String::new(),
        actor_subject: call.subject().to_owned(),
        after: Balance::default(),
        post_time: now,
    }
}

/// The entry as it was posted.
fn entry(blank: Entry, posted: Posted) -> Entry {
    Entry { number: posted.number, currency: posted.currency, after: posted.after, ..blank }
}

fn committed(of: &Entry, made: &Commitment) -> NewEvent {
    let fact = pb::FundCommitted {
        entry_id: of.id.to_string(),
        estate_id: of.estate_id.to_string(),
        commitment_id: made.id.to_string(),
        title: made.title.clone(),
        amount_cents: of.posting.amount,
    };
    NewEvent::new(of.estate_id, of.estate_id, of.post_time, &fact)
}

fn spent(of: &Entry, commitment: &Commitment) -> NewEvent {
    let fact = pb::FundSpent {
        entry_id: of.id.to_string(),
        estate_id: of.estate_id.to_string(),
        commitment_id: commitment.id.to_string(),
        title: commitment.title.clone(),
        amount_cents: of.posting.amount,
    };
    NewEvent::new(of.estate_id, of.estate_id, of.post_time, &fact)
}

/// Cents as people write them: `1234.05`.
fn cents(amount: i64) -> String {
    format!("{}.{:02}", amount / 100, amount % 100)
}
