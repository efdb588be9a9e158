//! Work on site through the service: what was agreed is kept, told, and moves the clocks it should.

use steward_proto::common::v1 as common;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::ClockState;
use tonic::Code;

use crate::world::{World, at, clock, eventually, refused, request_id, time};

async fn leak(world: &World) -> String {
    let mut leak = world.burst_pipe();
    leak.description = "水龙头漏水".to_owned();
    let id = world.create(leak).await.id;
    world.assign(&id, "wang").await.unwrap();
    id
}

fn appointment(id: &str, start: &str, end: &str, apology_call: bool) -> pb::AgreeAppointmentRequest {
    let wire = |text: &str| Some(steward_kit::proto::to_timestamp(at(text)));
    pb::AgreeAppointmentRequest {
        work_order_id: id.to_owned(),
        request_id: request_id(),
        etag: String::new(),
        start_time: wire(start),
        end_time: wire(end),
        apology_call,
    }
}

/// WO-18, WO-46: the visit is put off by a call before it was to begin; the customer's event says so, and the clock goes with it.
#[tokio::test]
async fn a_visit_is_agreed_put_off_and_told() {
    let world = World::new().await;
    let id = leak(&world).await;
    let (wang, mut orders) = (world.wang(), world.orders());
    let first = appointment(&id, "2026-03-02T01:00:00Z", "2026-03-02T03:00:00Z", false);
    let order = orders.agree_appointment(wang.asks(first)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!(time(clock(&order, "arrive", 1).due_time.as_ref()), at("2026-03-02T03:00:00Z"));
    world.advance(60);
    let without = appointment(&id, "2026-03-02T06:00:00Z", "2026-03-02T08:00:00Z", false);
    refused(orders.agree_appointment(wang.asks(without)).await, Code::InvalidArgument, "APOLOGY_CALL_REQUIRED");
    let second = appointment(&id, "2026-03-02T06:00:00Z", "2026-03-02T08:00:00Z", true);
    orders.agree_appointment(wang.asks(second)).await.unwrap();
    let order = world.get(&id).await;
    assert_eq!(order.appointments.len(), 2);
    assert!(order.appointments[1].told_in_time && order.appointments[1].apology_call);
    assert_eq!(time(clock(&order, "arrive", 1).due_time.as_ref()), at("2026-03-02T08:00:00Z"));
    let told: Vec<_> = world.facts(&id).await.into_iter().filter(|(kind, _)| kind == "AppointmentAgreed").collect();
    assert_eq!(told.len(), 2);
    assert!(told[1].1 < at("2026-03-02T01:00:00Z"), "before the old start");
    let explain = pb::ExplainClockRequest { work_order_id: id, clock: "arrive".to_owned(), cycle: 0 };
    let answer = world.orders().explain_clock(world.desk().asks(explain)).await.unwrap().into_inner();
    assert!(answer.intervals.iter().any(|interval| interval.label == "appointment"), "{:?}", answer.intervals);
}

/// WO-43: weather needs a second person's word and ends after three days by itself, as the base plan says.
#[tokio::test]
async fn a_pause_is_approved_and_ends_by_itself() {
    let world = World::new().await;
    let id = leak(&world).await;
    let suspend = pb::SuspendWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        etag: String::new(),
        reason: common::SuspensionReason::Weather.into(),
    };
    let order = world.orders().suspend_work_order(world.wang().asks(suspend)).await.unwrap().into_inner().work_order.unwrap();
    assert!(order.suspension.as_ref().unwrap().awaits_approval);
    let approve = || pb::ApproveSuspensionRequest { work_order_id: id.clone(), request_id: request_id(), etag: String::new() };
    refused(world.orders().approve_suspension(world.wang().asks(approve())).await, Code::PermissionDenied, "PERMISSION_DENIED");
    let boss = world.staff("boss", "estate_manager");
    let order = world.orders().approve_suspension(boss.asks(approve())).await.unwrap().into_inner().work_order.unwrap();
    assert!(!order.suspension.as_ref().unwrap().awaits_approval);
    let over = time(order.suspension.as_ref().unwrap().max_time.as_ref());
    world.clock.set(over);
    let order = eventually("the resumption", || async { Some(world.get(&id).await).filter(|order| order.suspension.is_none()) }).await;
    assert_eq!(clock(&order, "arrive", 1).state(), ClockState::Running);
    let resumed: Vec<_> = world.facts(&id).await.into_iter().filter(|(kind, _)| kind == "WorkOrderResumed").collect();
    assert_eq!(resumed, [("WorkOrderResumed".to_owned(), over)]);
}
