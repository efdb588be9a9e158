//! S4: the month of 430 estates, every metric of this service. The rows are those of profile M: 260 cases an estate and month, six
//! clocks a case; beside them a year of the past, which must cost nothing.

use std::time::{Duration, Instant};

use steward_harness::cases::Cases;
use steward_kit::metric::{Owner, metrics};
use steward_proto::metric::v1 as metric;
use uuid::Uuid;

use crate::metrics::{defined, march};
use crate::world::World;

const ESTATES: usize = 430;

/// A month of cases of each estate.
pub(crate) async fn fill(world: &World, estates: &[Uuid], from: &str, cases: i32) {
    let cases = Cases { from: crate::world::at(from), days: 31, of_each: cases, are_closed: false };
    cases.fill(&world.db, estates).await.unwrap();
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
