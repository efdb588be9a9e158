//! The recomputation after a calendar year was loaded, over more orders than one batch holds.

use steward_proto::work_order::v1 as pb;
use uuid::Uuid;

use crate::calendars::{YEAR_2027, load_long_limit};
use crate::world::{World, eventually, request_id};

/// One more than two batches hold.
const ORDERS: i64 = 101;

/// XC-20: every order is recomputed, once, batch after batch.
#[tokio::test]
async fn a_recomputation_goes_on_over_several_batches() {
    let world = World::new().await;
    load_long_limit(&world).await;
    for _ in 0..ORDERS {
        world.create(world.burst_pipe()).await;
    }
    assert_eq!(count(&world, PROVISIONAL).await, ORDERS);
    let load = pb::LoadCalendarYearRequest { request_id: request_id(), document_json: YEAR_2027.to_owned() };
    world.calendars().load_calendar_year(world.operations().asks(load)).await.unwrap();
    eventually("the last batch", || async { (count(&world, PROVISIONAL).await == 0 && count(&world, RUNNING).await == 0).then_some(()) })
        .await;
    assert_eq!(count(&world, "SELECT count(*) FROM work_order.history WHERE action = 'clock_recomputed'").await, ORDERS);
    let once: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT work_order_id, count(*) FROM work_order.history WHERE action = 'clock_recomputed' GROUP BY 1 HAVING count(*) > 1",
    )
    .fetch_all(&world.db)
    .await
    .unwrap();
    assert_eq!(once, []);
}

const PROVISIONAL: &str = "SELECT count(*) FROM work_order.clocks WHERE provisional";
const RUNNING: &str = "SELECT count(*) FROM work_order.timers WHERE kind = 'recompute_clocks'";

async fn count(world: &World, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&world.db).await.unwrap()
}
