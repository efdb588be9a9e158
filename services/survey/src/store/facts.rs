//! Facts for figures: what happened in an estate between two instants, each found by the index of that instant.

use jiff::Timestamp;
use sqlx::PgPool;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::crypto::FieldCipher;
use steward_kit::ids::EstateId;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::records::{Record, Row as RecordRow};
use super::{at, code};
use crate::domain::codes::Mode;
use crate::domain::figures::Row;
use crate::domain::ids::WaveId;
use crate::domain::{Answer, Wave};

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// A wave was launched.
    Launched,
    /// Feedback was assessed.
    Assessed,
    /// The collation of feedback was due.
    CollationDue,
    /// The last measure of a plan was done.
    Implemented,
    /// The effect of a plan became known.
    Verified,
}

/// The table of a record, the instant that stands in its body, and what else must hold.
macro_rules! select_between {
    ($table:tt, $instant:tt, $also:tt, $db:expr, $estate:expr, $span:expr) => {{
        let (start, end) = $span;
        let rows = sqlx::query_as!(
            RecordRow,
            "SELECT id, body, texts, row_version, update_time FROM survey."
                + $table
                + " WHERE estate_id = $1 AND survey.instant(body ->> '"
                + $instant
                + "') >= $2 AND survey.instant(body ->> '"
                + $instant
                + "') < $3 AND "
                + $also
                + " ORDER BY survey.instant(body ->> '"
                + $instant
                + "'), id",
            $estate.as_uuid(),
            at(start) as jiff_sqlx::Timestamp,
            at(end) as jiff_sqlx::Timestamp,
        )
        .fetch_all($db)
        .await
        .store()?;
        ($table, rows)
    }};
}

/// Records of an estate that something happened to between two instants. One trip.
pub(crate) async fn list_between<R: Record>(
    db: &PgPool,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    what: Happened,
    span: (Timestamp, Timestamp),
) -> Result<Vec<R>> {
    let (table, rows) = match what {
        Happened::Launched => {
            select_between!("waves", "launch_time", "state IN ('launched', 'closed', 'archived')", db, estate, span)
        }
        Happened::Assessed => select_between!("feedback_items", "assess_time", "state <> 'new'", db, estate, span),
        Happened::CollationDue => select_between!("feedback_items", "collate_due_time", "true", db, estate, span),
        Happened::Implemented => select_between!("improvement_plans", "implement_time", "state <> 'cancelled'", db, estate, span),
        Happened::Verified => select_between!("improvement_plans", "end_time", "state = 'verified'", db, estate, span),
    };
    rows.into_iter().map(|row| row.read(cipher, table)).collect()
}

/// Rounds of interviews held in it: one a wave, and one for those of none (SV-20). One trip.
pub(crate) async fn count_interview_rounds(db: &PgPool, estate: ScopedEstate, span: (Timestamp, Timestamp)) -> Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(DISTINCT coalesce(parent_id, estate_id)) AS "count!" FROM survey.sessions
            WHERE estate_id = $1 AND state = 'held' AND body ->> 'kind' = 'interview'
              AND survey.instant(body ->> 'hold_time') >= $2 AND survey.instant(body ->> 'hold_time') < $3"#,
        estate.as_uuid(),
        at(span.0) as jiff_sqlx::Timestamp,
        at(span.1) as jiff_sqlx::Timestamp,
    )
    .fetch_one(db)
    .await
    .store()
}

/// How many waves of an estate were launched between two instants, and what they cost, in fen (SV-50). One trip.
pub(crate) async fn sum_wave_costs(db: &PgPool, estate: ScopedEstate, span: (Timestamp, Timestamp)) -> Result<(i64, i64)> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "waves!", coalesce(sum((body ->> 'cost_fen')::bigint), 0)::bigint AS "cost!" FROM survey.waves
            WHERE estate_id = $1 AND survey.instant(body ->> 'launch_time') >= $2 AND survey.instant(body ->> 'launch_time') < $3"#,
        estate.as_uuid(),
        at(span.0) as jiff_sqlx::Timestamp,
        at(span.1) as jiff_sqlx::Timestamp,
    )
    .fetch_one(db)
    .await
    .store()?;
    Ok((row.waves, row.cost))
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
        mode: String,
        design_weight: i64,
        answers: Json<Vec<Answer>>,
    }
    let rows = sqlx::query_as!(
        Found,
        r#"SELECT id, receive_time, mode, design_weight, body -> 'answers' AS "answers!: Json<Vec<Answer>>" FROM survey.responses
            WHERE estate_id = $1 AND wave_id = $2 AND verdict = 'valid' ORDER BY receive_time DESC, id DESC"#,
        wave.estate_id.as_uuid(),
        wave.id.as_uuid(),
    )
    .fetch_all(db)
    .await
    .store()?;
    let read = |row: Found| {
        let (mode, at) = (code(Mode::parse(&row.mode), "mode")?, row.receive_time.to_jiff());
        Ok(Row { id: row.id, at, mode, weight: row.design_weight, answers: row.answers.0 })
    };
    rows.into_iter().map(read).collect()
}
