//! The bases of many days at once are those of each day alone.

use anyhow::Result;

use crate::world::World;

/// Each day counted by itself, unit by unit: the definition of CP-47 (handover and use by their dates).
const ONE_BY_ONE: &str = "
    SELECT d.day::date::text, count(*),
           count(*) FILTER (WHERE coalesce(u.delivery_date <= d.day, u.occupancy NOT IN ('unspecified', 'undelivered'))),
           count(*) FILTER (WHERE EXISTS (SELECT FROM customer.occupancy_periods p
                WHERE p.unit_id = u.id AND p.occupancy IN ('occupied', 'leased')
                  AND d.day BETWEEN p.from_date AND coalesce(p.to_date, 'infinity')))
      FROM generate_series('2026-02-01'::date, '2026-04-30'::date, interval '1 day') AS d(day)
     CROSS JOIN customer.units u GROUP BY d.day ORDER BY d.day";

const AT_ONCE: &str = "
    SELECT base_date::text, managed_count::bigint, delivered_count::bigint, occupied_count::bigint
      FROM customer.estates e CROSS JOIN LATERAL customer.derived_bases(e.id, '2026-02-01', '2026-04-30')
     ORDER BY base_date";

/// CP-47: a register of any shape, with periods that touch and overlap, handovers before, in and after the days asked for.
#[tokio::test]
async fn the_bases_of_a_quarter_are_those_of_its_days() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    ops.unit(&estate, "1").await?;
    let db = world.database.superuser().await?;
    let mut tx = db.begin().await?;
    for statement in [
        // The rows as they are, without what follows from them.
        "SET LOCAL session_replication_role = replica",
        "SELECT setseed(0.4)",
        "INSERT INTO customer.units (id, estate_id, building_id, household_id, code, full_code, premises_type, occupancy, delivery_date,
             create_time, update_time)
         SELECT gen_random_uuid(), u.estate_id, u.building_id, gen_random_uuid(), g::text, 'r-' || g, 'residential',
                (ARRAY['unspecified', 'undelivered', 'occupied', 'vacant'])[1 + floor(random() * 4)::int],
                CASE WHEN random() < 0.7 THEN '2026-01-01'::date + floor(random() * 200)::int END, u.create_time, u.update_time
           FROM customer.units u, generate_series(1, 400) g WHERE u.code = '1'",
        "INSERT INTO customer.occupancy_periods (unit_id, from_date, to_date, estate_id, occupancy, source)
         SELECT u.id, f.day, CASE WHEN random() < 0.8 THEN f.day + floor(random() * 60)::int END, u.estate_id,
                (ARRAY['occupied', 'leased', 'vacant'])[1 + floor(random() * 3)::int], 'import'
           FROM customer.units u
          CROSS JOIN LATERAL (SELECT DISTINCT '2025-12-01'::date + floor(random() * 200)::int AS day
                                FROM generate_series(1, 4) WHERE u.id IS NOT NULL) f
         ON CONFLICT DO NOTHING",
    ] {
        sqlx::query(statement).execute(&mut *tx).await?;
    }
    let each: Vec<(String, i64, i64, i64)> = sqlx::query_as(ONE_BY_ONE).fetch_all(&mut *tx).await?;
    let together: Vec<(String, i64, i64, i64)> = sqlx::query_as(AT_ONCE).fetch_all(&mut *tx).await?;
    assert_eq!(each.len(), 89);
    assert_eq!(together, each);
    let none: i64 = sqlx::query_scalar("SELECT count(*) FROM customer.estates e, customer.derived_bases(e.id, '2026-04-02', '2026-04-01')")
        .fetch_one(&mut *tx)
        .await?;
    assert_eq!(none, 0);
    Ok(())
}
