//! How Postgres answers the lists and look-ups of tables by month: by which indexes, and from how many months. The statements
//! are those that the service sends, read by a proxy; `golden/query_plans.snap` is what Postgres makes of them.

use std::collections::BTreeSet;
use std::fmt::Write;

use sqlx::{AssertSqlSafe, Executor, PgConnection};
use steward_harness::Asked;
use steward_harness::query_plans::{self, PlanFor, PlannedQuery};
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::consent_service_client::ConsentServiceClient;
use steward_proto::notification::v1::delivery_service_client::DeliveryServiceClient;
use steward_proto::notification::v1::routing_rule_service_client::RoutingRuleServiceClient;
use steward_proto::notification::v1::template_service_client::TemplateServiceClient;
use steward_proto::notification::v1::webhook_endpoint_service_client::WebhookEndpointServiceClient;

use crate::world::World;

/// Tables that grow for ever.
const LARGE: [&str; 5] = ["messages", "deliveries", "inbox_items", "contact_entries", "consents"];

/// DESIGN §4, §10: lists page by key, look-ups go by id, and both read the months that they need and no table from end to
/// end, however old the data are.
#[tokio::test]
async fn lists_are_answered_from_the_months_that_they_need() {
    let asked = Asked::default();
    let world = World::noted(&asked).await;
    let queries = queries(&world, &asked).await;
    let pool = world.database.superuser().await.unwrap();
    fill(&pool, &world).await;
    let mut connection = pool.acquire().await.unwrap();
    let mut all = String::new();
    for query in &queries {
        for mode in [PlanFor::TheseArguments, PlanFor::ManyCalls] {
            let plan = query.explain(&mut connection, mode).await.unwrap();
            let shape = plan.shape();
            for table in LARGE {
                assert!(!plan.reads_whole(table), "{}, {mode:?}:\n{shape}", query.name);
            }
            if mode == PlanFor::TheseArguments {
                let months = months(&mut connection, query).await;
                assert!(months.len() <= 2, "{} reads {months:?}:\n{shape}", query.name);
                writeln!(all, "{}\n{shape}", query.name).unwrap();
            }
        }
    }
    insta::with_settings!({ snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("query_plans", all);
    });
}

/// The months that Postgres looks into.
async fn months(connection: &mut PgConnection, query: &PlannedQuery) -> BTreeSet<String> {
    for sql in ["SET plan_cache_mode = force_custom_plan".to_owned(), format!("PREPARE months AS {}", query.sql)] {
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
    }
    let explain = format!("EXPLAIN (COSTS OFF, ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF) EXECUTE months ({})", query.arguments);
    let lines: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain)).persistent(false).fetch_all(&mut *connection).await.unwrap();
    connection.execute(sqlx::raw_sql("DEALLOCATE months")).await.unwrap();
    let looked = lines.iter().filter(|line| !line.contains("never executed"));
    let month = |line: &String| line.find("_y20").and_then(|at| line.get(at..at + 9).map(str::to_owned));
    looked.filter_map(month).collect()
}

/// What the service asks for each list, with arguments of one page in June 2025.
async fn queries(world: &World, asked: &Asked) -> Vec<PlannedQuery> {
    let (e, c) = (world.estate, world.customer);
    let ops = world.operations();
    let mut queries = Vec::new();
    let mut add = |name, sql: &str, arguments: String| queries.push(PlannedQuery::new(name, sql, arguments));
    let stretch = "'2025-05-20Z', '2025-06-20Z'";
    let id = "0197a3c0-0000-7000-8000-000000000000";
    let of_id = "'2025-06-23Z', '2025-06-25Z'";

    crate::consent::advert(world).await;
    crate::consent::agree(world).await;
    asked.take();
    let sent = crate::consent::send_advert(world).await;
    let standing = asked.last("FROM notification.contact_counts").unwrap();
    add("what counts for a customer", &standing, format!("'{{person}}', '{{{c}}}', '2024-05-01Z', '2026-07-01Z', '{{}}'"));

    let list = |estate: &str, customer: &str| pb::ListMessagesRequest {
        estate_id: estate.to_owned(),
        customer_id: customer.to_owned(),
        ..Default::default()
    };
    world.messages().list_messages(ops.asks(list(&e.to_string(), ""))).await.unwrap();
    let sql = asked.last("FROM notification.messages").unwrap();
    let key = format!("'2025-06-19Z', '{id}'");
    add("messages of an estate, later page", &sql, format!("'{{{e}}}', NULL, '{e}', NULL, NULL, NULL, NULL, {key}, 51, {stretch}, NULL"));
    add("messages to a customer, later page", &sql, format!("NULL, NULL, NULL, '{c}', NULL, NULL, NULL, {key}, 51, {stretch}, NULL"));
    add(
        "messages about a subject, first page",
        &sql,
        format!("NULL, NULL, NULL, NULL, '{id}', NULL, NULL, NULL, NULL, 51, {stretch}, NULL"),
    );
    add("messages of a broadcast, later page", &sql, format!("NULL, NULL, NULL, NULL, NULL, NULL, NULL, {key}, 51, {stretch}, '{id}'"));
    world.messages().get_message(ops.asks(pb::GetMessageRequest { message_id: sent.id.clone() })).await.unwrap();
    let sql = asked.last("m.id = $1").unwrap();
    add("a message by its id", &sql, format!("'{id}', NULL, NULL, {of_id}"));

    let mut deliveries = DeliveryServiceClient::new(world.channel());
    deliveries.list_deliveries(ops.asks(pb::ListDeliveriesRequest::default())).await.unwrap();
    let sql = asked.last("FROM notification.deliveries").unwrap();
    add("deliveries of an estate, later page", &sql, format!("'{{{e}}}', NULL, '{e}', NULL, NULL, NULL, {key}, 51, {stretch}"));
    add("deliveries of a message", &sql, format!("NULL, '{id}', NULL, NULL, NULL, NULL, NULL, NULL, 51, {stretch}"));
    add("dead deliveries of an estate", &sql, format!("'{{{e}}}', NULL, '{e}', NULL, NULL, 'dead', NULL, NULL, 51, {stretch}"));

    world.items(&world.resident(), 1).await;
    let sql = asked.last("WITH mine AS").unwrap();
    let reader = format!("'{c}', 'resident-1', '{{}}', '{{{e}}}', 'resident-1'");
    add("a customer's inbox, later page", &sql, format!("{reader}, 30000, NULL, false, 51, {stretch}"));
    let roles = format!("NULL, 'ops-1', '{{steward,estate_manager}}', '{{{e}}}', 'ops-1'");
    add("the inbox of roles, later page", &sql, format!("{roles}, 30000, NULL, false, 51, {stretch}"));

    let figures = steward_proto::metric::v1::ComputeMetricsRequest {
        estate_ids: vec![e.to_string()],
        period: Some(steward_proto::metric::v1::MetricPeriod { from_date: "2025-06-01".to_owned(), to_date: "2025-06-30".to_owned() }),
        definitions: vec![steward_proto::metric::v1::MetricDefinition { metric_id: "message_latency".to_owned(), ..Default::default() }],
        ..Default::default()
    };
    let mut metrics = steward_proto::metric::v1::metric_service_client::MetricServiceClient::new(world.channel());
    metrics.compute_metrics(ops.asks(figures)).await.unwrap();
    let sql = asked.last("notification.message_latency_ms").unwrap();
    add(
        "messages of a month, counted",
        &sql,
        format!("'{{{e}}}', '{{2025-06-01Z}}', '{{2025-07-01Z}}', NULL, '2025-06-01Z', '2025-07-01Z'"),
    );

    let contacts = pb::ListContactsRequest { customer_id: c.to_string(), ..Default::default() };
    world.ledger().list_contacts(ops.asks(contacts)).await.unwrap();
    let sql = asked.last("FROM notification.contact_entries").unwrap();
    add("contacts with a customer, later page", &sql, format!("{stretch}, NULL, NULL, NULL, '{c}', {key}, 51"));
    add("contacts with a household, first page", &sql, format!("{stretch}, NULL, NULL, '{id}', NULL, NULL, NULL, 51"));

    let consents = pb::ListConsentsRequest { customer_id: c.to_string(), ..Default::default() };
    ConsentServiceClient::new(world.channel()).list_consents(ops.asks(consents)).await.unwrap();
    let sql = asked.last("ORDER BY give_time DESC").unwrap();
    add("consents of a customer, later page", &sql, format!("'{c}', NULL, '2025-06-19Z', '{id}', 51"));

    // Few rows each; here so that no list of the service is missing.
    TemplateServiceClient::new(world.channel()).list_template_versions(ops.asks(pb::ListTemplateVersionsRequest::default())).await.unwrap();
    let sql = asked.last("FROM notification.template_versions").unwrap();
    add("template versions, later page", &sql, "NULL, NULL, 'clock.warned', 1, 51".to_owned());
    RoutingRuleServiceClient::new(world.channel()).list_routing_rules(ops.asks(pb::ListRoutingRulesRequest::default())).await.unwrap();
    let sql = asked.last("FROM notification.routing_rules").unwrap();
    add("routing rules, first page", &sql, "NULL, NULL, NULL, NULL, NULL, NULL, 51".to_owned());
    let mut endpoints = WebhookEndpointServiceClient::new(world.channel());
    endpoints.list_webhook_endpoints(ops.asks(pb::ListWebhookEndpointsRequest::default())).await.unwrap();
    let sql = asked.last("FROM notification.webhook_endpoints").unwrap();
    add("webhook endpoints, first page", &sql, "NULL, NULL, NULL, NULL, 51".to_owned());
    queries
}

/// A year of five estates and three hundred customers, in months.
async fn fill(pool: &sqlx::PgPool, world: &World) {
    for table in ["messages", "deliveries", "inbox_items", "contact_entries"] {
        let make = format!("SELECT notification.ensure_partitions('{table}', '2025-01-01Z', '2025-12-31Z')");
        pool.execute(sqlx::raw_sql(AssertSqlSafe(make))).await.unwrap();
    }
    let customer = world.customer;
    let fill = format!(
        "INSERT INTO notification.messages (estate_id, id, recipient_kind, customer_id, message_class, template_key, template_version,
             language, state, subject_kind, subject_id, content, steps, row_version, create_time, update_time)
         SELECT CASE WHEN n % 5 = 0 THEN m.estate_id ELSE ('00000000-0000-7000-8000-00000000000' || n % 5)::uuid END, gen_random_uuid(),
                'customer', CASE WHEN n % 300 = 0 THEN '{customer}' ELSE ('00000000-0000-7000-9000-000000000' || 100 + n % 300)::uuid END,
                'service', 'work_order.received', 1, 'zh-CN', 'delivered', 'work_order', gen_random_uuid(), m.content, m.steps, 1, t, t
           FROM notification.messages m, generate_series(1, 30000) n,
                LATERAL (SELECT '2025-01-01Z'::timestamptz + n * interval '17 minutes' AS t) AS at;
         INSERT INTO notification.deliveries (estate_id, id, message_id, message_create_time, channel, state, attempt_count,
             attempts_before, attempts, row_version, create_time, update_time)
         SELECT estate_id, gen_random_uuid(), id, create_time, 'email', CASE WHEN hashtext(id::text) % 100 = 0 THEN 'dead' ELSE 'sent' END, 1, 0, '[]', 1,
                create_time, create_time
           FROM notification.messages WHERE create_time < '2026-01-01Z';
         INSERT INTO notification.inbox_items (estate_id, message_id, message_create_time, delivery_id, customer_id, staff_role, message_class,
             template_key, title, body, subject_kind, create_time, position, place_time)
         SELECT estate_id, id, create_time, gen_random_uuid(), CASE WHEN n % 4 > 0 THEN customer_id END,
                CASE WHEN n % 4 = 0 THEN (ARRAY['steward', 'estate_manager', 'technician'])[1 + n % 3] END, 'service', 'x', 't', 'b', '',
                create_time, n, create_time
           FROM (SELECT *, row_number() OVER (ORDER BY create_time) AS n FROM notification.messages WHERE create_time < '2026-01-01Z') m;
         INSERT INTO notification.contact_entries (estate_id, id, household_id, customer_id, kind, message_class, subject_kind, topic, reasons,
             note, actor_kind, actor_subject, contact_time, create_time)
         SELECT estate_id, gen_random_uuid(), customer_id, customer_id, 'sent', 'service', '', '', '{{}}', '', 'service', 'x', create_time,
                create_time
           FROM notification.messages WHERE create_time < '2026-01-01Z';
         INSERT INTO notification.consents (id, customer_id, purpose, channel, text_version, language, proof_method, proof_reference,
             actor_kind, actor_subject, give_time, row_version, create_time)
         SELECT gen_random_uuid(), customer_id, 'care', 'inbox', '1', 'zh-CN', 'app', 'x', 'customer', 'x', create_time, 1, create_time
           FROM notification.messages WHERE create_time < '2026-01-01Z';
         INSERT INTO notification.contact_counts (scope, scope_id, contact_time, contact_id, message_class, subject_kind, topic)
         SELECT 'person', customer_id, create_time, gen_random_uuid(), 'marketing', '', ''
           FROM notification.messages WHERE create_time < '2026-01-01Z';"
    );
    let large = "notification.messages, notification.deliveries, notification.inbox_items, \
        notification.contact_entries, notification.consents, notification.contact_counts";
    query_plans::fill(pool, &fill, large).await.unwrap();
}
