//! Segments.

use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::ids::EstateId;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::word;
use crate::domain::ids::SegmentId;
use crate::domain::segment::{Segment, SegmentSubject};

struct SegmentRow {
    id: Uuid,
    estate_id: Option<Uuid>,
    name: String,
    subject: String,
    definition: Vec<u8>,
    row_version: i64,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
}

impl SegmentRow {
    fn into_segment(self) -> Result<Segment> {
        Ok(Segment {
            id: self.id.into(),
            estate_id: self.estate_id.map(EstateId::from),
            name: self.name,
            subject: word(&self.subject, SegmentSubject::parse)?,
            definition: self.definition,
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
        })
    }
}

/// Writes a new segment.
pub(crate) async fn insert_segment(pool: &PgPool, segment: &Segment, by: &str, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH created AS (
               INSERT INTO customer.segments (id, estate_id, name, subject, definition, created_by, create_time, update_time)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id)
           SELECT (SELECT count(*) FROM created) AS "written!", (SELECT customer.write_effects($8) FROM created)::text AS effects"#,
        segment.id.as_uuid(),
        segment.estate_id.map(EstateId::as_uuid),
        segment.name,
        segment.subject.as_str(),
        segment.definition,
        by,
        segment.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// Writes a segment over the version before.
pub(crate) async fn update_segment(pool: &PgPool, segment: &Segment, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH updated AS (
               UPDATE customer.segments s SET name = $3, definition = $4, update_time = $5, row_version = $2
                WHERE s.id = $1 AND s.row_version = $2::bigint - 1 RETURNING s.id)
           SELECT (SELECT count(*) FROM updated) AS "written!", (SELECT customer.write_effects($6) FROM updated)::text AS effects
           -- unscoped: guarded by the version of a row that was loaded through its scope"#,
        segment.id.as_uuid(),
        segment.row_version,
        segment.name,
        segment.definition,
        segment.update_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// One segment of the scope; those of the whole group are everybody's to read.
pub(crate) async fn find_segment(pool: &PgPool, scope: &Scope, id: SegmentId) -> Result<Option<Segment>> {
    sqlx::query_as!(
        SegmentRow,
        "SELECT s.id, s.estate_id, s.name, s.subject, s.definition, s.row_version, s.create_time, s.update_time
           FROM customer.segments s
          WHERE s.id = $1 AND (s.estate_id IS NULL OR $2::uuid[] IS NULL OR s.estate_id = ANY ($2))",
        id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_optional(pool)
    .await
    .store()?
    .map(SegmentRow::into_segment)
    .transpose()
}

/// Segments of the scope, newest first.
pub(crate) async fn list_segments(
    pool: &PgPool,
    scope: &Scope,
    estate: Option<EstateId>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Segment>> {
    sqlx::query_as!(
        SegmentRow,
        "SELECT s.id, s.estate_id, s.name, s.subject, s.definition, s.row_version, s.create_time, s.update_time
           FROM customer.segments s
          WHERE (s.estate_id IS NULL OR $1::uuid[] IS NULL OR s.estate_id = ANY ($1)) AND ($2::uuid IS NULL OR s.estate_id = $2)
            AND ($3::uuid IS NULL OR s.id < $3) ORDER BY s.id DESC LIMIT $4",
        scope.estates() as Option<Vec<Uuid>>,
        estate.map(EstateId::as_uuid),
        before,
        limit,
    )
    .fetch_all(pool)
    .await
    .store()?
    .into_iter()
    .map(SegmentRow::into_segment)
    .collect()
}
