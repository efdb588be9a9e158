//! The register of household bases (CP-47).

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit_store::StoreResult;

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

/// Sums from the closed days, and for the others from the register as it stands.
pub(crate) async fn sum_bases(pool: &PgPool, estate: ScopedEstate, from: Date, to: Date) -> Result<BaseSums> {
    let row = sqlx::query!(
        r#"WITH closed AS (
               SELECT b.* FROM customer.household_bases b WHERE b.estate_id = $1 AND b.base_date BETWEEN $2 AND $3
           ), every_day AS (
               SELECT c.managed_count, c.delivered_count, c.occupied_count, c.billed_count, false AS is_derived FROM closed c
               UNION ALL
               SELECT d.managed_count, d.delivered_count, d.occupied_count, d.billed_count, true
                 FROM (SELECT s.day::date AS day FROM generate_series($2::date, $3::date, interval '1 day') AS s(day)
                        WHERE s.day::date NOT IN (SELECT c.base_date FROM closed c)) missing
                CROSS JOIN LATERAL customer.derived_bases($1, missing.day, missing.day) d)
           SELECT coalesce(sum(managed_count), 0)::bigint AS "managed!", coalesce(sum(delivered_count), 0)::bigint AS "delivered!",
                  coalesce(sum(occupied_count), 0)::bigint AS "occupied!", coalesce(sum(billed_count), 0)::bigint AS "billed!",
                  count(*) AS "days!", count(*) FILTER (WHERE is_derived) AS "derived_days!"
             FROM every_day"#,
        estate.as_uuid(),
        from.to_sqlx() as jiff_sqlx::Date,
        to.to_sqlx() as jiff_sqlx::Date,
    )
    .fetch_one(pool)
    .await
    .store()?;
    Ok(BaseSums {
        managed: row.managed,
        delivered: row.delivered,
        occupied: row.occupied,
        billed: row.billed,
        days: row.days,
        derived_days: row.derived_days,
    })
}
