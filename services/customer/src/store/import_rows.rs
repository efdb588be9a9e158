//! The verdicts on an import's rows.

use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use steward_kit::ids::{CustomerId, UnitId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::word;
use crate::domain::estate_import::{ImportRow, RowAction};
use crate::domain::ids::EstateImportId;
use crate::domain::register_file::Problem;

/// Writes verdicts that are new.
pub(crate) async fn insert_rows(tx: &mut PgConnection, import: EstateImportId, rows: &[ImportRow]) -> Result<()> {
    let problems = rows.iter().map(|row| serde_json::to_value(&row.problems)).collect::<Result<Vec<_>, _>>();
    sqlx::query!(
        "INSERT INTO customer.estate_import_rows (import_id, line, action, unit_full_code, problems, unit_id, customer_id)
         SELECT $1, r.* FROM unnest($2::integer[], $3::text[], $4::text[], $5::jsonb[], $6::uuid[], $7::uuid[]) AS r",
        import.as_uuid(),
        &lines(rows)?,
        &rows.iter().map(|row| row.action.as_str().to_owned()).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.unit_full_code.clone()).collect::<Vec<_>>(),
        &problems.map_err(Error::internal)?,
        &rows.iter().map(|row| row.unit_id.map(UnitId::as_uuid)).collect::<Vec<_>>() as &[Option<Uuid>],
        &rows.iter().map(|row| row.customer_id.map(CustomerId::as_uuid)).collect::<Vec<_>>() as &[Option<Uuid>],
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// Writes what applying made of rows. A row that the register has come to forbid since it was planned is refused now.
pub(crate) async fn settle_rows(tx: &mut PgConnection, import: EstateImportId, rows: &[ImportRow]) -> Result<()> {
    let problems = rows.iter().map(|row| serde_json::to_value(&row.problems)).collect::<Result<Vec<_>, _>>();
    let lines = lines(rows)?;
    // The stretch of lines keeps the batch from reading the whole import, whatever the planner knows of a table that is growing.
    sqlx::query!(
        "UPDATE customer.estate_import_rows r
            SET is_applied = s.is_applied, action = s.action, problems = s.problems, unit_id = s.unit_id, customer_id = s.customer_id
           FROM unnest($2::integer[], $3::boolean[], $4::text[], $5::jsonb[], $6::uuid[], $7::uuid[])
                AS s(line, is_applied, action, problems, unit_id, customer_id)
          WHERE r.import_id = $1 AND r.line = s.line AND r.line BETWEEN $8 AND $9
          -- unscoped: the import was loaded through its scope",
        import.as_uuid(),
        &lines,
        &rows.iter().map(|row| row.is_applied).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.action.as_str().to_owned()).collect::<Vec<_>>(),
        &problems.map_err(Error::internal)?,
        &rows.iter().map(|row| row.unit_id.map(UnitId::as_uuid)).collect::<Vec<_>>() as &[Option<Uuid>],
        &rows.iter().map(|row| row.customer_id.map(CustomerId::as_uuid)).collect::<Vec<_>>() as &[Option<Uuid>],
        lines.iter().min(),
        lines.iter().max(),
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// The next rows to write, by line.
pub(crate) async fn list_open_rows(tx: &mut PgConnection, import: EstateImportId, most: i64) -> Result<Vec<(u32, RowAction)>> {
    let rows = sqlx::query!(
        "SELECT line, action FROM customer.estate_import_rows
          WHERE import_id = $1 AND NOT is_applied AND action <> 'refuse' ORDER BY line LIMIT $2
          -- unscoped: the import was loaded through its scope",
        import.as_uuid(),
        most,
    )
    .fetch_all(tx)
    .await
    .store()?;
    rows.into_iter().map(|row| Ok((line(row.line)?, word(&row.action, RowAction::parse)?))).collect()
}

/// Verdicts by line. The import was found through the caller's scope.
pub(crate) async fn list_rows(
    pool: &PgPool,
    import: EstateImportId,
    action: Option<RowAction>,
    page: &PageRequest<u32>,
) -> Result<Vec<ImportRow>> {
    let rows = sqlx::query!(
        r#"SELECT line, action, unit_full_code, problems AS "problems: Json<Vec<Problem>>", is_applied, unit_id, customer_id
             FROM customer.estate_import_rows
            WHERE import_id = $1 AND ($2::text IS NULL OR action = $2) AND line > $3 ORDER BY line LIMIT $4
            -- unscoped: the import was loaded through its scope"#,
        import.as_uuid(),
        action.map(RowAction::as_str),
        i32::try_from(page.after.unwrap_or(0)).map_err(Error::internal)?,
        page.size.limit(),
    )
    .fetch_all(pool)
    .await
    .store()?;
    rows.into_iter()
        .map(|row| {
            Ok(ImportRow {
                line: line(row.line)?,
                action: word(&row.action, RowAction::parse)?,
                unit_full_code: row.unit_full_code,
                problems: row.problems.0,
                is_applied: row.is_applied,
                unit_id: row.unit_id.map(UnitId::from),
                customer_id: row.customer_id.map(CustomerId::from),
            })
        })
        .collect()
}

fn lines(rows: &[ImportRow]) -> Result<Vec<i32>> {
    rows.iter().map(|row| i32::try_from(row.line).map_err(Error::internal)).collect()
}

fn line(stored: i32) -> Result<u32> {
    u32::try_from(stored).map_err(Error::internal)
}
