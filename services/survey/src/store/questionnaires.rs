//! Instruments. They belong to the whole group, not to an estate.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::{at, code, column, count};
use crate::domain::codes::{Actor, ActorKind};
use crate::domain::ids::{QuestionnaireId, QuestionnaireVersionId};
use crate::domain::{Comparison, Questionnaire, QuestionnaireVersion};

/// The constraint that refuses a second questionnaire of one code.
pub(crate) const CODE_TAKEN: &str = "questionnaires_code_key";

/// Place of a questionnaire in the list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CodeKey(pub(crate) String);

struct Row {
    id: Uuid,
    code: String,
    draft: Vec<u8>,
    version_count: i32,
    latest_version_id: Option<Uuid>,
    row_version: i64,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
}

impl Row {
    fn read(self) -> Result<Questionnaire> {
        Ok(Questionnaire {
            id: self.id.into(),
            code: self.code,
            draft: self.draft,
            version_count: count(self.version_count)?,
            latest_version_id: self.latest_version_id.map(Into::into),
            create_time: self.create_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
            row_version: self.row_version,
        })
    }
}

struct VersionRow {
    id: Uuid,
    questionnaire_id: Uuid,
    code: String,
    version: i32,
    content: Vec<u8>,
    content_sha256: Vec<u8>,
    comparisons: Json<Vec<Comparison>>,
    publisher_kind: String,
    publisher_subject: String,
    publish_time: jiff_sqlx::Timestamp,
}

impl VersionRow {
    fn read(self) -> Result<QuestionnaireVersion> {
        Ok(QuestionnaireVersion {
            id: self.id.into(),
            questionnaire_id: self.questionnaire_id.into(),
            code: self.code,
            version: count(self.version)?,
            sha256: self.content_sha256.as_slice().try_into().map_err(Error::internal)?,
            content: self.content,
            comparisons: self.comparisons.0,
            publisher: Actor::new(code(ActorKind::parse(&self.publisher_kind), "publisher_kind")?, self.publisher_subject),
            publish_time: self.publish_time.to_jiff(),
        })
    }
}

macro_rules! select_versions {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            VersionRow,
            r#"SELECT v.id, v.questionnaire_id, q.code, v.version, v.content, v.content_sha256,
                      v.comparisons AS "comparisons: Json<Vec<Comparison>>", v.publisher_kind, v.publisher_subject, v.publish_time
                 FROM survey.questionnaire_versions v JOIN survey.questionnaires q ON q.id = v.questionnaire_id "# + $which
                + " -- unscoped: instruments belong to the whole group"
            $(, $argument)*
        )
    };
}

/// Adds a questionnaire with its effects. One trip. The inner error is raw.
pub(crate) async fn insert_questionnaire(
    db: impl PgExecutor<'_>,
    new: &Questionnaire,
    effects: &Effects,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH created AS (
             INSERT INTO survey.questionnaires (id, code, draft, version_count, latest_version_id, row_version, create_time, update_time)
             VALUES ($1, $2, $3, 0, NULL, 1, $4, $4)
          RETURNING id
         )
         SELECT (SELECT survey.write_effects($5) FROM created)::text AS effects
         -- unscoped: instruments belong to the whole group",
        new.id.as_uuid(),
        new.code,
        new.draft,
        at(now) as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await
    .map(drop)
}

/// Replaces a draft that was read with `row_version`; false when somebody was faster. One trip.
pub(crate) async fn save_draft(
    db: impl PgExecutor<'_>,
    questionnaire: &Questionnaire,
    row_version: i64,
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"WITH updated AS (
               UPDATE survey.questionnaires SET draft = $3, update_time = $4, row_version = row_version + 1
                WHERE id = $1 AND row_version = $2
            RETURNING id
           )
           SELECT (SELECT survey.write_effects($5) FROM updated)::text IS NOT NULL AS "written!"
           -- unscoped: instruments belong to the whole group"#,
        questionnaire.id.as_uuid(),
        row_version,
        questionnaire.draft,
        at(now) as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await
}

/// Freezes a draft that was read with `row_version` as a version; false when somebody was faster. One trip.
pub(crate) async fn insert_version(
    db: impl PgExecutor<'_>,
    version: &QuestionnaireVersion,
    row_version: i64,
    effects: &Effects,
    now: Timestamp,
) -> Result<Result<bool, sqlx::Error>> {
    let written = sqlx::query_scalar!(
        r#"WITH updated AS (
               UPDATE survey.questionnaires
                  SET version_count = $4, latest_version_id = $3, update_time = $10, row_version = row_version + 1
                WHERE id = $1 AND row_version = $2
            RETURNING id
           ), version AS (
               INSERT INTO survey.questionnaire_versions (id, questionnaire_id, version, content, content_sha256, comparisons,
                   publisher_kind, publisher_subject, publish_time)
               SELECT $3, id, $4, $5, $6, $7, $8, $9, $10 FROM updated
           )
           SELECT (SELECT survey.write_effects($11) FROM updated)::text IS NOT NULL AS "written!"
           -- unscoped: instruments belong to the whole group"#,
        version.questionnaire_id.as_uuid(),
        row_version,
        version.id.as_uuid(),
        column(version.version)?,
        version.content,
        version.sha256.as_slice(),
        Json(&version.comparisons) as _,
        version.publisher.kind.as_str(),
        version.publisher.subject,
        at(now) as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await;
    Ok(written)
}

/// One questionnaire. One trip.
pub(crate) async fn load_questionnaire(db: impl PgExecutor<'_>, id: QuestionnaireId) -> Result<Questionnaire> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, code, draft, version_count, latest_version_id, row_version, create_time, update_time
           FROM survey.questionnaires WHERE id = $1 -- unscoped: instruments belong to the whole group",
        id.as_uuid(),
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.ok_or_else(|| Error::not_found("questionnaire", id))?.read()
}

/// The questionnaire of a code. One trip.
pub(crate) async fn load_questionnaire_by_code(db: impl PgExecutor<'_>, code: &str) -> Result<Questionnaire> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, code, draft, version_count, latest_version_id, row_version, create_time, update_time
           FROM survey.questionnaires WHERE code = $1 -- unscoped: instruments belong to the whole group",
        code,
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.ok_or_else(|| Error::not_found("questionnaire", code))?.read()
}

/// Questionnaires by code. One trip.
pub(crate) async fn list_questionnaires(db: impl PgExecutor<'_>, page: &PageRequest<CodeKey>) -> Result<Vec<Questionnaire>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, code, draft, version_count, latest_version_id, row_version, create_time, update_time
           FROM survey.questionnaires WHERE $1::text IS NULL OR code > $1 ORDER BY code LIMIT $2
         -- unscoped: instruments belong to the whole group",
        page.after.as_ref().map(|key| key.0.as_str()),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(Row::read).collect()
}

/// One version. One trip.
pub(crate) async fn load_version(db: impl PgExecutor<'_>, id: QuestionnaireVersionId) -> Result<QuestionnaireVersion> {
    let row = select_versions!("WHERE v.id = $1", id.as_uuid()).fetch_optional(db).await.store()?;
    row.ok_or_else(|| Error::not_found("questionnaire version", id))?.read()
}

/// Versions by their ids; those that there are. One trip.
pub(crate) async fn load_versions(db: impl PgExecutor<'_>, ids: &[Uuid]) -> Result<Vec<QuestionnaireVersion>> {
    let rows = select_versions!("WHERE v.id = ANY($1)", ids).fetch_all(db).await.store()?;
    rows.into_iter().map(VersionRow::read).collect()
}

/// The version of a questionnaire that has this content. One trip.
pub(crate) async fn find_version(db: impl PgExecutor<'_>, of: QuestionnaireId, sha256: &[u8; 32]) -> Result<Option<QuestionnaireVersion>> {
    let row = select_versions!("WHERE v.questionnaire_id = $1 AND v.content_sha256 = $2", of.as_uuid(), sha256.as_slice())
        .fetch_optional(db)
        .await
        .store()?;
    row.map(VersionRow::read).transpose()
}

/// Versions of a questionnaire, newest first. One trip.
pub(crate) async fn list_versions(
    db: impl PgExecutor<'_>,
    of: QuestionnaireId,
    page: &PageRequest<u32>,
) -> Result<Vec<QuestionnaireVersion>> {
    let rows = select_versions!(
        "WHERE v.questionnaire_id = $1 AND ($2::integer IS NULL OR v.version < $2) ORDER BY v.version DESC LIMIT $3",
        of.as_uuid(),
        page.after.map(column).transpose()?,
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(VersionRow::read).collect()
}
