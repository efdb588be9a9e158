//! Measured effects of programmes.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::EstateId;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use crate::domain::ids::ProgrammeId;
use crate::domain::lift::Evaluation;

/// A recorded effect.
#[derive(Clone, Debug)]
pub(crate) struct StoredEvaluation {
    pub(crate) id: Uuid,
    pub(crate) estate_id: EstateId,
    pub(crate) evaluation: Evaluation,
    pub(crate) create_time: Timestamp,
}

/// Adds an effect. One trip. The error is raw: it tells a repeated request.
pub(crate) async fn insert_evaluation(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    programme: ProgrammeId,
    new: &StoredEvaluation,
    effects: &Effects,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"WITH created AS (
               INSERT INTO care.programme_evaluations (estate_id, id, programme_id, metric_id, document, create_time)
               VALUES ($1, $2, $3, $4, $5, $6) RETURNING id
           )
           SELECT (SELECT care.write_effects($7) FROM created)::text AS effects"#,
        estate.as_uuid(),
        new.id,
        programme.as_uuid(),
        new.evaluation.metric_id,
        Json(&new.evaluation) as _,
        new.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(new.create_time),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// The effects recorded of a programme in an estate, oldest first; the last hundred. One trip.
pub(crate) async fn list_evaluations(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    programme: ProgrammeId,
) -> Result<Vec<StoredEvaluation>> {
    let rows = sqlx::query!(
        r#"SELECT id, document AS "document: Json<Evaluation>", create_time FROM care.programme_evaluations
            WHERE estate_id = $1 AND programme_id = $2 ORDER BY create_time, id LIMIT 100"#,
        estate.as_uuid(),
        programme.as_uuid(),
    )
    .fetch_all(db)
    .await
    .store()?;
    let read = rows.into_iter().map(|row| StoredEvaluation {
        id: row.id,
        estate_id: estate.id(),
        evaluation: row.document.0,
        create_time: row.create_time.to_jiff(),
    });
    Ok(read.collect())
}
