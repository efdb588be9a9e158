//! Facts for figures: what happened in an estate between two instants.

use jiff::Timestamp;
use sqlx::PgPool;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::crypto::FieldCipher;
use steward_kit::ids::EstateId;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::at;
use super::records::Row as RecordRow;
use crate::domain::figures::Row;
use crate::domain::ids::WaveId;
use crate::domain::{Answer, FeedbackItem, ImprovementPlan, Wave};

/// `SELECT` of whole records of an estate with an instant of theirs in a stretch of time.
macro_rules! select_between {
    ($table:tt, $instant:tt, $also:tt, $db:expr, $cipher:expr, $estate:expr, $start:expr, $end:expr) => {{
        let rows = sqlx::query_as!(
            RecordRow,
            "SELECT id, body, texts, row_version, update_time FROM survey."
                + $table
                + " WHERE estate_id = $1
                AND (body ->> '"
                + $instant
                + "')::timestamptz >= $2 AND (body ->> '"
                + $instant
                + "')::timestamptz < $3 AND "
                + $also
                + " ORDER BY sort_time, id",
            $estate.as_uuid(),
            at($start) as jiff_sqlx::Timestamp,
            at($end) as jiff_sqlx::Timestamp,
        )
        .fetch_all($db)
        .await
        .store()?;
        rows.into_iter().map(|row| row.read($cipher, $table)).collect()
    }};
}

/// Waves launched in it. One trip.
pub(crate) async fn list_launched_waves(
    db: &PgPool,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<Wave>> {
    select_between!("waves", "launch_time", "state IN ('launched', 'closed', 'archived')", db, cipher, estate, start, end)
}

/// Feedback assessed in it. One trip.
pub(crate) async fn list_assessed(
    db: &PgPool,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<FeedbackItem>> {
    select_between!("feedback_items", "assess_time", "state <> 'new'", db, cipher, estate, start, end)
}

/// Feedback whose collation was due in it. One trip.
pub(crate) async fn list_collating(
    db: &PgPool,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<FeedbackItem>> {
    select_between!("feedback_items", "collate_due_time", "true", db, cipher, estate, start, end)
}

/// Plans whose last measure was done in it. One trip.
pub(crate) async fn list_implemented(
    db: &PgPool,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<ImprovementPlan>> {
    select_between!("improvement_plans", "implement_time", "state <> 'cancelled'", db, cipher, estate, start, end)
}

/// Plans whose effect became known in it. One trip.
pub(crate) async fn list_verified(
    db: &PgPool,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<ImprovementPlan>> {
    select_between!("improvement_plans", "end_time", "state = 'verified'", db, cipher, estate, start, end)
}

/// Rounds of interviews held in it: one a wave, and one for those of none (SV-20). One trip.
pub(crate) async fn count_interview_rounds(db: &PgPool, estate: ScopedEstate, start: Timestamp, end: Timestamp) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(DISTINCT coalesce(parent_id, estate_id)) AS "count!" FROM survey.sessions
            WHERE estate_id = $1 AND state = 'held' AND body ->> 'kind' = 'interview'
              AND (body ->> 'hold_time')::timestamptz >= $2 AND (body ->> 'hold_time')::timestamptz < $3"#,
        estate.as_uuid(),
        at(start) as jiff_sqlx::Timestamp,
        at(end) as jiff_sqlx::Timestamp,
    )
    .fetch_one(db)
    .await
    .store()?;
    Ok(count)
}

/// A wave of an estate, if it is there. One trip.
pub(crate) async fn load_wave(db: &PgPool, cipher: &FieldCipher, estate: EstateId, id: WaveId) -> Result<Option<Wave>> {
    let row = sqlx::query_as!(
        RecordRow,
        "SELECT id, body, texts, row_version, update_time FROM survey.waves WHERE estate_id = $1 AND id = $2",
        estate.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.map(|row| row.read(cipher, "waves")).transpose()
}

/// The valid responses of a wave, without what was written freely. One trip.
pub(crate) async fn list_rows(db: &PgPool, wave: &Wave) -> Result<Vec<Row>> {
    struct Found {
        id: Uuid,
        receive_time: jiff_sqlx::Timestamp,
        design_weight: i64,
        answers: Json<Vec<Answer>>,
    }
    let rows = sqlx::query_as!(
        Found,
        r#"SELECT id, receive_time, design_weight, body -> 'answers' AS "answers!: Json<Vec<Answer>>" FROM survey.responses
            WHERE estate_id = $1 AND wave_id = $2 AND verdict = 'valid' ORDER BY receive_time, id"#,
        wave.estate_id.as_uuid(),
        wave.id.as_uuid(),
    )
    .fetch_all(db)
    .await
    .store()?;
    let read = |row: Found| Row { id: row.id, at: row.receive_time.to_jiff(), weight: row.design_weight, answers: row.answers.0 };
    Ok(rows.into_iter().map(read).collect())
}
