//! Tags and the versions of their rules. They hold in every estate.

use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::word;
use crate::domain::ids::TagId;
use crate::domain::segment::{Tag, TagState};

struct TagRow {
    id: Uuid,
    code: String,
    name_zh: String,
    name_en: String,
    state: String,
    version: i32,
    predicate: Vec<u8>,
    row_version: i64,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
}

impl TagRow {
    fn into_tag(self) -> Result<Tag> {
        Ok(Tag {
            id: self.id.into(),
            code: self.code,
            name_zh: self.name_zh,
            name_en: self.name_en,
            state: word(&self.state, TagState::parse)?,
            version: self.version,
            predicate: self.predicate,
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
        })
    }
}

/// Writes a new tag; every estate derives its facts again.
pub(crate) async fn insert_tag(pool: &PgPool, tag: &Tag, by: &str, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH created AS (
               INSERT INTO customer.tags (id, code, name_zh, name_en, state, version, create_time, update_time)
               VALUES ($1, $2, $3, $4, $5, $6, $9, $9) RETURNING id, version
           ), ruled AS (
               INSERT INTO customer.tag_versions (tag_id, version, predicate, created_by, create_time)
               SELECT c.id, c.version, $7, $8, $9 FROM created c
           ), due AS (
               UPDATE customer.fact_days SET is_due = true WHERE EXISTS (SELECT FROM created))
           SELECT (SELECT count(*) FROM created) AS "written!", (SELECT customer.write_effects($10) FROM created)::text AS effects
           -- unscoped: a tag holds in every estate"#,
        tag.id.as_uuid(),
        tag.code,
        tag.name_zh,
        tag.name_en,
        tag.state.as_str(),
        tag.version,
        tag.predicate,
        by,
        tag.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// Writes a tag over the version before, and its rule if that is new; every estate derives its facts again.
pub(crate) async fn update_tag(pool: &PgPool, tag: &Tag, by: &str, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH updated AS (
               UPDATE customer.tags t
                  SET name_zh = $3, name_en = $4, state = $5, version = $6, update_time = $9, row_version = $2
                WHERE t.id = $1 AND t.row_version = $2::bigint - 1 RETURNING t.id, t.version
           ), ruled AS (
               INSERT INTO customer.tag_versions (tag_id, version, predicate, created_by, create_time)
               SELECT u.id, u.version, $7, $8, $9 FROM updated u
               ON CONFLICT ON CONSTRAINT tag_versions_pkey DO NOTHING
           ), due AS (
               UPDATE customer.fact_days SET is_due = true WHERE EXISTS (SELECT FROM updated))
           SELECT (SELECT count(*) FROM updated) AS "written!", (SELECT customer.write_effects($10) FROM updated)::text AS effects
           -- unscoped: a tag holds in every estate"#,
        tag.id.as_uuid(),
        tag.row_version,
        tag.name_zh,
        tag.name_en,
        tag.state.as_str(),
        tag.version,
        tag.predicate,
        by,
        tag.update_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// One tag.
pub(crate) async fn find_tag(pool: &PgPool, id: TagId) -> Result<Option<Tag>> {
    sqlx::query_as!(
        TagRow,
        "SELECT t.id, t.code, t.name_zh, t.name_en, t.state, t.version, v.predicate, t.row_version, t.create_time, t.update_time
           FROM customer.tags t JOIN customer.tag_versions v ON v.tag_id = t.id AND v.version = t.version WHERE t.id = $1
          -- unscoped: a tag holds in every estate",
        id.as_uuid(),
    )
    .fetch_optional(pool)
    .await
    .store()?
    .map(TagRow::into_tag)
    .transpose()
}

/// Tags by code.
pub(crate) async fn list_tags(pool: &PgPool, state: Option<TagState>, after: Option<&str>, limit: i64) -> Result<Vec<Tag>> {
    sqlx::query_as!(
        TagRow,
        r#"SELECT t.id, t.code, t.name_zh, t.name_en, t.state, t.version, v.predicate, t.row_version, t.create_time, t.update_time
             FROM customer.tags t JOIN customer.tag_versions v ON v.tag_id = t.id AND v.version = t.version
            WHERE ($1::text IS NULL OR t.state = $1) AND ($2::text IS NULL OR t.code COLLATE "C" > $2)
            ORDER BY t.code COLLATE "C" LIMIT $3
            -- unscoped: a tag holds in every estate"#,
        state.map(TagState::as_str),
        after,
        limit,
    )
    .fetch_all(pool)
    .await
    .store()?
    .into_iter()
    .map(TagRow::into_tag)
    .collect()
}
