//! Programmes. Those without an estate are for every estate, and seen by everybody who may see programmes.

use jiff::Timestamp;
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::auth::Scope;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::at;
use super::questionnaires::CodeKey;
use crate::domain::Programme;
use crate::domain::ids::{ProgrammeId, QuestionnaireId};

/// The constraint that refuses a second programme of one code.
pub(crate) const CODE_TAKEN: &str = "programmes_code_key";

struct Row {
    body: Json<Programme>,
    row_version: i64,
    update_time: jiff_sqlx::Timestamp,
}

impl Row {
    fn read(self) -> Programme {
        Programme { row_version: self.row_version, update_time: self.update_time.to_jiff(), ..self.body.0 }
    }
}

macro_rules! select_programmes {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"SELECT body AS "body: Json<Programme>", row_version, update_time FROM survey.programmes WHERE "# + $which
            $(, $argument)*
        )
    };
}

/// Adds a programme with its effects. One trip. The inner error is raw.
pub(crate) async fn insert_programme(
    db: impl PgExecutor<'_>,
    new: &Programme,
    effects: &Effects,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH created AS (
             INSERT INTO survey.programmes (estate_id, id, code, body, questionnaire_id, row_version, create_time, update_time)
             VALUES ($1, $2, $3, $4, $5, 1, $6, $6)
          RETURNING id
         )
         SELECT (SELECT survey.write_effects($7) FROM created)::text AS effects",
        new.estate_id.map(Uuid::from),
        new.id.as_uuid(),
        new.code,
        Json(new) as _,
        new.questionnaire_id.as_uuid(),
        at(now) as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await
    .map(drop)
}

/// Writes a programme that was read with `row_version`; false when somebody was faster. One trip.
pub(crate) async fn save_programme(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    programme: &Programme,
    row_version: i64,
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"WITH updated AS (
               UPDATE survey.programmes SET body = $3, questionnaire_id = $4, update_time = $5, row_version = row_version + 1
                WHERE id = $1 AND row_version = $2 AND ($6::uuid[] IS NULL OR estate_id = ANY($6))
            RETURNING id
           )
           SELECT (SELECT survey.write_effects($7) FROM updated)::text IS NOT NULL AS "written!""#,
        programme.id.as_uuid(),
        row_version,
        Json(programme) as _,
        programme.questionnaire_id.as_uuid(),
        at(now) as jiff_sqlx::Timestamp,
        scope.estates() as Option<Vec<Uuid>>,
        effects.json(now),
    )
    .fetch_one(db)
    .await
}

/// One programme: for every estate, or of the caller's. One trip.
pub(crate) async fn load_programme(db: impl PgExecutor<'_>, scope: &Scope, id: ProgrammeId) -> Result<Programme> {
    let row = select_programmes!(
        "id = $1 AND ($2::uuid[] IS NULL OR estate_id IS NULL OR estate_id = ANY($2))",
        id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_optional(db)
    .await
    .store()?;
    Ok(row.ok_or_else(|| Error::not_found("programme", id))?.read())
}

/// Programmes that ask a questionnaire. One trip.
pub(crate) async fn list_programmes_asking(db: impl PgExecutor<'_>, questionnaire: QuestionnaireId) -> Result<Vec<Programme>> {
    let rows = select_programmes!(
        "questionnaire_id = $1 -- unscoped: a questionnaire is held against every policy it is asked under",
        questionnaire.as_uuid(),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(Row::read).collect())
}

/// Programmes by code. One trip.
pub(crate) async fn list_programmes(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    estate: Option<EstateId>,
    page: &PageRequest<CodeKey>,
) -> Result<Vec<Programme>> {
    let rows = select_programmes!(
        "($1::uuid[] IS NULL OR estate_id IS NULL OR estate_id = ANY($1)) AND ($2::uuid IS NULL OR estate_id IS NULL OR estate_id = $2)
           AND ($3::text IS NULL OR code > $3) ORDER BY code LIMIT $4",
        scope.estates() as Option<Vec<Uuid>>,
        estate.map(Uuid::from),
        page.after.as_ref().map(|key| key.0.as_str()),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(Row::read).collect())
}
