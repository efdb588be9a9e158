//! Lists of records by what they are, newest first.

use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::crypto::FieldCipher;
use steward_kit::ids::CustomerId;
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::super::maybe_at;
use super::{RecordKey, Row};
use crate::domain::codes::ReportKind;
use crate::domain::{FeedbackItem, MysteryVisit, Report, Wave};

/// A customer's own feedback items wherever they live, newest first. One trip.
pub(crate) async fn list_own_feedback(
    db: &PgPool,
    cipher: &FieldCipher,
    scope: &Scope,
    customer: CustomerId,
    state: Option<&str>,
    page: &PageRequest<RecordKey>,
) -> Result<Vec<FeedbackItem>> {
    let after = page.after.as_ref();
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, body, texts, row_version, update_time FROM survey.feedback_items
          WHERE customer_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::uuid[] IS NULL OR estate_id = ANY($3))
            AND ($4::timestamptz IS NULL OR (sort_time, id) < ($4, $5))
          ORDER BY sort_time DESC, id DESC LIMIT $6",
        customer.as_uuid(),
        state,
        scope.estates() as Option<Vec<Uuid>>,
        maybe_at(after.map(|key| key.time)) as Option<jiff_sqlx::Timestamp>,
        after.map(|key| key.id),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(|row| row.read(cipher, "feedback_items")).collect()
}

/// `SELECT` of whole records of one table; the text says which ones, newest first.
macro_rules! select_newest {
    ($table:tt, $which:tt, $db:expr, $cipher:expr, $page:expr, $estate:expr $(, $argument:expr)* $(,)?) => {{
        let after = $page.after.as_ref();
        let rows = sqlx::query_as!(
            Row,
            "SELECT id, body, texts, row_version, update_time FROM survey." + $table + " WHERE estate_id = $1
                AND ($2::timestamptz IS NULL OR (sort_time, id) < ($2, $3)) AND " + $which + " ORDER BY sort_time DESC, id DESC LIMIT $4",
            $estate.as_uuid(),
            maybe_at(after.map(|key| key.time)) as Option<jiff_sqlx::Timestamp>,
            after.map(|key| key.id),
            $page.size.limit()
            $(, $argument)*
        )
        .fetch_all($db)
        .await
        .store()?;
        rows.into_iter().map(|row| row.read($cipher, $table)).collect()
    }};
}

/// Waves of an estate whose results are shown. One trip.
pub(crate) async fn list_published(
    db: &PgPool,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    page: &PageRequest<RecordKey>,
) -> Result<Vec<Wave>> {
    select_newest!("waves", "jsonb_typeof(body -> 'page') = 'object'", db, cipher, page, estate)
}

/// Items of an estate that were adopted or done, for the bulletin (SV-12). One trip.
pub(crate) async fn list_adopted(
    db: &PgPool,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    page: &PageRequest<RecordKey>,
) -> Result<Vec<FeedbackItem>> {
    select_newest!("feedback_items", "state IN ('adopted', 'done')", db, cipher, page, estate)
}

/// Items of an estate that were not collated in time (SV-14). One trip.
pub(crate) async fn list_uncollated(
    db: &PgPool,
    cipher: &FieldCipher,
    scope: &Scope,
    estate: ScopedEstate,
    page: &PageRequest<RecordKey>,
) -> Result<Vec<FeedbackItem>> {
    select_newest!(
        "feedback_items",
        "body @> '{\"is_collation_overdue\": true}' AND ($5::uuid IS NULL OR customer_id = $5)",
        db,
        cipher,
        page,
        estate,
        scope.own_customer(),
    )
}

/// Reports of an estate. One trip.
pub(crate) async fn list_reports(
    db: &PgPool,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    kind: Option<ReportKind>,
    page: &PageRequest<RecordKey>,
) -> Result<Vec<Report>> {
    select_newest!("reports", "($5::text IS NULL OR body ->> 'kind' = $5)", db, cipher, page, estate, kind.map(ReportKind::as_str),)
}

/// Mystery visits of an estate that were made: what the estate may see (SV-46). One trip.
pub(crate) async fn list_made_visits(
    db: &PgPool,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    page: &PageRequest<RecordKey>,
) -> Result<Vec<MysteryVisit>> {
    select_newest!("mystery_visits", "state IN ('scored', 'appealed', 'final')", db, cipher, page, estate)
}
