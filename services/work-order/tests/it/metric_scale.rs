//! S4: the month of 430 estates, every metric of this service. The rows are those of profile M: 260 cases an estate and month, six
//! clocks a case; beside them a year of the past, which must cost nothing.

use std::time::{Duration, Instant};

use steward_kit::metric::{Owner, metrics};
use steward_proto::metric::v1 as metric;
use uuid::Uuid;

use crate::metrics::{defined, march};
use crate::world::World;

const ESTATES: usize = 430;

/// Cases of estates in a stretch of days, each with its clocks and facts, as the service would have written them.
const FILL: &str = r#"
WITH cases AS MATERIALIZED (
    SELECT e.id AS estate_id, gen_random_uuid() AS id, gen_random_uuid() AS unit_id, gen_random_uuid() AS customer_id, n,
           $2::timestamptz + (n * interval '31 days' / $3) AS at,
           (ARRAY['repair', 'repair', 'repair', 'complaint', 'inquiry', 'inquiry', 'request'])[1 + n % 7] AS kind
      FROM unnest($1::uuid[]) AS e (id), generate_series(0, $3 - 1) AS n
), orders AS (
    INSERT INTO work_order.work_orders (estate_id, id, number, state, unit_id, customer_id, kind, category, urgency, classified_by,
        channel, description, location, occur_time, receive_time, cycle, urge_count, memory, texts, history_position, history_hash,
        update_time, row_version)
    SELECT estate_id, id, 'WO-' || n, 'completed', unit_id, customer_id, kind, 'plumbing.leak', 'l2', 'leak', 'app', '', '', at, at, 1,
           0, '{}', '', 1, '', at, 1
      FROM cases RETURNING 1
), clocks AS (
    INSERT INTO work_order.clocks (estate_id, work_order_id, cycle, name, generation, place, state, start_time, due_time, stop_time,
        verdict, provisional, clock)
    SELECT c.estate_id, c.id, 1, k.name, 1, k.place, 'stopped', c.at, c.at + interval '30 minutes',
           c.at + interval '1 minute' * (n % 40), CASE WHEN n % 40 <= 30 THEN 'kept' ELSE 'late' END, false, '{}'
      FROM cases c, unnest(ARRAY['push', 'first_response', 'contact_customer', 'arrive', 'result_feedback', 'callback'])
           WITH ORDINALITY AS k (name, place)
    RETURNING 1
)
INSERT INTO work_order.case_facts (estate_id, work_order_id, cycle, number, unit_id, customer_id, is_last, kind, category, channel,
    standing, occur_time, receive_time, start_time, respond_time, complete_time, opinion, callback_due_time, callback_provisional,
    reach_time, score, score_time, is_case_score, suspended_seconds)
SELECT estate_id, id, 1, 'WO-' || n, unit_id, customer_id, true, kind, 'plumbing.leak', 'app', 'valid', at, at, at,
       at + interval '10 minutes', at + interval '2 hours', 'accepts', at + interval '26 hours', false, at + interval '20 hours',
       1 + n % 5, at + interval '20 hours', true, 0
  FROM cases"#;

pub(crate) async fn fill(world: &World, estates: &[Uuid], from: &str, cases: i32) {
    let from = crate::world::at(from);
    sqlx::query(FILL).bind(estates).bind(jiff_sqlx::ToSqlx::to_sqlx(from)).bind(cases).execute(&world.db).await.unwrap();
}

/// S4
#[tokio::test]
#[ignore = "fills hundreds of thousands of rows; a minute"]
async fn the_month_of_430_estates_is_counted_in_seconds() {
    let world = World::new().await;
    let estates: Vec<Uuid> = (0..ESTATES).map(|_| Uuid::now_v7()).collect();
    for estate in &estates {
        world.register_estate(*estate).await;
    }
    fill(&world, &estates, "2026-02-28T16:00:00Z", 260).await;
    sqlx::query("ANALYZE work_order.clocks, work_order.case_facts, work_order.work_orders").execute(&world.db).await.unwrap();
    world.clock.set(crate::world::at("2026-04-20T00:00:00Z"));
    let own = metrics().iter().filter(|metric| metric.owner == Owner::WorkOrder);
    let definitions: Vec<_> = own.map(|one| metric::MetricDefinition { source: 0, ..defined(one.id) }).collect();
    let definitions: Vec<_> = definitions
        .into_iter()
        .filter(|one| steward_kit::metric::metric(&one.metric_id, None).is_some_and(|metric| metric.owner == Owner::WorkOrder))
        .collect();
    let ask = |estates: &[Uuid]| metric::ComputeMetricsRequest {
        estate_ids: estates.iter().map(Uuid::to_string).collect(),
        period: march(),
        definitions: definitions.clone(),
        ..Default::default()
    };
    let timed = |estates: &[Uuid]| {
        let (request, mut client, operations) = (ask(estates), world.metrics(), world.operations());
        async move {
            let start = Instant::now();
            let values = client.compute_metrics(operations.asks(request)).await.unwrap().into_inner().values;
            (start.elapsed(), values)
        }
    };
    timed(&estates[..1]).await;
    let (one, _) = timed(&estates[..1]).await;
    let (all, values) = timed(&estates).await;
    let total = values.iter().find(|value| value.estate_id.is_empty() && value.metric_id == "timely_rate.arrive").unwrap();
    assert_eq!(total.n, i64::try_from(ESTATES * 260).unwrap());
    eprintln!("{} metrics: one estate {one:?}, {ESTATES} estates {all:?}", definitions.len());
    assert!(all < Duration::from_secs(60), "S4 allows ten minutes for all presets: {all:?}");

    // A year of the past beside the month changes nothing for an estate.
    let past: Vec<Uuid> = estates[..20].to_vec();
    for month in 1..=12 {
        fill(&world, &past, &format!("2025-{month:02}-01T00:00:00Z"), 260).await;
    }
    sqlx::query("ANALYZE work_order.clocks, work_order.case_facts").execute(&world.db).await.unwrap();
    let (aged, _) = timed(&past[..1]).await;
    let (young, _) = timed(&estates[100..101]).await;
    eprintln!("one estate with a year of the past {aged:?}, without {young:?}");
    assert!(aged < young * 3 + Duration::from_millis(50), "{aged:?} against {young:?}");
}
