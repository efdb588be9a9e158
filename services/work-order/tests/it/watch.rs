//! The stream of an order.

use std::time::Duration;

use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::State;
use tonic::{Code, Streaming};
use uuid::Uuid;

use crate::world::{World, refused, request_id};

async fn next(stream: &mut Streaming<pb::WatchWorkOrderResponse>) -> Option<pb::WorkOrder> {
    let message = tokio::time::timeout(Duration::from_secs(10), stream.message()).await.expect("something comes");
    message.unwrap().map(|message| message.work_order.unwrap())
}

async fn watch(world: &World, id: &str, after_etag: &str) -> Streaming<pb::WatchWorkOrderResponse> {
    let request = pb::WatchWorkOrderRequest { work_order_id: id.to_owned(), after_etag: after_etag.to_owned() };
    world.orders().watch_work_order(world.desk().asks(request)).await.unwrap().into_inner()
}

/// WO-75
#[tokio::test]
async fn a_watcher_sees_each_state_and_resumes_where_they_were() {
    let world = World::new().await;
    let id = world.create(world.burst_pipe()).await.id;
    let mut stream = watch(&world, &id, "").await;
    assert_eq!(next(&mut stream).await.unwrap().state(), State::Classified);
    world.assign(&id, "wang").await.unwrap();
    let order = next(&mut stream).await.unwrap();
    assert_eq!((order.state(), order.etag.as_str()), (State::Assigned, "2"));
    drop(stream);

    world.assign(&id, "zhao").await.unwrap();
    let mut stream = watch(&world, &id, &order.etag).await;
    assert_eq!(next(&mut stream).await.unwrap().assignee, "zhao");
    let cancel = pb::CancelWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        close_code: pb::CloseCode::Invalid.into(),
        reason: "test_call".to_owned(),
        ..Default::default()
    };
    world.orders().cancel_work_order(world.desk().asks(cancel)).await.unwrap();
    assert_eq!(next(&mut stream).await.unwrap().state(), State::Cancelled);
    assert_eq!(next(&mut stream).await, None, "the order has ended, and so does the stream");
}

/// The hint travels by Redis, in far less than the time after which a stream looks by itself.
#[tokio::test]
async fn a_change_made_by_another_replica_wakes_the_stream() {
    let mut world = World::new().await;
    let mut other = world.replica().await;
    let id = world.create(world.burst_pipe()).await.id;
    let request = pb::WatchWorkOrderRequest { work_order_id: id.clone(), after_etag: "1".to_owned() };
    let mut stream = other.watch_work_order(world.desk().asks(request)).await.unwrap().into_inner();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let changed = tokio::time::Instant::now();
    world.assign(&id, "wang").await.unwrap();
    assert_eq!(next(&mut stream).await.unwrap().state(), State::Assigned);
    assert!(changed.elapsed() < Duration::from_secs(3), "{:?}", changed.elapsed());
}

#[tokio::test]
async fn a_clock_that_breaches_shows_in_the_stream() {
    let world = World::new().await;
    let id = world.create(world.burst_pipe()).await.id;
    let mut stream = watch(&world, &id, "1").await;
    world.advance(16);
    let mut order = next(&mut stream).await.unwrap();
    while crate::world::clock(&order, "first_response", 1).last_step_percent < 100 {
        order = next(&mut stream).await.unwrap();
    }
    assert_eq!(crate::world::clock(&order, "first_response", 1).verdict(), pb::Verdict::Late);
}

#[tokio::test]
async fn an_order_that_is_not_there_cannot_be_watched() {
    let world = World::new().await;
    let request = pb::WatchWorkOrderRequest { work_order_id: Uuid::now_v7().to_string(), after_etag: String::new() };
    refused(world.orders().watch_work_order(world.desk().asks(request)).await, Code::NotFound, "WORK_ORDER_NOT_FOUND");
}
