//! The register of exits (CP-48).

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::{CustomerId, WorkOrderId};
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::word;
use crate::domain::exit::{Exit, ExitKind, ExitSource};
use crate::domain::ids::TenureId;

/// Where a page of exits ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ExitCursor {
    pub(crate) exit_date: Date,
    pub(crate) id: Uuid,
}

fn orders(exit: &Exit) -> Vec<Uuid> {
    exit.cause_work_order_ids.iter().map(|id| id.as_uuid()).collect()
}

/// Writes an exit and its effects, if there is such an estate. One trip.
pub(crate) async fn insert_exit(pool: &PgPool, exit: &Exit, by: &str, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH created AS (
               INSERT INTO customer.exits (estate_id, id, customer_id, kind, exit_date, tenure_id, cause_work_order_ids, source,
                   recorded_by, create_time)
               SELECT e.id, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM customer.estates e WHERE e.id = $1 RETURNING id)
           SELECT (SELECT count(*) FROM created) AS "written!", (SELECT customer.write_effects($11) FROM created)::text AS effects
           -- unscoped: the estate was found in the caller's scope"#,
        exit.estate_id.as_uuid(),
        exit.id.as_uuid(),
        exit.customer_id.map(CustomerId::as_uuid),
        exit.kind.as_str(),
        exit.exit_date.to_sqlx() as jiff_sqlx::Date,
        exit.tenure_id.map(TenureId::as_uuid),
        &orders(exit),
        exit.source.as_str(),
        by,
        exit.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// Notes an exit that another service tells of; one that is noted already, or of a customer that is not known, is let be. One trip.
pub(crate) async fn note_exit(tx: &mut PgConnection, exit: &Exit, by: &str) -> Result<()> {
    sqlx::query!(
        "INSERT INTO customer.exits (estate_id, id, customer_id, kind, exit_date, cause_work_order_ids, source, recorded_by, create_time)
         SELECT e.id, $2, c.id, $4, $5, '{}', $6, $7, $8
           FROM customer.estates e JOIN customer.customers c ON c.id = $3 WHERE e.id = $1
         ON CONFLICT DO NOTHING
         -- unscoped: a fact of another service names the estate",
        exit.estate_id.as_uuid(),
        exit.id.as_uuid(),
        exit.customer_id.map(CustomerId::as_uuid),
        exit.kind.as_str(),
        exit.exit_date.to_sqlx() as jiff_sqlx::Date,
        exit.source.as_str(),
        by,
        exit.create_time.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// Exits of an estate, latest last day first. One trip.
pub(crate) async fn list_exits(pool: &PgPool, estate: ScopedEstate, page: &PageRequest<ExitCursor>) -> Result<Vec<Exit>> {
    let rows = sqlx::query!(
        "SELECT x.estate_id, x.id, x.customer_id, x.kind, x.exit_date, x.tenure_id, x.cause_work_order_ids, x.source, x.create_time
           FROM customer.exits x
          WHERE x.estate_id = $1 AND ($2::date IS NULL OR (x.exit_date, x.id) < ($2, $3))
          ORDER BY x.exit_date DESC, x.id DESC LIMIT $4",
        estate.as_uuid(),
        page.after.as_ref().map(|after| after.exit_date.to_sqlx()) as Option<jiff_sqlx::Date>,
        page.after.as_ref().map(|after| after.id).unwrap_or_default(),
        page.size.limit(),
    )
    .fetch_all(pool)
    .await
    .store()?;
    let exits = rows.into_iter().map(|row| {
        Ok(Exit {
            id: row.id.into(),
            estate_id: row.estate_id.into(),
            customer_id: row.customer_id.map(Into::into),
            kind: word(&row.kind, ExitKind::parse)?,
            exit_date: row.exit_date.to_jiff(),
            tenure_id: row.tenure_id.map(Into::into),
            cause_work_order_ids: row.cause_work_order_ids.into_iter().map(WorkOrderId::from).collect(),
            source: word(&row.source, ExitSource::parse)?,
            create_time: row.create_time.to_jiff(),
        })
    });
    exits.collect()
}
