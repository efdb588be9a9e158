//! What the keeper of facts reads and writes.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use steward_kit::Result;
use steward_kit::ids::EstateId;
use steward_kit_store::StoreResult;
use uuid::Uuid;

/// An estate whose facts are behind.
#[derive(Debug, Clone)]
pub(crate) struct DueEstate {
    pub(crate) id: EstateId,
    pub(crate) time_zone: String,
    /// The day itself is new, or a rule is: every household is derived again.
    pub(crate) is_whole: bool,
}

/// Estates with something to derive; `only` limits the look to some.
pub(crate) async fn list_due_estates(pool: &PgPool, only: Option<&[Uuid]>, now: Timestamp) -> Result<Vec<DueEstate>> {
    let rows = sqlx::query!(
        r#"SELECT e.id, e.time_zone,
                  (d.estate_id IS NULL OR d.is_due OR d.fact_date < ($1::timestamptz AT TIME ZONE e.time_zone)::date) AS "is_whole!"
             FROM customer.estates e LEFT JOIN customer.fact_days d ON d.estate_id = e.id
            WHERE ($2::uuid[] IS NULL OR e.id = ANY ($2))
              AND (d.estate_id IS NULL OR d.is_due OR d.fact_date < ($1::timestamptz AT TIME ZONE e.time_zone)::date
                   OR EXISTS (SELECT FROM customer.fact_changes c WHERE c.estate_id = e.id))
            ORDER BY e.id
            -- unscoped: facts are derived for every estate; readers look at theirs"#,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        only as Option<&[Uuid]>,
    )
    .fetch_all(pool)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| DueEstate { id: row.id.into(), time_zone: row.time_zone, is_whole: row.is_whole }).collect())
}

/// One keeper an estate at a time, until the transaction ends.
pub(crate) async fn lock_estate_facts(tx: &mut PgConnection, estate: EstateId) -> Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('customer.facts:' || $1::text, 0))::text", estate.to_string())
        .fetch_one(tx)
        .await
        .store()?;
    Ok(())
}

/// Begins a day: closes the days that have ended in the register of bases, and asks for every household again. Nothing if
/// another keeper was faster.
pub(crate) async fn begin_day(tx: &mut PgConnection, estate: EstateId, today: Date) -> Result<()> {
    sqlx::query!(
        r#"WITH day AS (
               INSERT INTO customer.fact_days AS d (estate_id, fact_date) VALUES ($1, $2)
               ON CONFLICT ON CONSTRAINT fact_days_pkey DO UPDATE SET fact_date = greatest(d.fact_date, $2), is_due = false
                  WHERE d.is_due OR d.fact_date < $2
               RETURNING estate_id
           ), last AS (
               SELECT d.fact_date FROM customer.fact_days d WHERE d.estate_id = $1
           ), closed AS (
               INSERT INTO customer.household_bases
                   (estate_id, base_date, managed_count, delivered_count, occupied_count, billed_count)
               SELECT $1, b.base_date, b.managed_count, b.delivered_count, b.occupied_count, b.billed_count
                 FROM last, day, customer.derived_bases($1, last.fact_date, ($2::date - 1)) b
               ON CONFLICT ON CONSTRAINT household_bases_pkey DO NOTHING
           )
           INSERT INTO customer.fact_changes (estate_id, household_id)
           SELECT u.estate_id, u.household_id FROM customer.units u JOIN day ON day.estate_id = u.estate_id
            WHERE u.estate_id = $1"#,
        estate.as_uuid(),
        today.to_sqlx() as jiff_sqlx::Date,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// Takes the next households of an estate to derive; empty when there are none.
pub(crate) async fn take_changes(tx: &mut PgConnection, estate: EstateId, limit: i64) -> Result<Vec<Uuid>> {
    let taken = sqlx::query_scalar!(
        "WITH taken AS (
             DELETE FROM customer.fact_changes c
              WHERE c.estate_id = $1 AND c.household_id IN (
                    SELECT n.household_id FROM customer.fact_changes n WHERE n.estate_id = $1 ORDER BY n.id LIMIT $2)
             RETURNING c.household_id)
         SELECT DISTINCT t.household_id FROM taken t ORDER BY 1",
        estate.as_uuid(),
        limit,
    )
    .fetch_all(tx)
    .await
    .store()?;
    Ok(taken)
}

/// Rows of facts as they stand, as JSON, by household and member.
pub(crate) async fn read_facts(tx: &mut PgConnection, households: &[Uuid]) -> Result<HashMap<(Uuid, Uuid), Value>> {
    let rows = sqlx::query!(
        r#"SELECT f.household_id, f.customer_id, to_jsonb(f) AS "facts!" FROM customer.household_facts f
            WHERE f.household_id = ANY ($1)
            -- unscoped: the keeper's own rows"#,
        households,
    )
    .fetch_all(tx)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| ((row.household_id, row.customer_id), row.facts)).collect())
}

/// Writes rows that changed and takes away those of members who left.
pub(crate) async fn write_facts(tx: &mut PgConnection, rows: &Value, gone: &[(Uuid, Uuid)], now: Timestamp) -> Result<()> {
    let (households, customers): (Vec<Uuid>, Vec<Uuid>) = gone.iter().copied().unzip();
    // Rows that go and rows that are no longer the main one first: a household has one.
    sqlx::query!(
        "DELETE FROM customer.household_facts f USING unnest($1::uuid[], $2::uuid[]) AS g(household_id, customer_id)
          WHERE f.household_id = g.household_id AND f.customer_id = g.customer_id
          -- unscoped: the keeper's own rows",
        &households,
        &customers,
    )
    .execute(&mut *tx)
    .await
    .store()?;
    sqlx::query!(
        "UPDATE customer.household_facts f SET is_main = false
           FROM jsonb_to_recordset($1) AS n(household_id uuid, customer_id uuid, is_main boolean)
          WHERE f.household_id = n.household_id AND f.customer_id = n.customer_id AND f.is_main AND NOT n.is_main
          -- unscoped: the keeper's own rows",
        rows,
    )
    .execute(&mut *tx)
    .await
    .store()?;
    sqlx::query!(
        // As a table, not as `(…).*`, which would read the record once for each of its columns.
        "INSERT INTO customer.household_facts
         SELECT r.* FROM jsonb_array_elements($1) AS n(value) CROSS JOIN LATERAL jsonb_populate_record(
                NULL::customer.household_facts, n.value || jsonb_build_object('update_time', $2::timestamptz)) AS r
         ON CONFLICT ON CONSTRAINT household_facts_pkey DO UPDATE SET
             estate_id = EXCLUDED.estate_id, unit_id = EXCLUDED.unit_id, is_main = EXCLUDED.is_main, occupancy = EXCLUDED.occupancy,
             occupancy_date = EXCLUDED.occupancy_date, delivered_date = EXCLUDED.delivered_date,
             is_delivered = EXCLUDED.is_delivered, moved_in_date = EXCLUDED.moved_in_date, is_renovating = EXCLUDED.is_renovating,
             renovation_start_date = EXCLUDED.renovation_start_date, renovation_end_date = EXCLUDED.renovation_end_date,
             has_major_complaint = EXCLUDED.has_major_complaint, major_complaint_date = EXCLUDED.major_complaint_date,
             member_count = EXCLUDED.member_count, has_owner = EXCLUDED.has_owner, is_reachable = EXCLUDED.is_reachable,
             eldest_age = EXCLUDED.eldest_age, youngest_age = EXCLUDED.youngest_age, household_tags = EXCLUDED.household_tags,
             unit_kind = EXCLUDED.unit_kind, building_code = EXCLUDED.building_code, entrance_code = EXCLUDED.entrance_code,
             floor = EXCLUDED.floor, area_square_metres = EXCLUDED.area_square_metres, tenure_role = EXCLUDED.tenure_role,
             tenure_from_date = EXCLUDED.tenure_from_date, party = EXCLUDED.party, customer_kind = EXCLUDED.customer_kind,
             journey_stage = EXCLUDED.journey_stage, journey_node = EXCLUDED.journey_node, age = EXCLUDED.age,
             age_band = EXCLUDED.age_band, family_structure = EXCLUDED.family_structure, occupation = EXCLUDED.occupation,
             is_company_owner = EXCLUDED.is_company_owner,
             has_opted_out_of_profiling = EXCLUDED.has_opted_out_of_profiling, tier = EXCLUDED.tier,
             contact_mode = EXCLUDED.contact_mode, do_not_disturb = EXCLUDED.do_not_disturb,
             preferred_language = EXCLUDED.preferred_language, tags = EXCLUDED.tags, service_use = EXCLUDED.service_use,
             update_time = EXCLUDED.update_time",
        rows,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// Which row: a household and a member, nil for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FactKey {
    pub(crate) household_id: Uuid,
    pub(crate) customer_id: Uuid,
}

impl FactKey {
    /// The member as messages say it; empty for nobody.
    pub(crate) fn customer(&self) -> String {
        if self.customer_id.is_nil() { String::new() } else { self.customer_id.to_string() }
    }
}
