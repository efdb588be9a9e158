//! The timeline of customers and units.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::ids::{CustomerId, UnitId};
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::word;
use crate::domain::timeline::{TimelineEntry, TimelineKind};

/// Which entries to list.
#[derive(Debug, Default)]
pub(crate) struct TimelineFilter {
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) unit_id: Option<UnitId>,
    pub(crate) kinds: Vec<TimelineKind>,
    pub(crate) from_time: Option<Timestamp>,
    pub(crate) to_time: Option<Timestamp>,
}

/// Where a page of entries ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TimelineCursor {
    pub(crate) occur_time: Timestamp,
    pub(crate) id: Uuid,
}

/// Notes an entry; one that is there already stays as it is.
pub(crate) async fn insert_entry(tx: &mut PgConnection, entry: &TimelineEntry) -> Result<()> {
    sqlx::query!(
        "INSERT INTO customer.timeline_entries
             (id, estate_id, customer_id, unit_id, kind, subject_id, occur_time, record_time, title_code, parameters)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        entry.id.as_uuid(),
        entry.estate_id.as_uuid(),
        entry.customer_id.map(CustomerId::as_uuid),
        entry.unit_id.map(UnitId::as_uuid),
        entry.kind.as_str(),
        entry.subject_id,
        entry.occur_time.to_sqlx() as jiff_sqlx::Timestamp,
        entry.record_time.to_sqlx() as jiff_sqlx::Timestamp,
        entry.title_code,
        Json(&entry.parameters) as Json<&BTreeMap<String, String>>,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// Entries of the scope, newest first.
pub(crate) async fn list_entries(
    pool: &PgPool,
    scope: &Scope,
    filter: &TimelineFilter,
    page: &PageRequest<TimelineCursor>,
) -> Result<Vec<TimelineEntry>> {
    let kinds: Vec<String> = filter.kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    let rows = sqlx::query!(
        r#"SELECT id, estate_id, customer_id, unit_id, kind, subject_id, occur_time, record_time, title_code,
                  parameters AS "parameters: Json<BTreeMap<String, String>>"
             FROM customer.timeline_entries
            WHERE ($1::uuid[] IS NULL OR estate_id = ANY ($1))
              AND ($2::uuid IS NULL OR customer_id = $2)
              AND ($3::uuid IS NULL OR customer_id = $3)
              AND ($4::uuid IS NULL OR unit_id = $4)
              AND (cardinality($5::text[]) = 0 OR kind = ANY ($5))
              AND ($6::timestamptz IS NULL OR occur_time >= $6)
              AND ($7::timestamptz IS NULL OR occur_time < $7)
              AND ($8::timestamptz IS NULL OR (occur_time, id) < ($8, $9))
            ORDER BY occur_time DESC, id DESC LIMIT $10"#,
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
        filter.customer_id.map(CustomerId::as_uuid),
        filter.unit_id.map(UnitId::as_uuid),
        &kinds,
        filter.from_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        filter.to_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        page.after.as_ref().map(|after| after.occur_time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        page.after.as_ref().map(|after| after.id).unwrap_or_default(),
        page.size.limit(),
    )
    .fetch_all(pool)
    .await
    .store()?;
    rows.into_iter()
        .map(|row| {
            Ok(TimelineEntry {
                id: row.id.into(),
                estate_id: row.estate_id.into(),
                customer_id: row.customer_id.map(CustomerId::from),
                unit_id: row.unit_id.map(UnitId::from),
                kind: word(&row.kind, TimelineKind::parse)?,
                subject_id: row.subject_id,
                occur_time: row.occur_time.to_jiff(),
                record_time: row.record_time.to_jiff(),
                title_code: row.title_code,
                parameters: row.parameters.0,
            })
        })
        .collect()
}
