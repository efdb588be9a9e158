//! Silence after completion (WO-78): the timer that ends it, and what ends the timer.

use steward_proto::common::v1 as common;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::{CloseCode, State};

use crate::lifecycle::completed;
use crate::world::{World, at, eventually, request_id, time};

/// Completed on 2 March, silent until 24:00 of the 9th in Shanghai.
const OVER: &str = "2026-03-09T16:00:00Z";

/// WO-78: after seven days without objection the service closes, and says that it did.
#[tokio::test]
async fn a_silent_order_is_closed_by_the_service() {
    let world = World::new().await;
    let id = completed(&world).await;
    assert_eq!(time(world.get(&id).await.auto_close_time.as_ref()), at(OVER));
    assert_eq!(timers(&world, &id).await, 1);
    world.clock.set(at(OVER));
    let order = eventually("the closing", || async { Some(world.get(&id).await).filter(|order| order.state() == State::Closed) }).await;
    assert_eq!((order.close_code(), order.auto_close_time), (CloseCode::AutoClosed, None));
    assert_eq!(order.assignee, "wang");
    let closed: Vec<_> = world.facts(&id).await.into_iter().filter(|(kind, _)| kind == "WorkOrderClosed").collect();
    assert_eq!(closed, [("WorkOrderClosed".to_owned(), at(OVER))]);
    let entry = world.history(&id).await.into_iter().find(|entry| entry.action == "close").unwrap();
    assert_eq!(entry.actor.as_ref().map(common::Actor::kind), Some(common::ActorKind::Service));
    assert_eq!(entry.detail["close_code"], "auto_closed");
    assert_eq!(timers(&world, &id).await, 0);
}

/// WO-78: an objection takes the timer away; time then passes without effect.
#[tokio::test]
async fn an_objection_ends_the_waiting() {
    let world = World::new().await;
    let id = completed(&world).await;
    let reopen = pb::ReopenWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        reason: "not_fixed".to_owned(),
        ..Default::default()
    };
    world.orders().reopen_work_order(world.desk().asks(reopen)).await.unwrap();
    assert_eq!(timers(&world, &id).await, 0);
    world.clock.set(at(OVER));
    eventually("the breach of the second cycle", || async { (world.count_facts(&id, "ClockBreached").await > 0).then_some(()) }).await;
    let order = world.get(&id).await;
    assert_eq!((order.state(), order.close_code()), (State::Reopened, CloseCode::Unspecified));
}

/// Timers that wait for the silence of an order to end.
async fn timers(world: &World, id: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM work_order.timers WHERE subject_id = $1::uuid AND kind = 'auto_close'")
        .bind(id)
        .fetch_one(&world.db)
        .await
        .unwrap()
}
