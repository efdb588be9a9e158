//! Imports and the parts of their files.

use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool};
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::word;
use crate::domain::estate_import::{EstateImport, ImportState, Progress};
use crate::domain::ids::EstateImportId;

struct ImportRow {
    id: Uuid,
    estate_id: Uuid,
    file_name: String,
    size_bytes: i64,
    received_bytes: i64,
    sha256: Vec<u8>,
    data_key: Option<Vec<u8>>,
    state: String,
    paused_state: Option<String>,
    row_count: i32,
    planned_count: i32,
    applied_count: i32,
    create_count: i32,
    update_count: i32,
    unchanged_count: i32,
    refused_count: i32,
    ignored_columns: Vec<String>,
    failure_code: String,
    failure_detail: String,
    created_by: String,
    row_version: i64,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
    end_time: Option<jiff_sqlx::Timestamp>,
}

impl ImportRow {
    fn into_import(self) -> Result<EstateImport> {
        Ok(EstateImport {
            id: self.id.into(),
            estate_id: self.estate_id.into(),
            file_name: self.file_name,
            size_bytes: self.size_bytes,
            received_bytes: self.received_bytes,
            sha256: self.sha256,
            data_key: self.data_key,
            state: word(&self.state, ImportState::parse)?,
            paused_state: self.paused_state.map(|state| word(&state, ImportState::parse)).transpose()?,
            progress: Progress {
                row_count: self.row_count,
                planned_count: self.planned_count,
                applied_count: self.applied_count,
                create_count: self.create_count,
                update_count: self.update_count,
                unchanged_count: self.unchanged_count,
                refused_count: self.refused_count,
            },
            ignored_columns: self.ignored_columns,
            failure_code: self.failure_code,
            failure_detail: self.failure_detail,
            created_by: self.created_by,
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
            end_time: self.end_time.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

macro_rules! select_imports {
    ($tail:tt $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            ImportRow,
            "SELECT id, estate_id, file_name, size_bytes, received_bytes, sha256, data_key, state, paused_state, row_count, planned_count,
                    applied_count, create_count, update_count, unchanged_count, refused_count, ignored_columns, failure_code,
                    failure_detail, created_by, row_version, create_time, update_time, end_time
               FROM customer.estate_imports " + $tail
            $(, $arg)*
        )
    };
}

/// Where a page of imports ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ImportCursor(pub(crate) Uuid);

/// A part of the file, sealed.
#[derive(Debug)]
pub(crate) struct SealedPart {
    pub(crate) offset_bytes: i64,
    pub(crate) length_bytes: i32,
    pub(crate) data: Vec<u8>,
}

/// Writes a new import and its effects.
pub(crate) async fn insert_import(pool: &PgPool, estate: ScopedEstate, import: &EstateImport, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH created AS (
               INSERT INTO customer.estate_imports
                   (id, estate_id, file_name, size_bytes, sha256, data_key, created_by, create_time, update_time)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id)
           SELECT (SELECT count(*) FROM created) AS "written!",
                  (SELECT customer.write_effects($9) FROM created)::text AS effects"#,
        import.id.as_uuid(),
        estate.as_uuid(),
        import.file_name,
        import.size_bytes,
        import.sha256,
        import.data_key,
        import.created_by,
        import.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// Writes an import over the version before it, with a part of its file, and its effects. The parts of an import that
/// has ended are deleted in the same statement.
pub(crate) async fn update_import(
    executor: impl PgExecutor<'_>,
    import: &EstateImport,
    part: Option<&SealedPart>,
    effects: Value,
) -> sqlx::Result<bool> {
    let progress = import.progress;
    let row = sqlx::query!(
        r#"WITH updated AS (
               UPDATE customer.estate_imports
                  SET received_bytes = $3, data_key = $4, state = $5, row_count = $6, planned_count = $7, applied_count = $8,
                      create_count = $9, update_count = $10, unchanged_count = $11, refused_count = $12, ignored_columns = $13,
                      failure_code = $14, failure_detail = $15, update_time = $16, end_time = $17, paused_state = $22, row_version = $2
                WHERE id = $1 AND row_version = $2::bigint - 1 RETURNING id, end_time, received_bytes
           ), part AS (
               INSERT INTO customer.estate_import_parts (import_id, offset_bytes, length_bytes, data)
               SELECT id, $18, $19, $20 FROM updated WHERE $18::bigint IS NOT NULL
           ), forgotten AS (
               DELETE FROM customer.estate_import_parts p USING updated u
                WHERE p.import_id = u.id AND (u.end_time IS NOT NULL OR u.received_bytes = 0)
           )
           SELECT (SELECT count(*) FROM updated) AS "written!",
                  (SELECT customer.write_effects($21) FROM updated)::text AS effects
                  -- unscoped: guarded by the version of a row that was loaded through its scope"#,
        import.id.as_uuid(),
        import.row_version,
        import.received_bytes,
        import.data_key,
        import.state.as_str(),
        progress.row_count,
        progress.planned_count,
        progress.applied_count,
        progress.create_count,
        progress.update_count,
        progress.unchanged_count,
        progress.refused_count,
        &import.ignored_columns,
        import.failure_code,
        import.failure_detail,
        import.update_time.to_sqlx() as jiff_sqlx::Timestamp,
        import.end_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        part.map(|part| part.offset_bytes),
        part.map(|part| part.length_bytes),
        part.map(|part| part.data.as_slice()),
        effects,
        import.paused_state.map(ImportState::as_str),
    )
    .fetch_one(executor)
    .await?;
    Ok(row.written > 0)
}

/// One import of the scope.
pub(crate) async fn find_import(pool: &PgPool, scope: &Scope, id: EstateImportId) -> Result<Option<EstateImport>> {
    select_imports!("WHERE id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY ($2))", id.as_uuid(), scope.estates() as Option<Vec<Uuid>>,)
        .fetch_optional(pool)
        .await
        .store()?
        .map(ImportRow::into_import)
        .transpose()
}

/// Locks imports in one order, before their timers are touched.
pub(crate) async fn lock_imports(tx: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "SELECT id FROM customer.estate_imports WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
             -- unscoped: locks rows of timers, on nobody's behalf",
        ids
    )
    .fetch_all(tx)
    .await
    .store()?;
    Ok(())
}

/// One import, locked for the job that goes on with it.
pub(crate) async fn lock_import(tx: &mut PgConnection, scope: &Scope, id: EstateImportId) -> Result<Option<EstateImport>> {
    select_imports!(
        "WHERE id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY ($2)) FOR NO KEY UPDATE",
        id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_optional(tx)
    .await
    .store()?
    .map(ImportRow::into_import)
    .transpose()
}

/// Imports of an estate, newest first.
pub(crate) async fn list_imports(
    pool: &PgPool,
    estate: ScopedEstate,
    state: Option<ImportState>,
    page: &PageRequest<ImportCursor>,
) -> Result<Vec<EstateImport>> {
    select_imports!(
        "WHERE estate_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
        estate.as_uuid(),
        state.map(ImportState::as_str),
        page.after.as_ref().map(|after| after.0),
        page.size.limit(),
    )
    .fetch_all(pool)
    .await
    .store()?
    .into_iter()
    .map(ImportRow::into_import)
    .collect()
}

/// The parts of an import's file in their order.
pub(crate) async fn read_parts(executor: impl PgExecutor<'_>, id: EstateImportId) -> Result<Vec<SealedPart>> {
    sqlx::query_as!(
        SealedPart,
        "SELECT offset_bytes, length_bytes, data FROM customer.estate_import_parts WHERE import_id = $1 ORDER BY offset_bytes
             -- unscoped: the import was loaded through its scope",
        id.as_uuid(),
    )
    .fetch_all(executor)
    .await
    .store()
}
