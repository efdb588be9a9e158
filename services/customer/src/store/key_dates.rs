//! Key dates, found by the keyed hash of their day of the year.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit_store::StoreResult;
use uuid::Uuid;

/// A key date of somebody who lives in the estate.
#[derive(Debug)]
pub(crate) struct FoundDate {
    pub(crate) id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) household_id: Uuid,
    pub(crate) unit_id: Uuid,
    pub(crate) kind: String,
    pub(crate) is_lunar: bool,
    pub(crate) day_index: Vec<u8>,
}

/// Personal key dates on one of the days, of people with a tenure in the estate today, in order of their ids.
pub(crate) async fn list_key_dates_on(
    pool: &PgPool,
    estate: ScopedEstate,
    days: &[Vec<u8>],
    kinds: Option<&[String]>,
    after: Option<Uuid>,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<FoundDate>> {
    sqlx::query_as!(
        FoundDate,
        r#"SELECT k.id AS "id!", k.customer_id AS "customer_id!", h.household_id AS "household_id!", h.unit_id AS "unit_id!",
                  k.kind AS "kind!", k.is_lunar AS "is_lunar!", k.day_index AS "day_index!"
             FROM customer.key_dates k
             CROSS JOIN LATERAL (
                  SELECT u.household_id, u.id AS unit_id FROM customer.tenures t
                    JOIN customer.units u ON u.id = t.unit_id JOIN customer.estates e ON e.id = t.estate_id
                   WHERE t.customer_id = k.customer_id AND t.estate_id = $1 AND customer.holds(t.from_date, t.to_date, e.time_zone, $6)
                   ORDER BY t.from_date, t.id LIMIT 1) h
            WHERE k.day_index = ANY ($2) AND ($3::text[] IS NULL OR k.kind = ANY ($3)) AND ($4::uuid IS NULL OR k.id > $4)
            ORDER BY k.id LIMIT $5"#,
        estate.as_uuid(),
        days,
        kinds as Option<&[String]>,
        after,
        limit,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_all(pool)
    .await
    .store()
}
