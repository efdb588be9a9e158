//! A response with all that follows, or nothing.

use jiff::Timestamp;
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::crypto::FieldCipher;
use steward_kit_store::Effects;
use uuid::Uuid;

use super::super::{at, column, maybe_at, texts};
use super::{Body, Invited};
use crate::domain::Response;

/// What follows a response beside its row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consequences {
    /// It is the response of its household that counts.
    pub(crate) occupies: bool,
    /// Its cell has a quota, and this many places more are filled.
    pub(crate) filled: i32,
    /// This many places are held no more.
    pub(crate) released: i32,
    /// Responses of the same device from here on are held, but for the first.
    pub(crate) holds_device_since: Option<Timestamp>,
}

/// Adds a response with all that follows; false when its invitation changed meanwhile. One trip. The inner error is raw: its
/// constraint tells a repetition, an id or paper that is taken, a full quota, a household that counts already.
#[expect(clippy::too_many_arguments, reason = "one statement that writes everything that belongs together")]
pub(crate) async fn insert_response(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    response: &Response,
    invited: Option<&Invited>,
    then: &Consequences,
    author: &str,
    effects: &Effects,
    now: Timestamp,
) -> Result<Result<bool, sqlx::Error>> {
    let written = sqlx::query_scalar!(
        r#"WITH invited AS (
               UPDATE survey.invitations SET state = 'responded', respond_time = $4, holds_place = false, row_version = row_version + 1
                WHERE estate_id = $1 AND id = $5 AND row_version = $6
            RETURNING id
           ), gate AS (
               SELECT 1 AS open WHERE $5::uuid IS NULL OR EXISTS (SELECT FROM invited)
           ), keyed AS (
               INSERT INTO survey.response_keys (id, estate_id, wave_id, source_ref, receive_time)
               SELECT $2, $1, $3, $7, $4 FROM gate
           ), counted AS (
               INSERT INTO survey.participants (estate_id, wave_id, household_id, response_id)
               SELECT $1, $3, $8::uuid, $2 FROM gate WHERE $9 AND $8::uuid IS NOT NULL
           ), cell AS (
               UPDATE survey.quota_cells SET filled = filled + $10, reserved = reserved - $11
                WHERE estate_id = $1 AND wave_id = $3 AND stratum = $12 AND ($10 <> 0 OR $11 <> 0) AND EXISTS (SELECT FROM gate)
           ), burst AS (
               UPDATE survey.responses SET verdict = 'held', row_version = row_version + 1
                WHERE estate_id = $1 AND wave_id = $3 AND verdict = 'valid' AND device_mark = $13 AND receive_time >= $14::timestamptz
                  AND id <> (SELECT f.id FROM survey.responses f
                              WHERE f.wave_id = $3 AND f.device_mark = $13 AND f.receive_time >= $14::timestamptz
                              ORDER BY f.receive_time, f.id LIMIT 1)
                  AND EXISTS (SELECT FROM gate)
           ), added AS (
               INSERT INTO survey.responses (estate_id, id, wave_id, invitation_id, household_id, customer_id, mode, verdict, stratum,
                   design_weight, revision, body, texts, device_mark, occur_time, receive_time, row_version)
               SELECT $1, $2, $3, $5, $8::uuid, $15::uuid, $16, $17, $12, $18, 1, $19, $20, $13, $21, $4, 1 FROM gate
           ), said AS (
               INSERT INTO survey.response_revisions (estate_id, response_id, revision, verdict, body, texts, author, record_time)
               SELECT $1, $2, 1, $17, $19, $20, $22, $23 FROM gate
           )
           SELECT (SELECT survey.write_effects($24) FROM gate)::text IS NOT NULL AS "written!""#,
        response.estate_id.as_uuid(),
        response.id.as_uuid(),
        response.wave_id.as_uuid(),
        at(response.receive_time) as jiff_sqlx::Timestamp,
        invited.map(|invited| invited.id) as Option<Uuid>,
        invited.map_or(0, |invited| invited.row_version),
        response.source_ref.as_deref(),
        response.household_id.map(Uuid::from) as Option<Uuid>,
        then.occupies,
        then.filled,
        then.released,
        response.stratum,
        response.device_mark.as_deref() as Option<&[u8]>,
        maybe_at(then.holds_device_since) as Option<jiff_sqlx::Timestamp>,
        response.customer_id.map(Uuid::from) as Option<Uuid>,
        response.mode.as_str(),
        response.verdict.as_str(),
        response.weight,
        Json(Body::of(response)) as _,
        texts::seal_answers(cipher, response.id.as_uuid(), &response.answers)?,
        at(response.occur_time) as jiff_sqlx::Timestamp,
        author,
        at(now) as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await;
    Ok(written)
}

/// Writes a response that was amended, compared or decided about, and keeps what it says now as a revision; false when it changed
/// meanwhile. One trip. `occupied` says whether it counted for its household before.
#[expect(clippy::too_many_arguments, reason = "one statement that writes everything that belongs together")]
pub(crate) async fn save_response(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    response: &Response,
    occupied: bool,
    then: &Consequences,
    author: &str,
    effects: &Effects,
    now: Timestamp,
) -> Result<Result<bool, sqlx::Error>> {
    let written = sqlx::query_scalar!(
        r#"WITH updated AS (
               UPDATE survey.responses SET verdict = $5, revision = $6, body = $7, texts = $8, row_version = row_version + 1
                WHERE estate_id = $1 AND id = $2 AND receive_time = $3 AND row_version = $4
            RETURNING estate_id, id, wave_id, household_id, stratum
           ), counted AS (
               INSERT INTO survey.participants (estate_id, wave_id, household_id, response_id)
               SELECT estate_id, wave_id, household_id, id FROM updated WHERE $9 AND NOT $10 AND household_id IS NOT NULL
           ), freed AS (
               DELETE FROM survey.participants p USING updated u
                WHERE $10 AND NOT $9 AND p.estate_id = u.estate_id AND p.wave_id = u.wave_id AND p.household_id = u.household_id
                  AND p.response_id = u.id
           ), cell AS (
               UPDATE survey.quota_cells q SET filled = q.filled + $11
                 FROM updated u WHERE $11 <> 0 AND q.estate_id = u.estate_id AND q.wave_id = u.wave_id AND q.stratum = u.stratum
           ), said AS (
               INSERT INTO survey.response_revisions (estate_id, response_id, revision, verdict, body, texts, author, record_time)
               SELECT estate_id, id, $6, $5, $7, $8, $12, $13 FROM updated
           )
           SELECT (SELECT survey.write_effects($14) FROM updated)::text IS NOT NULL AS "written!""#,
        response.estate_id.as_uuid(),
        response.id.as_uuid(),
        at(response.receive_time) as jiff_sqlx::Timestamp,
        response.row_version,
        response.verdict.as_str(),
        column(response.revision)?,
        Json(Body::of(response)) as _,
        texts::seal_answers(cipher, response.id.as_uuid(), &response.answers)?,
        then.occupies,
        occupied,
        then.filled,
        author,
        at(now) as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await;
    Ok(written)
}
