//! The price of a call in round trips, which DESIGN budgets: a proxy between the service and Postgres reads what is asked.

use steward_harness::Asked;
use steward_proto::work_order::v1 as pb;

use crate::world::{World, eventually, request_id};

/// Statements asked since the last look that touch what an RPC works with. Relay, timers and caches have their own tables; the
/// job of a key rotation looks at the headers of sealed values.
fn asked(log: &Asked) -> Vec<String> {
    let all = log.take();
    let background = |sql: &String| {
        ["outbox", "relay_shards", ".timers", "inbox", "pg_attribute", "FROM 1 FOR 5"].iter().any(|table| sql.contains(table))
            || is_epoch(sql)
    };
    all.into_iter().filter(|sql| !background(sql)).collect()
}

/// The job that keeps caches fresh asks for nothing else.
fn is_epoch(sql: &str) -> bool {
    sql == "SELECT epoch FROM work_order.policy_epoch"
}

/// DESIGN §4: an order with its clocks, timers, history, event and claim in one trip; a verb in two.
#[tokio::test]
async fn creating_an_order_takes_one_trip_and_a_verb_two() {
    let log = Asked::default();
    let world = World::through(async |upstream| log.proxy(upstream).await.unwrap()).await;
    // The first of everything fills caches and takes a block of numbers.
    let warm = world.create(world.burst_pipe()).await.id;
    world.assign(&warm, "wang").await.unwrap();
    asked(&log);

    let request = world.burst_pipe();
    let id = world.create(request.clone()).await.id;
    let create = asked(&log);
    assert_eq!(create.len(), 1, "{create:#?}");
    assert!(create[0].contains("INSERT INTO work_order.work_orders") && create[0].contains("write_effects"));

    world.assign(&id, "wang").await.unwrap();
    let assign = asked(&log);
    // Whoever becomes accountable is looked at.
    assert_eq!(assign.len(), 3, "{assign:#?}");
    assert!(assign[1].starts_with("SELECT w.principal") && assign[2].contains("UPDATE work_order.work_orders"));

    let get = pb::GetWorkOrderRequest { work_order_id: id.clone() };
    world.orders().get_work_order(world.desk().asks(get)).await.unwrap();
    assert_eq!(asked(&log).len(), 1);

    // A repetition pays for the claim that refuses it and for the stored answer.
    world.create(request).await;
    assert_eq!(asked(&log).len(), 2);

    let urge = pb::UrgeWorkOrderRequest { work_order_id: id, request_id: request_id(), etag: String::new() };
    world.orders().urge_work_order(world.resident().asks(urge)).await.unwrap();
    assert_eq!(asked(&log).len(), 2);
}

/// WO-44, XC-26: a storm's reports are due at one instant; their steps are taken together, in a load and a write for many of them.
#[tokio::test]
async fn steps_that_are_due_together_cost_no_statement_each() {
    const REPORTS: usize = 60;
    let log = Asked::default();
    let world = World::through(async |upstream| log.proxy(upstream).await.unwrap()).await;
    for _ in 0..REPORTS {
        world.create(world.burst_pipe()).await;
    }
    asked(&log);
    world.advance(8);
    let warned = "SELECT count(DISTINCT subject_id) FROM work_order.outbox WHERE type LIKE '%.ClockWarned'";
    eventually("a warning for each", || async {
        let count: i64 = sqlx::query_scalar(warned).fetch_one(&world.db).await.unwrap();
        (usize::try_from(count) == Ok(REPORTS)).then_some(())
    })
    .await;
    let asked = asked(&log);
    let writes = asked.iter().filter(|sql| sql.contains("UPDATE work_order.work_orders")).count();
    let loads = asked.iter().filter(|sql| sql.starts_with("SELECT") && sql.contains("work_order.clocks c")).count();
    assert!((1..=REPORTS / 2).contains(&writes), "{writes} writes for {REPORTS} orders");
    assert!(loads <= writes, "{loads} loads and {writes} writes");
}
