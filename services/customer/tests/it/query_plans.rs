//! How Postgres answers the lists: by which nodes and which indexes, over tables of some size. The statements are those that
//! the service sends, read by a proxy; `golden/query_plans.snap` is what Postgres makes of them.

use std::fmt::Write;

use anyhow::Result;
use steward_harness::Asked;
use steward_harness::query_plans::{PlanFor, PlannedQuery, fill};
use steward_proto::customer::v1 as pb;

use crate::imports::{until, upload};
use crate::world::World;

/// Tables that grow with the group. Estates and their buildings are few.
const LARGE: [&str; 6] = ["units", "customers", "tenures", "estate_imports", "estate_import_rows", "timeline_entries"];

/// DESIGN §3, §10: lists and searches page by key and read no large table from end to end, neither for the arguments of one
/// call nor when Postgres has seen many.
#[tokio::test]
async fn lists_are_answered_by_the_indexes_made_for_them() -> Result<()> {
    let asked = Asked::default();
    let world = World::noted(&asked).await?;
    let queries = queries(&world, &asked).await?;
    let pool = world.database.superuser().await?;
    let large = "customer.estates, customer.buildings, customer.entrances, customer.units, customer.customers, \
        customer.tenures, customer.estate_imports, customer.estate_import_rows, \
        customer.timeline_entries";
    fill(&pool, FILL, large).await?;
    let mut connection = pool.acquire().await?;
    let mut all = String::new();
    for query in &queries {
        for mode in [PlanFor::TheseArguments, PlanFor::ManyCalls] {
            let plan = query.explain(&mut connection, mode).await?;
            for table in LARGE {
                assert!(!plan.reads_whole(table), "{}, {mode:?}:\n{}", query.name, plan.shape());
            }
            if mode == PlanFor::TheseArguments {
                writeln!(all, "{}\n{}", query.name, plan.shape())?;
            }
        }
    }
    insta::with_settings!({ snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("query_plans", all);
    });
    Ok(())
}

/// What the service asks for each list, for a first page and for a later one.
async fn queries(world: &World, asked: &Asked) -> Result<Vec<PlannedQuery>> {
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "1-1-0101").await?;
    let customer = ops.person(&estate, "王芳", "19900001234").await?;
    ops.tenure(&unit, &customer, pb::TenureRole::Owner, ("2020-01-01", "")).await?;
    let import = upload(&ops, &estate, b"building,unit\n7,101\n").await?;
    until(&ops, &import.id, pb::EstateImportState::Planned).await?;
    let (e, u, c, i) = (&estate.id, &unit.id, &customer.id, &import.id);
    let scope = format!("'{{{e}}}', NULL, '2026-06-10T02:00Z'");
    let mut queries = Vec::new();
    let mut add = |name, sql: &str, arguments: String| queries.push(PlannedQuery::new(name, sql, arguments));

    asked.take();
    ops.estates().list_estates(ops.ask(pb::ListEstatesRequest::default())).await?;
    let sql = asked.last("starts_with(name")?;
    add("estates, later page", &sql, format!("NULL, NULL, '', '花园 2', '{e}', 51"));

    asked.take();
    ops.units().get_estate_tree(ops.ask(pb::GetEstateTreeRequest { estate_id: e.clone() })).await?;
    let (buildings, entrances) = (asked.last("ORDER BY length(b.code)")?, asked.last("FROM customer.entrances")?);
    add("buildings of an estate", &buildings, format!("'{e}'"));
    add("entrances of buildings", &entrances, ids(10));

    asked.take();
    ops.units().list_units(ops.ask(pb::ListUnitsRequest { estate_id: e.clone(), ..Default::default() })).await?;
    let sql = asked.last("visible_units")?;
    add("units of an estate, first page", &sql, format!("{scope}, '{e}', NULL, NULL, NULL, '', NULL, 51"));
    add("units of an estate, later page", &sql, format!("{scope}, '{e}', NULL, NULL, NULL, '', '1-0500', 51"));

    asked.take();
    ops.customers().list_customers(ops.ask(pb::ListCustomersRequest { estate_id: e.clone(), ..Default::default() })).await?;
    let sql = asked.last("visible_customers")?;
    add("customers of an estate, later page", &sql, format!("{scope}, '{e}', NULL, '{c}', 51"));
    asked.take();
    let search = pb::SearchCustomersByPhoneRequest { phone: "19900001234".into(), ..Default::default() };
    ops.customers().search_customers_by_phone(ops.ask(search)).await?;
    let sql = asked.last("visible_customers")?;
    add("customers by phone", &sql, format!("{scope}, sha256('42'), NULL, 51"));
    add("customers by phone, in the whole group", &sql, "NULL, NULL, '2026-06-10T02:00Z', sha256('42'), NULL, 51".to_owned());

    asked.take();
    ops.tenures().list_tenures(ops.ask(pb::ListTenuresRequest { unit_id: u.clone(), ..Default::default() })).await?;
    let sql = asked.last("visible_tenures")?;
    let later = "NULL, NULL, '2024-01-01', '01980000-0000-7000-8000-000000000001', 51";
    add("tenures of a unit, later page", &sql, format!("{scope}, '{u}', NULL, {later}"));
    add("tenures of a customer, later page", &sql, format!("{scope}, NULL, '{c}', {later}"));

    asked.take();
    ops.households().list_households(ops.ask(pb::ListHouseholdsRequest { estate_id: e.clone(), ..Default::default() })).await?;
    let (households, members) = (asked.last("visible_units")?, asked.last("visible_tenures")?);
    add("households of an estate, later page", &households, format!("{scope}, '{e}', NULL, false, '1-0500', 51"));
    add("incomplete households of an estate", &households, format!("{scope}, '{e}', NULL, true, NULL, 51"));
    add("members of a page of households", &members, format!("{scope}, {}", ids(50)));

    asked.take();
    ops.imports().list_estate_imports(ops.ask(pb::ListEstateImportsRequest { estate_id: e.clone(), ..Default::default() })).await?;
    let sql = asked.last("ORDER BY id DESC")?;
    add("imports of an estate, later page", &sql, format!("'{e}', NULL, '{i}', 51"));
    asked.take();
    ops.imports().list_estate_import_rows(ops.ask(pb::ListEstateImportRowsRequest { import_id: i.clone(), ..Default::default() })).await?;
    let sql = asked.last("AND line > $3")?;
    add("rows of an import, later page", &sql, format!("'{i}', NULL, 500, 51"));
    add("refused rows of an import", &sql, format!("'{i}', 'refuse', 0, 51"));

    asked.take();
    let timeline = pb::ListTimelineEntriesRequest { customer_id: c.clone(), ..Default::default() };
    ops.timeline().list_timeline_entries(ops.ask(timeline)).await?;
    let sql = asked.last("FROM customer.timeline_entries")?;
    let later = format!("'{{}}', NULL, NULL, '2026-06-05T00:00Z', '{e}', 51");
    add("timeline of a customer, later page", &sql, format!("'{{{e}}}', NULL, '{c}', NULL, {later}"));
    add("timeline of a unit, later page", &sql, format!("'{{{e}}}', NULL, NULL, '{u}', {later}"));
    Ok(queries)
}

/// So many ids, as one argument. The plan does not depend on whose they are.
fn ids(count: usize) -> String {
    let ids: Vec<String> = (0..count).map(|_| uuid::Uuid::now_v7().to_string()).collect();
    format!("'{{{}}}'", ids.join(","))
}

/// Three hundred estates; in six of them a thousand units each with an owner today and one before; imports and a timeline.
const FILL: &str = "
    INSERT INTO customer.estates (id, group_id, region_id, name, code, city_code, time_zone, premises_type, create_time, update_time)
    SELECT gen_random_uuid(), e.group_id, gen_random_uuid(), '花园 ' || n, 'E' || n, '330100', e.time_zone, 'residential', e.create_time, e.create_time
      FROM customer.estates e, generate_series(1, 300) n;
    CREATE TEMP TABLE picked AS SELECT id, group_id, row_number() OVER (ORDER BY (code <> 'JX'), code) AS place FROM customer.estates
      ORDER BY (code <> 'JX'), code LIMIT 6;
    INSERT INTO customer.buildings (id, estate_id, code, name, create_time)
    SELECT gen_random_uuid(), p.id, (n + 10)::text, (n + 10)::text, '2026-01-01Z' FROM picked p, generate_series(1, 10) n;
    INSERT INTO customer.entrances (id, estate_id, building_id, code, create_time)
    SELECT gen_random_uuid(), b.estate_id, b.id, n::text, '2026-01-01Z' FROM customer.buildings b, generate_series(1, 3) n;
    INSERT INTO customer.units (id, estate_id, building_id, household_id, code, full_code, premises_type, create_time, update_time)
    SELECT gen_random_uuid(), b.estate_id, b.id, gen_random_uuid(), n::text, b.code || '-' || lpad(n::text, 4, '0'), 'residential', '2026-01-01Z', '2026-01-01Z'
      FROM customer.buildings b, generate_series(1, 100) n WHERE b.code <> '1';
    CREATE TEMP TABLE owned AS SELECT u.id AS unit_id, u.estate_id, p.group_id, gen_random_uuid() AS customer_id, t, row_number() OVER () AS n
      FROM customer.units u JOIN picked p ON p.id = u.estate_id, generate_series(0, 1) t;
    INSERT INTO customer.customers (id, number, group_id, home_estate_id, kind, data_key, name, phone_index, preferred_language, recorded_by, create_time, update_time)
    SELECT customer_id, 1000000 + n, group_id, estate_id, 'person', '\\x01', '\\x02', sha256(n::text::bytea), 'zh-CN', 'x', '2026-01-01Z', '2026-01-01Z' FROM owned;
    INSERT INTO customer.tenures (id, estate_id, unit_id, customer_id, role, from_date, to_date, source, create_time, update_time)
    SELECT gen_random_uuid(), estate_id, unit_id, customer_id, 'co_owner', CASE t WHEN 0 THEN date '2015-01-01' ELSE date '2021-01-01' END,
           CASE t WHEN 0 THEN date '2020-12-31' END, 'import', '2026-01-01Z', '2026-01-01Z' FROM owned;
    INSERT INTO customer.estate_imports (id, estate_id, file_name, size_bytes, sha256, state, created_by, create_time, update_time, end_time)
    -- Older than the one that the page begins behind, as ids of that time are.
    SELECT overlay(gen_random_uuid()::text PLACING '0190' FROM 1)::uuid, p.id, 'x', 1, '', 'applied', 'x', '2026-01-01Z', '2026-01-01Z', '2026-01-01Z'
      FROM picked p, generate_series(1, 200) n;
    INSERT INTO customer.estate_import_rows (import_id, line, action, unit_full_code, problems)
    SELECT i.id, n + 10, CASE WHEN n % 40 = 0 THEN 'refuse' ELSE 'create' END, '', '[]' FROM customer.estate_imports i, generate_series(1, 100) n;
    INSERT INTO customer.timeline_entries (id, estate_id, customer_id, unit_id, kind, subject_id, occur_time, record_time, title_code, parameters)
    SELECT gen_random_uuid(), estate_id, customer_id, unit_id, 'work_order', unit_id, at, at, 'work_order.created', '{}'
      FROM owned, unnest(ARRAY[timestamptz '2025-06-01Z', '2026-06-01Z', '2026-07-01Z', '2026-08-01Z']) AS start, LATERAL (SELECT start + n * interval '1 minute' AS at) AS times;";
