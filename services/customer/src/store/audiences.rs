//! Households by predicate: one table, one WHERE clause.

use jiff::civil::Date;
use serde_json::Value;
use sqlx::{PgPool, Postgres, QueryBuilder, Row};
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::EstateId;
use steward_kit::predicate::Compiled;
use steward_kit_store::StoreResult;
use steward_kit_store::predicate::{Column, push};
use uuid::Uuid;

use crate::domain::facts::{column, service_key};
use crate::store::facts::FactKey;

/// Where the table keeps a field.
pub(crate) fn columns(field: &str) -> Option<Column> {
    match service_key(field) {
        Some(key) => Some(Column::Count { json: "f.service_use", key }),
        None => column(field).map(Column::Plain),
    }
}

/// A household's main row, as facts.
#[derive(Debug, Clone)]
pub(crate) struct HouseholdRow {
    pub(crate) key: FactKey,
    pub(crate) estate_id: EstateId,
    pub(crate) unit_id: Uuid,
    pub(crate) facts: Value,
}

/// Main rows of an estate for which the predicate holds, in order of the household's id.
pub(crate) async fn list_matching(
    pool: &PgPool,
    estate: ScopedEstate,
    predicate: Option<&Compiled>,
    as_of: Date,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<HouseholdRow>> {
    let mut sql = main_rows(estate);
    if let Some(after) = after {
        sql.push(" AND f.household_id > ").push_bind(after);
    }
    if let Some(predicate) = predicate {
        sql.push(" AND ");
        push(&mut sql, predicate, &columns, as_of)?;
    }
    sql.push(" ORDER BY f.household_id LIMIT ").push_bind(limit);
    fetch(sql, pool).await
}

/// Main rows of these households, as far as they are in the estate.
pub(crate) async fn list_households_by_id(pool: &PgPool, estate: ScopedEstate, households: &[Uuid]) -> Result<Vec<HouseholdRow>> {
    let mut sql = main_rows(estate);
    sql.push(" AND f.household_id = ANY (").push_bind(households.to_vec()).push(")");
    fetch(sql, pool).await
}

fn main_rows(estate: ScopedEstate) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(
        "SELECT f.household_id, f.customer_id, f.estate_id, f.unit_id, to_jsonb(f) AS facts
           FROM customer.household_facts f WHERE f.is_main AND f.estate_id = ",
    );
    sql.push_bind(estate.as_uuid());
    sql
}

async fn fetch(mut sql: QueryBuilder<Postgres>, pool: &PgPool) -> Result<Vec<HouseholdRow>> {
    // Planned for its values: a plan for any value could not know that they are selective.
    let rows = sql.build().persistent(false).fetch_all(pool).await.store()?;
    let rows = rows.into_iter().map(|row| {
        Ok(HouseholdRow {
            key: FactKey { household_id: row.try_get(0)?, customer_id: row.try_get(1)? },
            estate_id: row.try_get::<Uuid, _>(2)?.into(),
            unit_id: row.try_get(3)?,
            facts: row.try_get(4)?,
        })
    });
    rows.collect::<sqlx::Result<_>>().store()
}
