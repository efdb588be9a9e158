//! Answers of anonymous waves (SV-40). Two tables that no key connects: who took part, and what was answered for a token. The
//! claim on a request is never written here, because it would name the caller beside the answer.

use jiff::Timestamp;
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::crypto::FieldCipher;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::responses::Body;
use super::{at, texts};
use crate::domain::{Invitation, Response, Wave};

/// The constraint that lets a token be answered for once.
pub(crate) const TOKEN_SPENT: &str = "spent_tokens_pkey";

/// Notes that a household took its token, under the mark of its nonce; false when the invitation changed meanwhile. One trip.
pub(crate) async fn take_token(db: impl PgExecutor<'_>, invitation: &Invitation, mark: &[u8], now: Timestamp) -> Result<bool> {
    sqlx::query_scalar!(
        r#"WITH taken AS (
               UPDATE survey.invitations
                  SET state = 'participated', open_time = coalesce(open_time, $4), token_mark = $5, row_version = row_version + 1
                WHERE estate_id = $1 AND id = $2 AND row_version = $3
            RETURNING estate_id, wave_id, household_id
           ), part AS (
               INSERT INTO survey.participants (estate_id, wave_id, household_id, response_id)
               SELECT estate_id, wave_id, household_id, NULL FROM taken
               ON CONFLICT ON CONSTRAINT participants_pkey DO NOTHING
           )
           SELECT EXISTS (SELECT FROM taken) AS "taken!""#,
        invitation.estate_id.as_uuid(),
        invitation.id.as_uuid(),
        invitation.row_version,
        at(now) as jiff_sqlx::Timestamp,
        mark,
    )
    .fetch_one(db)
    .await
    .store()
}

/// What was answered for a token, if anything: the response, and the hash of its answers. One trip.
pub(crate) async fn find_spent(db: impl PgExecutor<'_>, wave: &Wave, mark: &[u8]) -> Result<Option<(Uuid, Vec<u8>, String)>> {
    let row = sqlx::query!(
        "SELECT s.response_id, s.answers_hash, r.verdict
           FROM survey.spent_tokens s JOIN survey.responses r ON r.estate_id = s.estate_id AND r.id = s.response_id
          WHERE s.estate_id = $1 AND s.wave_id = $2 AND s.token_mark = $3",
        wave.estate_id.as_uuid(),
        wave.id.as_uuid(),
        mark,
    )
    .fetch_optional(db)
    .await
    .store()?;
    Ok(row.map(|row| (row.response_id, row.answers_hash, row.verdict)))
}

/// Adds an answer for a token. One trip. The inner error is raw: its constraint tells a token that is spent, a full quota, an id
/// that is taken.
pub(crate) async fn insert_blind(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    response: &Response,
    mark: &[u8],
    answers_hash: &[u8],
    filled: i32,
) -> Result<Result<(), sqlx::Error>> {
    let written = sqlx::query!(
        "WITH spent AS (
             INSERT INTO survey.spent_tokens (estate_id, wave_id, token_mark, response_id, answers_hash) VALUES ($1, $3, $4, $2, $5)
             RETURNING response_id
         ), keyed AS (
             INSERT INTO survey.response_keys (id, estate_id, wave_id, source_ref, receive_time)
             SELECT s.response_id, $1, $3, NULL, $6 FROM spent s
             RETURNING id, receive_time
         ), cell AS (
             UPDATE survey.quota_cells SET filled = filled + $7
              WHERE estate_id = $1 AND wave_id = $3 AND stratum = $8 AND $7 <> 0
         )
         -- Each waits for the one before: of the same answer, sent twice at once, the token is what refuses the second.
         INSERT INTO survey.responses (estate_id, id, wave_id, invitation_id, household_id, customer_id, mode, verdict, stratum,
             design_weight, revision, body, texts, device_mark, occur_time, receive_time, row_version)
         SELECT $1, k.id, $3, NULL, NULL, NULL, $9, $10, $8, $11, 1, $12, $13, NULL, k.receive_time, k.receive_time, 1 FROM keyed k",
        response.estate_id.as_uuid(),
        response.id.as_uuid(),
        response.wave_id.as_uuid(),
        mark,
        answers_hash,
        at(response.receive_time) as jiff_sqlx::Timestamp,
        filled,
        response.stratum,
        response.mode.as_str(),
        response.verdict.as_str(),
        response.weight,
        Json(Body::of(response)) as _,
        texts::seal_answers(cipher, response.id.as_uuid(), &response.answers)?,
    )
    .execute(db)
    .await;
    Ok(written.map(drop))
}
