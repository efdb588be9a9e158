//! The care fund: postings under the lock of the fund's row. What the checks of the tables refuse is void as a whole.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::code;
use crate::domain::care_fund::{Balance, Commitment, Entry, Fund, Posting};
use crate::domain::community_codes::{FundEntryKind, FundPlace};

/// The checks that refuse an amount which is not there.
pub(crate) const NOT_THERE: [&str; 5] = [
    "care_funds_available_check",
    "care_funds_committed_check",
    "care_funds_spent_check",
    "fund_commitments_remaining_check",
    "fund_commitments_spent_check",
];

/// The index that refuses to undo an entry twice.
pub(crate) const REVERSED: &str = "fund_entries_reversed_entry_id_key";

/// How the fund stands after a posting.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) number: i64,
    pub(crate) currency: String,
    pub(crate) after: Balance,
}

/// A posting on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewEntry<'a> {
    pub(crate) id: Uuid,
    pub(crate) estate: EstateId,
    pub(crate) posting: &'a Posting,
    pub(crate) actor: &'a str,
}

/// Posts a deposit, and founds the fund with the first. `None` when the fund has another currency. One trip. The error is raw.
pub(crate) async fn deposit(
    db: impl PgExecutor<'_>,
    new: NewEntry<'_>,
    currency: &str,
    effects: &Effects,
    now: Timestamp,
) -> Result<Option<Posted>, sqlx::Error> {
    let row = sqlx::query!(
        r#"WITH fund AS (
               INSERT INTO care.care_funds AS f (estate_id, currency, available_cents, committed_cents, spent_cents, entry_count,
                   create_time, update_time)
               VALUES ($1, $2, $3, 0, 0, 1, $4, $4)
               ON CONFLICT ON CONSTRAINT care_funds_pkey DO UPDATE
                  SET available_cents = f.available_cents + EXCLUDED.available_cents, entry_count = f.entry_count + 1,
                      update_time = EXCLUDED.update_time
                WHERE f.currency = EXCLUDED.currency
               RETURNING *
           ), entry AS (
               INSERT INTO care.fund_entries (estate_id, number, id, kind, from_place, to_place, amount_cents, currency, reference, reason,
                   actor_subject, available_cents, committed_cents, spent_cents, post_time)
               SELECT estate_id, entry_count, $5, 'deposit', 'outside', 'available', $3, currency, $6, $7, $8, available_cents,
                      committed_cents, spent_cents, $4
                 FROM fund
           )
           SELECT entry_count AS "number!", currency AS "currency!", available_cents AS "available!", committed_cents AS "committed!",
                  spent_cents AS "spent!", care.write_effects($9)::text AS effects
             FROM fund
           -- unscoped: the estate was found in the caller's scope before"#,
        new.estate.as_uuid(),
        currency,
        new.posting.amount,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        new.id,
        new.posting.reference,
        new.posting.reason,
        new.actor,
        effects.json(now),
    )
    .fetch_optional(db)
    .await?;
    let after = |available, committed, spent| Balance { available, committed, spent };
    Ok(row.map(|row| Posted { number: row.number, currency: row.currency, after: after(row.available, row.committed, row.spent) }))
}

/// Posts any other entry, and makes the commitment that is given with it. `None` when there is no fund. One trip: the commitment's row is
/// locked before the fund's, by everybody. The error is raw: the checks say what is not there.
pub(crate) async fn post(
    db: impl PgExecutor<'_>,
    new: NewEntry<'_>,
    made: Option<&Commitment>,
    effects: &Effects,
    now: Timestamp,
) -> Result<Option<Posted>, sqlx::Error> {
    let posting = new.posting;
    let row = sqlx::query!(
        r#"WITH commitment AS (
               UPDATE care.fund_commitments SET remaining_cents = remaining_cents + $11, spent_cents = spent_cents + $12
                WHERE estate_id = $1 AND id = $2 AND $17::text IS NULL
               RETURNING id
           ), fund AS (
               UPDATE care.care_funds
                  SET available_cents = available_cents + $13, committed_cents = committed_cents + $11, spent_cents = spent_cents + $12,
                      entry_count = entry_count + 1, update_time = $4
                WHERE estate_id = $1 AND ($2::uuid IS NULL OR $17::text IS NOT NULL OR EXISTS (SELECT FROM commitment))
               RETURNING *
           ), made AS (
               INSERT INTO care.fund_commitments (estate_id, id, project_code, title, use_code, remaining_cents, spent_cents, create_time)
               SELECT estate_id, $2, $17, $18, $19, $11, 0, $4 FROM fund WHERE $17::text IS NOT NULL
           ), entry AS (
               INSERT INTO care.fund_entries (estate_id, number, id, kind, from_place, to_place, amount_cents, currency, commitment_id,
                   reversed_entry_id, reference, reason, actor_subject, available_cents, committed_cents, spent_cents, post_time)
               SELECT estate_id, entry_count, $5, $14, $15, $16, $3, currency, $2, $10, $6, $7, $8, available_cents, committed_cents,
                      spent_cents, $4
                 FROM fund
           )
           SELECT entry_count AS "number!", currency AS "currency!", available_cents AS "available!", committed_cents AS "committed!",
                  spent_cents AS "spent!", care.write_effects($9)::text AS effects
             FROM fund
           -- unscoped: of an estate, a commitment or an entry that was found in the caller's scope before"#,
        new.estate.as_uuid(),
        posting.commitment,
        posting.amount,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        new.id,
        posting.reference,
        posting.reason,
        new.actor,
        effects.json(now),
        posting.reversed,
        posting.change(FundPlace::Committed),
        posting.change(FundPlace::Spent),
        posting.change(FundPlace::Available),
        posting.kind.as_str(),
        posting.from.as_str(),
        posting.to.as_str(),
        made.map(|made| made.project_code.as_str()),
        made.map(|made| made.title.as_str()),
        made.map(|made| made.use_code.as_str()),
    )
    .fetch_optional(db)
    .await?;
    let after = |available, committed, spent| Balance { available, committed, spent };
    Ok(row.map(|row| Posted { number: row.number, currency: row.currency, after: after(row.available, row.committed, row.spent) }))
}

/// The fund of an estate. One trip.
pub(crate) async fn load_fund(db: impl PgExecutor<'_>, estate: ScopedEstate) -> Result<Option<Fund>> {
    let row = sqlx::query!(
        "SELECT estate_id, currency, available_cents, committed_cents, spent_cents, entry_count, update_time
           FROM care.care_funds WHERE estate_id = $1",
        estate.as_uuid(),
    )
    .fetch_optional(db)
    .await
    .store()?;
    Ok(row.map(|row| Fund {
        estate_id: row.estate_id.into(),
        currency: row.currency,
        balance: Balance { available: row.available_cents, committed: row.committed_cents, spent: row.spent_cents },
        entry_count: row.entry_count,
        update_time: row.update_time.to_jiff(),
    }))
}

struct CommitmentRow {
    estate_id: Uuid,
    id: Uuid,
    project_code: String,
    title: String,
    use_code: String,
    remaining_cents: i64,
    spent_cents: i64,
    create_time: jiff_sqlx::Timestamp,
}

impl CommitmentRow {
    fn read(self) -> Commitment {
        Commitment {
            id: self.id,
            estate_id: self.estate_id.into(),
            project_code: self.project_code,
            title: self.title,
            use_code: self.use_code,
            remaining: self.remaining_cents,
            spent: self.spent_cents,
            create_time: self.create_time.to_jiff(),
        }
    }
}

/// One commitment of the caller's estates. One trip.
pub(crate) async fn load_commitment(db: impl PgExecutor<'_>, scope: &Scope, id: Uuid) -> Result<Option<Commitment>> {
    let row = sqlx::query_as!(
        CommitmentRow,
        "SELECT estate_id, id, project_code, title, use_code, remaining_cents, spent_cents, create_time
           FROM care.fund_commitments WHERE id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))",
        id,
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_optional(db)
    .await
    .store()?;
    Ok(row.map(CommitmentRow::read))
}

/// A page of an estate's commitments, the last first. One trip.
pub(crate) async fn list_commitments(db: impl PgExecutor<'_>, estate: ScopedEstate, page: &PageRequest<Uuid>) -> Result<Vec<Commitment>> {
    let rows = sqlx::query_as!(
        CommitmentRow,
        "SELECT estate_id, id, project_code, title, use_code, remaining_cents, spent_cents, create_time
           FROM care.fund_commitments WHERE estate_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        estate.as_uuid(),
        page.after,
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(CommitmentRow::read).collect())
}

struct EntryRow {
    estate_id: Uuid,
    number: i64,
    id: Uuid,
    kind: String,
    from_place: String,
    to_place: String,
    amount_cents: i64,
    currency: String,
    commitment_id: Option<Uuid>,
    reversed_entry_id: Option<Uuid>,
    reference: String,
    reason: String,
    actor_subject: String,
    available_cents: i64,
    committed_cents: i64,
    spent_cents: i64,
    post_time: jiff_sqlx::Timestamp,
}

impl EntryRow {
    fn read(self) -> Result<Entry> {
        Ok(Entry {
            id: self.id,
            estate_id: self.estate_id.into(),
            number: self.number,
            posting: Posting {
                kind: code(FundEntryKind::parse(&self.kind), "kind")?,
                from: code(FundPlace::parse(&self.from_place), "from_place")?,
                to: code(FundPlace::parse(&self.to_place), "to_place")?,
                amount: self.amount_cents,
                commitment: self.commitment_id,
                reversed: self.reversed_entry_id,
                reference: self.reference,
                reason: self.reason,
            },
            currency: self.currency,
            actor_subject: self.actor_subject,
            after: Balance { available: self.available_cents, committed: self.committed_cents, spent: self.spent_cents },
            post_time: self.post_time.to_jiff(),
        })
    }
}

macro_rules! select_entries {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            EntryRow,
            "SELECT estate_id, number, id, kind, from_place, to_place, amount_cents, currency, commitment_id, reversed_entry_id, reference,
                    reason, actor_subject, available_cents, committed_cents, spent_cents, post_time
               FROM care.fund_entries WHERE " + $which
            $(, $argument)*
        )
    };
}

/// One entry of the caller's estates. One trip.
pub(crate) async fn load_entry(db: impl PgExecutor<'_>, scope: &Scope, id: Uuid) -> Result<Option<Entry>> {
    let row = select_entries!("id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))", id, scope.estates() as Option<Vec<Uuid>>)
        .fetch_optional(db)
        .await
        .store()?;
    row.map(EntryRow::read).transpose()
}

/// A page of an estate's entries, or of one commitment's, the last first. One trip.
pub(crate) async fn list_entries(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    commitment: Option<Uuid>,
    page: &PageRequest<i64>,
) -> Result<Vec<Entry>> {
    let rows = match commitment {
        Some(commitment) => select_entries!(
            "estate_id = $1 AND commitment_id = $2 AND ($3::bigint IS NULL OR number < $3) ORDER BY number DESC LIMIT $4",
            estate.as_uuid(),
            commitment,
            page.after,
            page.size.limit(),
        )
        .fetch_all(db)
        .await
        .store()?,
        None => select_entries!(
            "estate_id = $1 AND ($2::bigint IS NULL OR number < $2) ORDER BY number DESC LIMIT $3",
            estate.as_uuid(),
            page.after,
            page.size.limit(),
        )
        .fetch_all(db)
        .await
        .store()?,
    };
    rows.into_iter().map(EntryRow::read).collect()
}
