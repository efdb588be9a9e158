//! How Postgres answers the lists, and finds what is due: by which nodes and which indexes, over a table of some size. The statements are
//! those that the service sends, read by a proxy; `golden/query_plans.snap` is what Postgres makes of them.

use std::fmt::Write;

use jiff::civil::date;
use steward_harness::query_plans::{self, PlanFor, PlannedQuery};
use steward_proto::care::v1 as pb;

use crate::planning::task;
use crate::world::{World, eventually, request_id};

/// A statement of the service.
struct Case {
    query: PlannedQuery,
    /// Lists of one household, and background work, go over every estate; every other one stays in one.
    in_one_estate: bool,
}

/// DESIGN §3, §10: lists go by an index that begins with the estate, page by key, and read no table from end to end; what is due is found
/// by an index of what waits, however many years of touchpoints there are.
#[tokio::test]
async fn lists_are_answered_by_the_indexes_made_for_them() {
    let world = World::new().await;
    let household = world.households.add(date(2026, 3, 1));
    let programme = world.publish_programme("calls", vec![task("call", "steward", None)]).await;
    world.until(household.id, pb::TouchpointState::Planned).await;
    let cases = cases(&world, &programme.id, household.id).await;
    fill(&world).await;
    let mut connection = world.db.acquire().await.unwrap();
    let mut all = String::new();
    for case in &cases {
        for mode in [PlanFor::AnyArguments, PlanFor::TheseArguments] {
            let plan = case.query.explain(&mut connection, mode).await.unwrap();
            let (name, shape) = (case.query.name, plan.shape());
            for table in ["touchpoints", "visits", "obligations", "contacts"] {
                assert!(!plan.reads_whole(table), "{name}, {mode:?}:\n{shape}");
            }
            let indexes = plan.leading_columns(&mut connection, "care").await.unwrap();
            for (index, column) in indexes.iter().filter(|_| case.in_one_estate) {
                assert_eq!(column, "estate_id", "{index} of {name}, {mode:?}");
            }
            if mode == PlanFor::TheseArguments {
                writeln!(all, "{name}\n{shape}").unwrap();
            }
        }
    }
    insta::with_settings!({ snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("query_plans", all);
    });
}

async fn cases(world: &World, programme: &str, household: uuid::Uuid) -> Vec<Case> {
    let estate = world.estate;
    let waiting = eventually("a look for what is due", || async { world.asked.last("ORDER BY mark_time").ok() }).await;
    let list = pb::ListTouchpointsRequest { estate_id: estate.to_string(), ..Default::default() };
    world.touchpoints().list_touchpoints(world.manager().asks(list)).await.unwrap();
    let of_estate = world.asked.last("programme_id = $2) AND (cardinality").unwrap();
    world.of_household(household).await;
    let of_household = world.asked.last("WHERE household_id = $1 AND ($2::uuid[]").unwrap();
    world.asked.take();
    let list = pb::ListObligationsRequest { estate_id: estate.to_string(), ..Default::default() };
    world.obligations().list_obligations(world.manager().asks(list)).await.unwrap();
    let obligations = world.asked.last("ORDER BY sort_time DESC").unwrap();
    let list = pb::ListVisitsRequest { visit_round_id: request_id(), ..Default::default() };
    world.visits().list_visits(world.manager().asks(list)).await.unwrap();
    let of_round = world.asked.last("v.round_id = $1").unwrap();
    let list = pb::ListVisitsRequest { visitor: "wang".to_owned(), estate_id: estate.to_string(), ..Default::default() };
    world.visits().list_visits(world.manager().asks(list)).await.unwrap();
    let of_visitor = world.asked.last("lead_visitor = $2").unwrap();
    let contacts =
        |household: String| pb::ListContactsRequest { estate_id: estate.to_string(), household_id: household, ..Default::default() };
    world.relationships().list_contacts(world.manager().asks(contacts(String::new()))).await.unwrap();
    let contacts_of_estate = world.asked.last("ORDER BY contact_time DESC").unwrap();
    world.relationships().list_contacts(world.manager().asks(contacts(household.to_string()))).await.unwrap();
    let contacts_of_household = world.asked.last("ORDER BY contact_time DESC").unwrap();

    let (first, later) = ("NULL, NULL".to_owned(), format!("'2025-09-01Z', '{estate}'"));
    let case = |name, sql: &str, arguments: String, in_one_estate| Case { query: PlannedQuery::new(name, sql, arguments), in_one_estate };
    vec![
        case("touchpoints of an estate, first page", &of_estate, format!("'{estate}', NULL, '{{}}', NULL, NULL, {first}, 51"), true),
        case("touchpoints of an estate, later page", &of_estate, format!("'{estate}', NULL, '{{}}', NULL, NULL, {later}, 51"), true),
        case("touchpoints of a programme", &of_estate, format!("'{estate}', '{programme}', '{{due}}', NULL, NULL, {later}, 51"), true),
        case("touchpoints of a household", &of_household, format!("'{household}', NULL, '{{}}', NULL, NULL, {later}, 51"), false),
        case("obligations of an estate", &obligations, format!("'{estate}', '{{}}', {later}, 51"), true),
        case("visits of a round", &of_round, format!("'{estate}', NULL, '{{}}', {later}, 51"), false),
        case("schedule of a visitor", &of_visitor, format!("'{estate}', 'wang', '{{}}', {later}, 51"), true),
        case("talks of an estate", &contacts_of_estate, format!("'{estate}', {later}, 51"), true),
        case("talks of a household", &contacts_of_household, format!("'{estate}', '{household}', {later}, 51"), false),
        case("what is due", &waiting, "'2026-03-01Z', 1000".to_owned(), false),
    ]
}

/// Two years of five estates: nearly all of it is over.
async fn fill(world: &World) {
    let fill = "
        INSERT INTO care.touchpoints (estate_id, id, state, sort_time, mark_time, document, row_version, create_time, update_time)
        SELECT CASE WHEN n % 5 = 0 THEN t.estate_id ELSE ('00000000-0000-7000-8000-00000000000' || n % 5)::uuid END, gen_random_uuid(),
               CASE WHEN n % 50 = 0 THEN 'planned' ELSE 'confirmed' END, at, at,
               t.document || jsonb_build_object('household_id', '00000000-0000-7000-9000-000000000' || 100 + n % 300), 1, at, at
          FROM care.touchpoints t, generate_series(1, 8000) n,
               LATERAL (SELECT '2024-03-01Z'::timestamptz + n * interval '130 minutes' AS at) AS time;
        INSERT INTO care.obligations (estate_id, id, state, sort_time, document, row_version, create_time, update_time)
        SELECT CASE WHEN n % 5 = 0 THEN t.estate_id ELSE ('00000000-0000-7000-8000-00000000000' || n % 5)::uuid END, gen_random_uuid(), 'done',
               at, '{}', 1, at, at
          FROM (SELECT estate_id FROM care.touchpoints LIMIT 1) t, generate_series(1, 3000) n,
               LATERAL (SELECT '2024-03-01Z'::timestamptz + n * interval '300 minutes' AS at) AS time;
        INSERT INTO care.visits (estate_id, id, state, sort_time, mark_time, document, row_version, create_time, update_time)
        SELECT CASE WHEN n % 5 = 0 THEN t.estate_id ELSE ('00000000-0000-7000-8000-00000000000' || n % 5)::uuid END, gen_random_uuid(), 'closed',
               at, at, jsonb_build_object('round_id', '00000000-0000-7000-9000-000000000' || 100 + n % 40, 'household_id',
               '00000000-0000-7000-9000-000000000' || 100 + n % 300, 'visitors', jsonb_build_array('visitor-' || n % 20)), 1, at, at
          FROM (SELECT estate_id FROM care.touchpoints LIMIT 1) t, generate_series(1, 4000) n,
               LATERAL (SELECT '2024-03-01Z'::timestamptz + n * interval '260 minutes' AS at) AS time;
        INSERT INTO care.contacts (estate_id, id, household_id, actor_subject, way, purpose, is_two_way, topics, contact_time, create_time)
        SELECT CASE WHEN n % 5 = 0 THEN t.estate_id ELSE ('00000000-0000-7000-8000-00000000000' || n % 5)::uuid END, gen_random_uuid(),
               ('00000000-0000-7000-9000-000000000' || 100 + n % 300)::uuid, 'steward-1', 'phone', 'relationship', true, '{}', at, at
          FROM (SELECT estate_id FROM care.touchpoints LIMIT 1) t, generate_series(1, 8000) n,
               LATERAL (SELECT '2024-03-01Z'::timestamptz + n * interval '155 minutes' AS at) AS time;";
    let large = "care.touchpoints, care.obligations, care.visits, care.contacts";
    query_plans::fill(&world.db, fill, large).await.unwrap();
}
