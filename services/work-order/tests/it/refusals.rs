//! Each refusal of the contract, with its code and its reason.

use steward_harness::Claims;
use steward_proto::common::v1 as common;
use steward_proto::work_order::v1 as pb;
use tonic::Code;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::lifecycle::completed;
use crate::world::{Caller, World, refused, request_id};

#[tokio::test]
async fn a_wrong_token_is_refused() {
    let world = World::new().await;
    let get = || pb::GetWorkOrderRequest { work_order_id: Uuid::now_v7().to_string() };
    for caller in [
        Caller::with_token("nonsense"),
        Caller::new(&Claims::staff("desk-1").role("customer_service").estate(world.estate).issued_by("https://elsewhere")),
        Caller::new(&Claims::staff("desk-1").role("customer_service").estate(world.estate).meant_for("others")),
    ] {
        refused(world.orders().get_work_order(caller.asks(get())).await, Code::Unauthenticated, "UNAUTHENTICATED");
    }
    let nobody = world.orders().get_work_order(get()).await;
    refused(nobody, Code::Unauthenticated, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let world = World::new().await;
    let answer = world.orders().create_work_order(world.wang().asks(world.burst_pipe())).await;
    let status = refused(answer, Code::PermissionDenied, "PERMISSION_DENIED");
    assert_eq!(status.get_error_details().error_info().unwrap().metadata["permission"], "work_order.create");
}

/// XC-30: what lies outside the caller's estates does not exist.
#[tokio::test]
async fn an_estate_outside_the_scope_does_not_exist() {
    let world = World::new().await;
    let id = world.create(world.burst_pipe()).await.id;
    let stranger = Caller::new(&Claims::staff("li").role("estate_manager").estate(Uuid::now_v7()));
    let answer = world.orders().create_work_order(stranger.asks(world.burst_pipe())).await;
    refused(answer, Code::NotFound, "ESTATE_NOT_FOUND");
    let answer = world.orders().get_work_order(stranger.asks(pb::GetWorkOrderRequest { work_order_id: id.clone() })).await;
    let outside = refused(answer, Code::NotFound, "WORK_ORDER_NOT_FOUND");
    let assign = pb::AssignWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        etag: String::new(),
        assignee: "wang".to_owned(),
        over_limit_reason: String::new(),
    };
    refused(world.orders().assign_work_order(stranger.asks(assign)).await, Code::NotFound, "WORK_ORDER_NOT_FOUND");
    let list = pb::ListWorkOrdersRequest { estate_id: world.estate.to_string(), ..Default::default() };
    refused(world.orders().list_work_orders(stranger.asks(list)).await, Code::NotFound, "ESTATE_NOT_FOUND");
    let absent = Uuid::now_v7().to_string();
    let answer = world.orders().get_work_order(stranger.asks(pb::GetWorkOrderRequest { work_order_id: absent })).await;
    assert_eq!(outside.message(), refused(answer, Code::NotFound, "WORK_ORDER_NOT_FOUND").message(), "the two cannot be told apart");
}

/// WO-42: a refusal says where the order stands and what would be allowed.
#[tokio::test]
async fn an_illegal_step_is_refused_with_what_would_be_allowed() {
    let world = World::new().await;
    let id = world.create(world.burst_pipe()).await.id;
    let accept = pb::AcceptWorkOrderRequest { work_order_id: id.clone(), request_id: request_id(), etag: String::new() };
    let status = refused(world.orders().accept_work_order(world.wang().asks(accept)).await, Code::FailedPrecondition, "STATE_FORBIDS");
    let details = status.get_error_details();
    let metadata = &details.error_info().unwrap().metadata;
    assert_eq!(metadata["state"], "classified");
    assert!(metadata["allowed_actions"].split(',').any(|verb| verb == "assign"), "{metadata:?}");
    assert_eq!(details.precondition_failure().unwrap().violations.len(), 1);

    world.assign(&id, "wang").await.unwrap();
    let other = world.staff("zhao", "technician");
    let accept = pb::AcceptWorkOrderRequest { work_order_id: id, request_id: request_id(), etag: String::new() };
    refused(world.orders().accept_work_order(other.asks(accept)).await, Code::FailedPrecondition, "NOT_THE_ASSIGNEE");
}

#[tokio::test]
async fn a_stale_etag_is_refused() {
    let world = World::new().await;
    let order = world.create(world.burst_pipe()).await;
    world.assign(&order.id, "wang").await.unwrap();
    let assign = |etag: &str| pb::AssignWorkOrderRequest {
        work_order_id: order.id.clone(),
        request_id: request_id(),
        etag: etag.to_owned(),
        assignee: "zhao".to_owned(),
        over_limit_reason: String::new(),
    };
    refused(world.orders().assign_work_order(world.desk().asks(assign(&order.etag))).await, Code::Aborted, "STALE_ETAG");
    refused(world.orders().assign_work_order(world.desk().asks(assign("yesterday"))).await, Code::InvalidArgument, "etag");
    world.orders().assign_work_order(world.desk().asks(assign("2"))).await.unwrap();
}

/// WO-05
#[tokio::test]
async fn an_unknown_unit_or_category_is_refused() {
    let world = World::new().await;
    let create = |change: fn(&mut pb::CreateWorkOrderRequest)| {
        let mut request = world.burst_pipe();
        change(&mut request);
        let (mut orders, desk) = (world.orders(), world.desk());
        async move { orders.create_work_order(desk.asks(request)).await }
    };
    refused(create(|request| request.unit_id = Uuid::now_v7().to_string()).await, Code::InvalidArgument, "UNIT_UNKNOWN");
    refused(create(|request| request.category = "plumbing.geyser".to_owned()).await, Code::InvalidArgument, "CATEGORY_UNKNOWN");
    let in_2096 =
        |request: &mut pb::CreateWorkOrderRequest| request.occur_time = Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 });
    refused(create(in_2096).await, Code::InvalidArgument, "TIME_NOT_PLAUSIBLE");
    let orders: i64 = sqlx::query_scalar("SELECT count(*) FROM work_order.work_orders").fetch_one(&world.db).await.unwrap();
    assert_eq!(orders, 0, "a refusal writes nothing");
}

#[tokio::test]
async fn every_bad_field_is_named_at_once() {
    let world = World::new().await;
    let request = pb::CreateWorkOrderRequest { request_id: "1".to_owned(), estate_id: "x".to_owned(), ..Default::default() };
    let status = world.orders().create_work_order(world.desk().asks(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_error_details();
    let mut fields: Vec<&str> = details.bad_request().unwrap().field_violations.iter().map(|violation| violation.field.as_str()).collect();
    fields.sort_unstable();
    fields.dedup();
    assert_eq!(fields, ["channel", "description", "estate_id", "kind", "request_id"]);
}

/// WO-28, C-16
#[tokio::test]
async fn a_callback_needs_a_score_and_another_caller() {
    let world = World::new().await;
    let id = completed(&world).await;
    let callback = |score| pb::RecordCallbackRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        outcome: pb::CallbackOutcome::Reached.into(),
        mode: pb::CallbackMode::Phone.into(),
        score,
        ..Default::default()
    };
    refused(world.orders().record_callback(world.desk().asks(callback(0))).await, Code::InvalidArgument, "SCORE_REQUIRED");
    let worker = world.staff("wang", "steward");
    refused(world.orders().record_callback(worker.asks(callback(5))).await, Code::FailedPrecondition, "CALLBACK_BY_WORKER");
}

/// WO-14, WO-48
#[tokio::test]
async fn a_complaint_needs_a_promise_and_a_completion_needs_its_proof() {
    let world = World::new().await;
    let mut complaint = world.burst_pipe();
    complaint.kind = common::WorkOrderKind::Complaint.into();
    complaint.description = "保洁不到位".to_owned();
    let id = world.create(complaint).await.id;
    let contact = pb::ContactCustomerRequest { work_order_id: id, request_id: request_id(), reached: true, ..Default::default() };
    refused(world.orders().contact_customer(world.staff("sun", "steward").asks(contact)).await, Code::InvalidArgument, "PROMISE_REQUIRED");

    let id = world.create(world.burst_pipe()).await.id;
    world.assign(&id, "wang").await.unwrap();
    let accept = pb::AcceptWorkOrderRequest { work_order_id: id.clone(), request_id: request_id(), etag: String::new() };
    world.orders().accept_work_order(world.wang().asks(accept)).await.unwrap();
    let complete =
        pb::CompleteWorkOrderRequest { work_order_id: id, request_id: request_id(), summary: "   ".to_owned(), ..Default::default() };
    refused(world.orders().complete_work_order(world.wang().asks(complete)).await, Code::InvalidArgument, "PROOF_INCOMPLETE");
}

#[tokio::test]
async fn an_unknown_clock_is_refused() {
    let world = World::new().await;
    let id = world.create(world.burst_pipe()).await.id;
    for (clock, cycle) in [("tea_break", 0), ("arrive", 2)] {
        let request = pb::ExplainClockRequest { work_order_id: id.clone(), clock: clock.to_owned(), cycle };
        refused(world.orders().explain_clock(world.desk().asks(request)).await, Code::NotFound, "CLOCK_NOT_FOUND");
    }
}
