//! The customer's form in the app, and the phone call that takes its place (WO-29).

use steward_proto::common::v1 as common;
use steward_proto::work_order::v1 as pb;
use tonic::Code;

use crate::world::{World, at, eventually, refused, request_id, time};

const DONE: &str = "2026-03-01T18:00:00Z";
const EXPIRED: &str = "2026-03-02T06:00:00Z";

async fn complaint(world: &World) -> String {
    let report = pb::CreateWorkOrderRequest { kind: common::WorkOrderKind::Complaint.into(), ..world.burst_pipe() };
    let id = world.create(pb::CreateWorkOrderRequest { description: "楼道卫生差".to_owned(), ..report }).await.id;
    begin(world, &id).await;
    let complete = pb::CompleteWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        summary: "cleaned".to_owned(),
        ..Default::default()
    };
    world.clock.set(at(DONE));
    world.orders().complete_work_order(world.wang().asks(complete)).await.unwrap();
    id
}

/// Wang has it, and has come.
async fn begin(world: &World, id: &str) {
    world.assign(id, "wang").await.unwrap();
    let accept = pb::AcceptWorkOrderRequest { work_order_id: id.to_owned(), request_id: request_id(), ..Default::default() };
    world.orders().accept_work_order(world.wang().asks(accept)).await.unwrap();
    let arrive = pb::ArriveOnSiteRequest { work_order_id: id.to_owned(), request_id: request_id(), ..Default::default() };
    world.orders().arrive_on_site(world.wang().asks(arrive)).await.unwrap();
}

async fn owed(world: &World) -> Vec<pb::WorkOrder> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListOwedCallsRequest { estate_id: world.estate.to_string(), page_size: 1, page_token };
        let page = world.orders().list_owed_calls(world.desk().asks(request)).await.unwrap().into_inner();
        all.extend(page.work_orders);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

/// WO-29: unanswered for twelve hours, the form becomes a phone call that the desk finds on its list, most urgent first.
#[tokio::test]
async fn an_unanswered_form_puts_a_call_on_the_list() {
    let world = World::new().await;
    let id = complaint(&world).await;
    assert_eq!(time(world.get(&id).await.callback_form_expire_time.as_ref()), at(EXPIRED));
    assert!(owed(&world).await.is_empty());
    world.clock.set(at(EXPIRED));
    eventually("the call", || async { (!owed(&world).await.is_empty()).then_some(()) }).await;
    let facts: Vec<_> = world.facts(&id).await.into_iter().filter(|(kind, _)| kind == "CallbackFormExpired").collect();
    assert_eq!(facts, [("CallbackFormExpired".to_owned(), at(EXPIRED))]);
    world.advance(30);
    let second = repair(&world).await;
    let listed = owed(&world).await;
    assert_eq!(listed.iter().map(|order| order.id.as_str()).collect::<Vec<_>>(), [id.as_str(), second.as_str()]);
    assert_eq!(time(listed[0].call_due_time.as_ref()), at("2026-03-02T18:00:00Z"));
    let resident = pb::ListOwedCallsRequest { estate_id: world.estate.to_string(), ..Default::default() };
    refused(world.orders().list_owed_calls(world.resident().asks(resident)).await, Code::PermissionDenied, "PERMISSION_DENIED");
}

/// A repair, done: it has no form, and its call is owed at once.
async fn repair(world: &World) -> String {
    let id = world.create(world.burst_pipe()).await.id;
    begin(world, &id).await;
    let complete = pb::CompleteWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        summary: "mended".to_owned(),
        media: vec![pb::MediaRef { key: "after.jpg".to_owned(), sha256: "00".repeat(32), kind: pb::MediaKind::After.into() }],
        ..Default::default()
    };
    world.orders().complete_work_order(world.wang().asks(complete)).await.unwrap();
    id
}

/// WO-29: the customer's own answer is the callback; no call follows.
#[tokio::test]
async fn an_answer_in_the_app_leaves_nobody_to_phone() {
    let world = World::new().await;
    let id = complaint(&world).await;
    let answer = pb::RecordCallbackRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        outcome: pb::CallbackOutcome::Reached.into(),
        mode: pb::CallbackMode::App.into(),
        score: 5,
        ..Default::default()
    };
    let order = world.orders().record_callback(world.resident().asks(answer)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!(order.callback_form_expire_time, None);
    let timers: i64 =
        sqlx::query_scalar("SELECT count(*) FROM work_order.timers WHERE kind = 'callback_form'").fetch_one(&world.db).await.unwrap();
    assert_eq!(timers, 0);
    world.clock.set(at(EXPIRED));
    assert!(owed(&world).await.is_empty());
    assert_eq!(world.count_facts(&id, "CallbackFormExpired").await, 0);
}
