//! Responses as they stand, and what each said before.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::auth::Scope;
use steward_kit::crypto::FieldCipher;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::super::{code, column, count, maybe_at, texts};
use super::{Body, Row};
use crate::domain::codes::Verdict;
use crate::domain::ids::ResponseId;
use crate::domain::{Response, Revision, Wave};

macro_rules! select_responses {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"SELECT r.id, r.estate_id, r.wave_id, r.invitation_id, r.household_id, r.customer_id, r.mode, r.verdict, r.stratum,
                      r.design_weight, r.revision, r.body AS "body: Json<Body>", r.texts, r.device_mark, r.occur_time, r.receive_time,
                      r.row_version
                 FROM survey.responses r "# + $which
            $(, $argument)*
        )
    };
}

/// One response within the scope, by way of its key. One trip.
pub(crate) async fn load_response(db: impl PgExecutor<'_>, cipher: &FieldCipher, scope: &Scope, id: ResponseId) -> Result<Response> {
    let row = select_responses!(
        "JOIN survey.response_keys k ON k.estate_id = r.estate_id AND k.id = r.id AND k.receive_time = r.receive_time
         WHERE k.id = $1 AND ($2::uuid[] IS NULL OR r.estate_id = ANY($2)) AND ($3::uuid IS NULL OR r.customer_id = $3)",
        id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.ok_or_else(|| Error::not_found("response", id))?.read(cipher)
}

/// Place of a response in every list, newest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ResponseKey {
    time: Timestamp,
    id: Uuid,
}

impl ResponseKey {
    /// The place of a response.
    pub(crate) fn of(response: &Response) -> Self {
        Self { time: response.receive_time, id: response.id.as_uuid() }
    }
}

/// Responses of a wave, newest first; `mismatched` are those whose two entries differ. One trip.
pub(crate) async fn list_responses(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    wave: &Wave,
    verdict: Option<Verdict>,
    mismatched: bool,
    page: &PageRequest<ResponseKey>,
) -> Result<Vec<Response>> {
    let after = page.after.as_ref();
    let rows = select_responses!(
        "WHERE r.estate_id = $1 AND r.wave_id = $2 AND ($3::text IS NULL OR r.verdict = $3)
           AND (NOT $4 OR jsonb_array_length(coalesce(r.body #> '{entry_check,differing}', '[]')) > 0)
           AND ($5::timestamptz IS NULL OR (r.receive_time, r.id) < ($5, $6))
         ORDER BY r.receive_time DESC, r.id DESC LIMIT $7",
        wave.estate_id.as_uuid(),
        wave.id.as_uuid(),
        verdict.map(Verdict::as_str),
        mismatched,
        maybe_at(after.map(|key| key.time)) as Option<jiff_sqlx::Timestamp>,
        after.map(|key| key.id),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(|row| row.read(cipher)).collect()
}

/// What a response said, oldest first. One trip.
pub(crate) async fn list_revisions(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    response: &Response,
    page: &PageRequest<u32>,
) -> Result<Vec<Revision>> {
    let rows = sqlx::query!(
        r#"SELECT revision, verdict, body AS "body: Json<Body>", texts, author, record_time FROM survey.response_revisions
            WHERE estate_id = $1 AND response_id = $2 AND ($3::integer IS NULL OR revision > $3) ORDER BY revision LIMIT $4"#,
        response.estate_id.as_uuid(),
        response.id.as_uuid(),
        page.after.map(column).transpose()?,
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    let read = |row: (i32, String, Body, Vec<u8>, String, jiff_sqlx::Timestamp)| {
        let (revision, verdict, mut body, sealed, author, record_time) = row;
        texts::open_answers(cipher, response.id.as_uuid(), &sealed, &mut body.answers)?;
        Ok(Revision {
            revision: count(revision)?,
            answers: body.answers,
            verdict: code(Verdict::parse(&verdict), "verdict")?,
            author,
            record_time: record_time.to_jiff(),
        })
    };
    rows.into_iter().map(|row| read((row.revision, row.verdict, row.body.0, row.texts, row.author, row.record_time))).collect()
}
