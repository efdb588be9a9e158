//! How Postgres answers the lists: by which nodes and which indexes, over a table of some size. The statements are those
//! that the service sends, read by a proxy; `golden/query_plans.snap` is what Postgres makes of them.

use std::fmt::Write;

use steward_harness::Asked;
use steward_harness::query_plans::{self, PlanFor, PlannedQuery};
use steward_proto::metric::v1::MetricPeriod;
use steward_proto::work_order::v1 as pb;

use crate::metrics::defined;
use crate::world::World;

/// A statement of the service.
struct Case {
    query: PlannedQuery,
    /// The list of a customer's own orders goes over every estate; every other one stays in one.
    in_one_estate: bool,
}

/// DESIGN §3, §10: lists go by an index that begins with the estate, page by key, and read no table from end to end.
#[tokio::test]
async fn lists_are_answered_by_the_indexes_made_for_them() {
    let log = Asked::default();
    let world = World::through(async |upstream| log.proxy(upstream).await.unwrap()).await;
    let id = world.create(world.burst_pipe()).await.id;
    world.assign(&id, "wang").await.unwrap();
    let cases = cases(&world, &id, &log).await;
    fill(&world).await;
    let mut connection = world.db.acquire().await.unwrap();
    let mut all = String::new();
    for case in &cases {
        // The plan for any arguments is the one that Postgres may turn to after some calls.
        for mode in [PlanFor::AnyArguments, PlanFor::TheseArguments] {
            let plan = case.query.explain(&mut connection, mode).await.unwrap();
            let (name, shape) = (case.query.name, plan.shape());
            for table in ["work_orders", "clocks", "history", "case_facts", "workers", "spot_checks", "root_causes"] {
                assert!(!plan.reads_whole(table), "{name}, {mode:?}:\n{shape}");
            }
            let indexes = plan.leading_columns(&mut connection, "work_order").await.unwrap();
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

/// What the service asks for each list, for a first page and for a later one.
async fn cases(world: &World, id: &str, log: &Asked) -> Vec<Case> {
    let (estate, customer) = (world.estate, world.customer);
    let list = |assignee: &str, customer: &str| pb::ListWorkOrdersRequest {
        estate_id: if customer.is_empty() { estate.to_string() } else { String::new() },
        assignee: assignee.to_owned(),
        customer_id: customer.to_owned(),
        ..Default::default()
    };
    let mut asked = Vec::new();
    for request in [list("", ""), list("wang", ""), list("", &customer.to_string())] {
        log.take();
        world.orders().list_work_orders(world.operations().asks(request)).await.unwrap();
        asked.push(log.last("ORDER BY o.receive_time DESC").unwrap());
    }
    let search = pb::SearchWorkOrdersRequest { estate_id: estate.to_string(), query: "000042".to_owned(), ..Default::default() };
    world.orders().search_work_orders(world.operations().asks(search)).await.unwrap();
    asked.push(log.last("reverse(o.number)").unwrap());
    let calls = pb::ListOwedCallsRequest { estate_id: estate.to_string(), ..Default::default() };
    world.orders().list_owed_calls(world.operations().asks(calls)).await.unwrap();
    let calls = log.last("ORDER BY o.call_due_time").unwrap();
    let cases = pb::ListCasesRequest {
        estate_id: estate.to_string(),
        period: Some(MetricPeriod { from_date: "2025-06-01".to_owned(), to_date: "2025-06-30".to_owned() }),
        ..Default::default()
    };
    world.analysis().list_cases(world.operations().asks(cases)).await.unwrap();
    let behind = log.last("f.occur_time, f.work_order_id LIMIT").unwrap();
    let history = pb::ListHistoryRequest { work_order_id: id.to_owned(), ..Default::default() };
    world.orders().list_history(world.operations().asks(history)).await.unwrap();
    asked.push(log.last("FROM work_order.history").unwrap());
    let figures = ["timely_rate.arrive", "handled_rate", "callback_coverage", "first_contact_resolution", "repeat_rate"];
    let figures = world.asks_for(figures.map(defined).into());
    log.take();
    world.compute(figures).await.unwrap();
    for part in
        ["c.due_time >= p.start_time", "f.occur_time >= p.start_time", "f.callback_due_time >= p.start_time", "n.category = f.category"]
    {
        asked.push(log.last(part).unwrap());
    }
    let candidates = pb::ListDuplicateCandidatesRequest { work_order_id: id.to_owned(), ..Default::default() };
    world.lineages().list_duplicate_candidates(world.operations().asks(candidates)).await.unwrap();
    let candidates = log.last("AS near").unwrap();
    let workers = pb::ListWorkersRequest { estate_id: estate.to_string(), ..Default::default() };
    world.roster().list_workers(world.operations().asks(workers)).await.unwrap();
    let workers = log.last("FROM work_order.workers").unwrap();
    let outlooks = pb::ListClockOutlooksRequest { estate_id: estate.to_string(), ..Default::default() };
    world.clocks().list_clock_outlooks(world.operations().asks(outlooks)).await.unwrap();
    let running = log.last("c.state = 'running'").unwrap();
    let settled = log.last("(stop_time IS NOT NULL OR verdict = 'late')").unwrap();
    let checks = pb::ListSpotChecksRequest { estate_id: estate.to_string(), ..Default::default() };
    world.quality().list_spot_checks(world.operations().asks(checks)).await.unwrap();
    let checks = log.last("FROM work_order.spot_checks").unwrap();
    let causes = pb::ListRootCausesRequest { estate_id: estate.to_string(), ..Default::default() };
    world.quality().list_root_causes(world.operations().asks(causes)).await.unwrap();
    let causes = log.last("FROM work_order.root_causes").unwrap();
    let wire = |text: &str| Some(steward_kit::proto::to_timestamp(crate::world::at(text)));
    let rework = pb::ListHiddenReworkRequest {
        estate_id: estate.to_string(),
        from_time: wire("2026-01-01T00:00:00Z"),
        to_time: wire("2026-02-01T00:00:00Z"),
        ..Default::default()
    };
    world.quality().list_hidden_rework(world.operations().asks(rework)).await.unwrap();
    let rework = log.last("make_interval").unwrap();
    let [by_state, by_assignee, by_customer, search, history, due, occurred, called_back, repeated] = asked.try_into().unwrap();
    let month = format!("'{{{estate}}}', '{{2026-01-01Z}}', '{{2026-02-01Z}}'");

    let every = "'{received,classified,assigned,accepted,contacted,on_site,completed,closed,reopened,cancelled}'";
    let (first, later) = ("NULL, NULL", format!("'2025-09-01Z', '{estate}'"));
    let case =
        |name, sql: &String, arguments: String, in_one_estate| Case { query: PlannedQuery::new(name, sql, arguments), in_one_estate };
    vec![
        case("list of an estate, first page", &by_state, format!("'{estate}', {every}, NULL, {first}, 51"), true),
        case("list of an estate, later page", &by_state, format!("'{estate}', {every}, NULL, {later}, 51"), true),
        case("list of an estate, one state", &by_state, format!("'{estate}', '{{closed}}', NULL, {later}, 51"), true),
        case("list of an assignee, later page", &by_assignee, format!("'{estate}', {every}, NULL, {later}, 51, 'staff-1'"), true),
        case("list of a customer, later page", &by_customer, format!("'{customer}', {every}, NULL, {later}, 51, NULL, NULL, NULL"), false),
        case("search by number", &search, format!("'{estate}', '240000%', NULL, {first}, 51, '000042%'"), true),
        case("search by category", &search, format!("'{estate}', 'kcolb%', NULL, {later}, 51, 'plumbing.block%'"), true),
        case("figures of a month, deadlines", &due, format!("{month}, '{{a,b}}', NULL"), true),
        case("figures of a month, cases", &occurred, format!("{month}, '{{complaint}}'"), true),
        case("figures of a month, callbacks", &called_back, format!("{month}, NULL"), true),
        case("figures of a month, repeats", &repeated, format!("{month}, NULL"), true),
        case(
            "running clocks, later page",
            &running,
            format!("'{estate}', '2026-02-20Z', NULL, NULL, '2026-02-21Z', '{id}', 'a', 51, {every}"),
            // The order of a clock is found by its id.
            false,
        ),
        case("settled clocks", &settled, format!("'{estate}', '2025-11-20Z', '2026-02-20Z', '{{a,b}}', 5000"), true),
        case(
            "cases behind a cell, later page",
            &behind,
            format!(
                "'{estate}', '2025-06-01Z', '2025-07-01Z', '{{valid}}', '{{}}', '{{plumbing}}', '{{9}}', '{{}}', '{{}}', 'Asia/Shanghai', \
                 '{{}}', '2025-06-15Z', '{id}', 51"
            ),
            true,
        ),
        case("owed calls of an estate, later page", &calls, format!("'{estate}', NULL, '2025-09-01Z', '{id}', 51"), true),
        case("roster of an estate, later page", &workers, format!("'{estate}', 'w100', 51"), true),
        case(
            "duplicate candidates, later page",
            &candidates,
            format!(
                "'{estate}', '{id}', NULL, {later}, 51, '{customer}', '{customer}', '2025-08-01Z', '2025-09-01Z', '{{closed,cancelled}}', \
                 'repair', 'plumbing.leak'"
            ),
            // What a customer reported is found by the customer.
            false,
        ),
        case("spot checks of an estate, later page", &checks, format!("'{estate}', false, '2025-09-01Z', '{estate}', 51"), true),
        case("root causes of an estate, later page", &causes, format!("'{estate}', '{id}', 51"), true),
        case("hidden rework, first page", &rework, format!("'{estate}', '2026-01-01Z', '2026-02-01Z', 30, NULL, NULL, 51"), true),
        case("history, later page", &history, format!("'{estate}', '{id}', 2, '2026-03-01Z', '2026-03-05Z', 51"), true),
    ]
}

/// Two years of five estates: most orders are closed, two people work on them, three hundred customers report.
async fn fill(world: &World) {
    let fill = "
        INSERT INTO work_order.work_orders (estate_id, id, number, state, customer_id, kind, category, urgency, classified_by, channel,
            description, location, assignee, occur_time, receive_time, cycle, urge_count, close_code, memory, texts, history_position,
            history_hash, update_time, row_version, call_due_time)
        SELECT CASE WHEN n % 5 = 0 THEN o.estate_id ELSE ('00000000-0000-7000-8000-00000000000' || n % 5)::uuid END, gen_random_uuid(),
               'WO-2025-' || lpad(n::text, 6, '0'),
               CASE WHEN n % 11 <> 0 THEN 'closed' ELSE (ARRAY['classified', 'assigned', 'completed', 'cancelled'])[1 + n % 4] END,
               CASE WHEN n % 300 = 0 THEN o.customer_id ELSE ('00000000-0000-7000-9000-000000000' || 100 + n % 300)::uuid END,
               o.kind, (ARRAY['plumbing.leak', 'plumbing.blocked_drain', 'cleaning', 'parking', 'other'])[1 + n / 7 % 5], o.urgency,
               o.classified_by, o.channel, o.description, o.location, 'staff-' || n % 2, t, t, 1, 0, NULL, o.memory, o.texts,
               o.history_position, o.history_hash, t, 1,
               CASE WHEN n % 11 = 0 THEN t END
          FROM work_order.work_orders o, generate_series(1, 6000) n,
               LATERAL (SELECT '2024-03-01Z'::timestamptz + n * interval '175 minutes' AS t) AS at;
        UPDATE work_order.work_orders SET unit_id = customer_id WHERE number LIKE 'WO-2025-%';
        INSERT INTO work_order.clocks (estate_id, work_order_id, cycle, name, generation, place, state, start_time, due_time, stop_time,
            verdict, provisional, clock)
        SELECT w.estate_id, w.id, 1, name, 1, 0, 'stopped', w.receive_time, w.receive_time, w.receive_time, 'kept', false, '{}'
          FROM work_order.work_orders w, unnest(ARRAY['a', 'b', 'c', 'd']) AS name WHERE w.number LIKE 'WO-2025-%';
        INSERT INTO work_order.history (estate_id, work_order_id, position, action, state, actor_kind, actor_subject, occur_time,
            record_time, detail, hash)
        SELECT w.estate_id, w.id, position, 'assign', 'assigned', 'staff', 'x', '2026-03-01Z'::timestamptz, '2026-03-01Z', '{}', ''
          FROM work_order.work_orders w, generate_series(1, 5) AS position WHERE w.number LIKE 'WO-2025-%';
        INSERT INTO work_order.case_facts (estate_id, work_order_id, cycle, number, unit_id, customer_id, is_last, kind, category, channel,
            standing, occur_time, receive_time, start_time, complete_time, close_time, opinion, callback_due_time, callback_provisional,
            is_case_score, suspended_seconds)
        SELECT w.estate_id, w.id, 1, w.number, w.customer_id, w.customer_id, true, w.kind, w.category, w.channel, 'valid', w.receive_time,
               w.receive_time, w.receive_time, w.receive_time, w.receive_time, 'silent', w.receive_time, false, false, 0
          FROM work_order.work_orders w WHERE w.number LIKE 'WO-2025-%';
        INSERT INTO work_order.workers (estate_id, principal, skills, line_manager, shifts, open_limit, update_time, row_version)
        SELECT CASE WHEN n % 5 = 0 THEN o.estate_id ELSE ('00000000-0000-7000-8000-00000000000' || n % 5)::uuid END, 'w' || n,
               '{plumbing}', NULL, '[]', 1, '2026-01-01Z', 1
          FROM work_order.work_orders o, generate_series(1, 3000) n WHERE o.number NOT LIKE 'WO-2025-%';
        INSERT INTO work_order.spot_checks (estate_id, id, week_start_date, work_order_id, number, handlers, state, due_time, notify_roles,
            create_time)
        SELECT CASE WHEN n % 5 = 0 THEN o.estate_id ELSE ('00000000-0000-7000-8000-00000000000' || n % 5)::uuid END, gen_random_uuid(),
               '2025-01-06', gen_random_uuid(), 'x', '{}', 'open', '2024-03-01Z'::timestamptz + n * interval '175 minutes', '{}', '2025-01-13Z'
          FROM work_order.work_orders o, generate_series(1, 3000) n WHERE o.number NOT LIKE 'WO-2025-%';
        INSERT INTO work_order.root_causes (estate_id, id, category, answers, evidence, author_kind, author, create_time)
        SELECT CASE WHEN n % 5 = 0 THEN o.estate_id ELSE ('00000000-0000-7000-8000-00000000000' || n % 5)::uuid END, gen_random_uuid(),
               'other', '', '{}', 'staff', 'x', '2025-01-13Z'
          FROM work_order.work_orders o, generate_series(1, 3000) n WHERE o.number NOT LIKE 'WO-2025-%';";
    let large = "work_order.work_orders, work_order.clocks, work_order.history, work_order.case_facts, work_order.workers,
        work_order.spot_checks, work_order.root_causes";
    query_plans::fill(&world.db, fill, large).await.unwrap();
}
