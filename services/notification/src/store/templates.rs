//! Template versions. They belong to the whole group, not to an estate.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::code;
use crate::domain::codes::{Actor, ActorKind, Class, TemplateState};
use crate::domain::ids::TemplateVersionId;
use crate::domain::template::{TemplateText, TemplateVersion, Variable};

/// Place of a version in every list: by key, newest version first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TemplateKey {
    key: String,
    version: i32,
}

impl TemplateKey {
    /// The place of a version.
    pub(crate) fn of(version: &TemplateVersion) -> Self {
        Self { key: version.key.clone(), version: version.version }
    }
}

struct TemplateRow {
    id: Uuid,
    key: String,
    version: i32,
    message_class: String,
    state: String,
    texts: Json<Vec<TemplateText>>,
    variables: Json<Vec<Variable>>,
    author_kind: String,
    author_subject: String,
    approver_kind: Option<String>,
    approver_subject: Option<String>,
    row_version: i64,
    create_time: jiff_sqlx::Timestamp,
    activate_time: Option<jiff_sqlx::Timestamp>,
}

impl TemplateRow {
    fn read(self) -> Result<TemplateVersion> {
        let approver = match self.approver_kind.zip(self.approver_subject) {
            Some((kind, subject)) => Some(Actor { kind: code(ActorKind::parse(&kind), "approver_kind")?, subject }),
            None => None,
        };
        Ok(TemplateVersion {
            id: self.id.into(),
            key: self.key,
            version: self.version,
            class: code(Class::parse(&self.message_class), "message_class")?,
            state: code(TemplateState::parse(&self.state), "state")?,
            texts: self.texts.0,
            variables: self.variables.0,
            author: Actor { kind: code(ActorKind::parse(&self.author_kind), "author_kind")?, subject: self.author_subject },
            approver,
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
            activate_time: self.activate_time.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// `SELECT` of whole versions; the text says which ones.
macro_rules! select_templates {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            TemplateRow,
            r#"SELECT id, key, version, message_class, state, texts AS "texts: Json<Vec<TemplateText>>",
                      variables AS "variables: Json<Vec<Variable>>", author_kind, author_subject, approver_kind, approver_subject,
                      row_version, create_time, activate_time
                 FROM notification.template_versions"# + $which + " -- unscoped: templates belong to the whole group"
            $(, $argument)*
        )
    };
}

/// The next version number of a key. One trip; the unique key decides between two who ask at once.
pub(crate) async fn next_version(db: impl PgExecutor<'_>, key: &str) -> Result<i32> {
    let row = sqlx::query!(
        r#"SELECT coalesce(max(version), 0) + 1 AS "next!" FROM notification.template_versions WHERE key = $1
           -- unscoped: templates belong to the whole group"#,
        key
    )
    .fetch_one(db)
    .await
    .store()?;
    Ok(row.next)
}

/// Adds a version with its effects. One trip. False when another writer took the number.
pub(crate) async fn insert_version(
    db: impl PgExecutor<'_>,
    version: &TemplateVersion,
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let row = sqlx::query!(
        r#"WITH created AS (
               INSERT INTO notification.template_versions (id, key, version, message_class, state, texts, variables, author_kind,
                   author_subject, approver_kind, approver_subject, row_version, create_time, activate_time)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13)
               ON CONFLICT ON CONSTRAINT template_versions_key_version_key DO NOTHING
            RETURNING id
           )
           SELECT (SELECT count(*) FROM created) AS "created!", (SELECT notification.write_effects($14) FROM created)::text AS effects
           -- unscoped: templates belong to the whole group"#,
        version.id.as_uuid(),
        version.key,
        version.version,
        version.class.as_str(),
        version.state.as_str(),
        Json(&version.texts) as _,
        Json(&version.variables) as _,
        version.author.kind.as_str(),
        version.author.subject,
        version.approver.as_ref().map(|actor| actor.kind.as_str()),
        version.approver.as_ref().map(|actor| actor.subject.as_str()),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        version.activate_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(row.created == 1)
}

/// Makes a version the one that sends and retires the one before, with the effects; false when somebody else was faster.
/// One trip. The count of the retired makes Postgres retire before it activates: at most one may be active.
pub(crate) async fn activate_version(
    db: impl PgExecutor<'_>,
    version: &TemplateVersion,
    before: i64,
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let row = sqlx::query!(
        r#"WITH chosen AS (
               SELECT id, key FROM notification.template_versions WHERE id = $1 AND row_version = $2 FOR UPDATE
           ), retired AS (
               UPDATE notification.template_versions t SET state = 'retired', row_version = t.row_version + 1
                 FROM chosen c WHERE t.key = c.key AND t.id <> c.id AND t.state = 'active'
            RETURNING t.id
           ), activated AS (
               UPDATE notification.template_versions t
                  SET state = 'active', approver_kind = $3, approver_subject = $4, activate_time = $5, row_version = t.row_version + 1
                 FROM chosen c WHERE t.id = c.id AND (SELECT count(*) FROM retired) >= 0
            RETURNING t.id
           )
           SELECT (SELECT count(*) FROM activated) AS "activated!", (SELECT notification.write_effects($6) FROM activated)::text AS effects
           -- unscoped: templates belong to the whole group"#,
        version.id.as_uuid(),
        before,
        version.approver.as_ref().map(|actor| actor.kind.as_str()),
        version.approver.as_ref().map(|actor| actor.subject.as_str()),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(row.activated == 1)
}

/// One version. One trip.
pub(crate) async fn load_version(db: impl PgExecutor<'_>, id: TemplateVersionId) -> Result<TemplateVersion> {
    let row = select_templates!(" WHERE id = $1", id.as_uuid()).fetch_optional(db).await.store()?;
    row.ok_or_else(|| Error::not_found("template version", id))?.read()
}

/// The active versions of these keys. One trip.
pub(crate) async fn load_active(db: impl PgExecutor<'_>, keys: &[String]) -> Result<Vec<TemplateVersion>> {
    let rows = select_templates!(" WHERE key = ANY($1) AND state = 'active'", keys).fetch_all(db).await.store()?;
    rows.into_iter().map(TemplateRow::read).collect()
}

/// A page of versions. One trip.
pub(crate) async fn list_versions(
    db: impl PgExecutor<'_>,
    key: Option<&str>,
    state: Option<TemplateState>,
    page: &PageRequest<TemplateKey>,
) -> Result<Vec<TemplateVersion>> {
    let (after_key, after_version) = page.after.as_ref().map(|place| (place.key.as_str(), place.version)).unzip();
    let rows = select_templates!(
        " WHERE ($1::text IS NULL OR key = $1) AND ($2::text IS NULL OR state = $2)
            AND ($3::text IS NULL OR key > $3 OR key = $3 AND version < $4::integer)
          ORDER BY key, version DESC LIMIT $5",
        key,
        state.map(|state| state.as_str()),
        after_key,
        after_version,
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(TemplateRow::read).collect()
}
