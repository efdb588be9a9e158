//! The register of household bases (CP-47), and who is not of the delivered ones.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit_store::StoreResult;
use uuid::Uuid;

/// Sums of daily counts over a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BaseSums {
    pub(crate) managed: i64,
    pub(crate) delivered: i64,
    pub(crate) occupied: i64,
    pub(crate) billed: i64,
    pub(crate) days: i64,
    pub(crate) derived_days: i64,
}

/// Sums from the closed days, and for the others from the register as it stands, of every estate that there is among these. One
/// trip.
pub(crate) async fn sum_bases(pool: &PgPool, estates: &[ScopedEstate], from: Date, to: Date) -> Result<HashMap<Uuid, BaseSums>> {
    let ids: Vec<Uuid> = estates.iter().map(|estate| estate.as_uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT e.id, s.managed AS "managed!", s.delivered AS "delivered!", s.occupied AS "occupied!", s.billed AS "billed!",
                  s.days AS "days!", s.derived_days AS "derived_days!"
             -- unscoped: the caller was found to have each of these estates
             FROM customer.estates e
            CROSS JOIN LATERAL (
                WITH closed AS (
                    SELECT b.* FROM customer.household_bases b WHERE b.estate_id = e.id AND b.base_date BETWEEN $2 AND $3
                ), every_day AS (
                    SELECT c.managed_count, c.delivered_count, c.occupied_count, c.billed_count, false AS is_derived FROM closed c
                    UNION ALL
                    SELECT d.managed_count, d.delivered_count, d.occupied_count, d.billed_count, true
                      FROM (SELECT e.id WHERE (SELECT count(*) FROM closed) <= $3::date - $2::date) AS still_open
                     CROSS JOIN LATERAL customer.derived_bases(still_open.id, $2, $3) d
                     WHERE d.base_date NOT IN (SELECT c.base_date FROM closed c))
                SELECT coalesce(sum(managed_count), 0)::bigint AS managed, coalesce(sum(delivered_count), 0)::bigint AS delivered,
                       coalesce(sum(occupied_count), 0)::bigint AS occupied, coalesce(sum(billed_count), 0)::bigint AS billed,
                       count(*) AS days, count(*) FILTER (WHERE is_derived) AS derived_days
                  FROM every_day) s
            WHERE e.id = ANY ($1)"#,
        &ids,
        from.to_sqlx() as jiff_sqlx::Date,
        to.to_sqlx() as jiff_sqlx::Date,
    )
    .fetch_all(pool)
    .await
    .store()?;
    let sums = rows.into_iter().map(|row| {
        let sums = BaseSums {
            managed: row.managed,
            delivered: row.delivered,
            occupied: row.occupied,
            billed: row.billed,
            days: row.days,
            derived_days: row.derived_days,
        };
        (row.id, sums)
    });
    Ok(sums.collect())
}

/// Place of a household among those that are not handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct UndeliveredKey {
    pub(crate) estate_id: Uuid,
    pub(crate) household_id: Uuid,
}

/// Households of estates that are not handed over by the end of a day. One trip.
pub(crate) async fn list_undelivered(
    pool: &PgPool,
    estates: &[ScopedEstate],
    day: Date,
    after: Option<UndeliveredKey>,
    limit: i64,
) -> Result<Vec<UndeliveredKey>> {
    let ids: Vec<Uuid> = estates.iter().map(|estate| estate.as_uuid()).collect();
    sqlx::query_as!(
        UndeliveredKey,
        r#"WITH found AS MATERIALIZED (
               SELECT f.estate_id, f.household_id FROM customer.household_facts f
                WHERE f.is_main AND f.estate_id = ANY ($1) AND f.delivered_date > $2
                UNION ALL
               SELECT f.estate_id, f.household_id FROM customer.household_facts f
                WHERE f.is_main AND f.estate_id = ANY ($1) AND f.delivered_date IS NULL AND NOT f.is_delivered)
           SELECT estate_id AS "estate_id!", household_id AS "household_id!" FROM found
            WHERE $3::uuid IS NULL OR (estate_id, household_id) > ($3, $4)
            ORDER BY 1, 2 LIMIT $5"#,
        &ids,
        day.to_sqlx() as jiff_sqlx::Date,
        after.map(|key| key.estate_id),
        after.map(|key| key.household_id),
        limit,
    )
    .fetch_all(pool)
    .await
    .store()
}
