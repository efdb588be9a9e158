//! Every verb's good path, from the report at 02:00 to the satisfied close.

use steward_proto::common::v1 as common;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::{ClockState, CloseCode, State, Verdict};

use crate::world::{World, clock, request_id, time};

/// WO-06, WO-11, WO-12, WO-19: the report is classified by its words, and the clocks of its plan start.
#[tokio::test]
async fn a_burst_pipe_at_night_is_urgent_at_once() {
    let world = World::new().await;
    let order = world.create(world.burst_pipe()).await;
    assert_eq!(order.category, "plumbing.burst_pipe");
    assert_eq!((order.urgency(), order.classified_by.as_str()), (common::Urgency::L1, "burst_pipe"));
    assert_eq!(order.state(), State::Classified);
    assert_eq!(order.number, "WO-2026-000001");
    assert_eq!(order.etag, "1");
    assert_eq!(order.first_receiver, "desk-1");
    let due = |name| time(clock(&order, name, 1).due_time.as_ref()).duration_since(world.now()).as_mins();
    assert_eq!((due("first_response"), due("arrive"), due("contact_customer")), (15, 30, 30));
    assert_eq!(clock(&order, "push", 1).verdict(), Verdict::Kept);
    assert_eq!(world.get(&order.id).await, order, "what was answered is what is read");
}

/// WO-14, WO-18, WO-22, WO-42, WO-48, WO-31, WO-41: the main job, step by step.
#[tokio::test]
async fn the_story_of_an_order_from_report_to_close() {
    let world = World::new().await;
    let (wang, desk, mut orders) = (world.wang(), world.desk(), world.orders());
    let id = world.create(world.burst_pipe()).await.id;
    world.advance(2);
    assert_eq!(world.assign(&id, "wang").await.unwrap().state(), State::Assigned);

    world.advance(1);
    let accept = pb::AcceptWorkOrderRequest { work_order_id: id.clone(), request_id: request_id(), etag: "2".to_owned() };
    let order = orders.accept_work_order(wang.asks(accept)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!((order.state(), order.etag.as_str()), (State::Accepted, "3"));

    world.advance(4);
    let contact = pb::ContactCustomerRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        reached: true,
        promise: Some(common::Span { value: 2, unit: common::Unit::Hour.into(), calendar: "24x7".to_owned() }),
        note: "on my way".to_owned(),
        ..Default::default()
    };
    let order = orders.contact_customer(wang.asks(contact)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!(order.state(), State::Contacted);
    assert_eq!(clock(&order, "first_response", 1).verdict(), Verdict::Kept);
    assert_eq!(time(order.promise_time.as_ref()).duration_since(world.now()).as_hours(), 2);

    world.advance(15);
    let arrive = pb::ArriveOnSiteRequest { work_order_id: id.clone(), request_id: request_id(), ..Default::default() };
    let order = orders.arrive_on_site(wang.asks(arrive)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!((order.state(), clock(&order, "arrive", 1).verdict()), (State::OnSite, Verdict::Kept));

    world.advance(40);
    let order = complete(&world, &id).await;
    assert_eq!(order.state(), State::Completed);
    assert_eq!(order.proof.as_ref().unwrap().summary, "replaced the pipe");
    assert_eq!(clock(&order, "callback", 1).state(), ClockState::Running);

    world.advance(600);
    let order = call_back(&world, &id, 1).await;
    assert_eq!((order.state(), order.cycle, order.assignee.as_str()), (State::Reopened, 2, ""));
    assert_eq!(clock(&order, "arrive", 1).verdict(), Verdict::Kept, "verdicts of the first cycle stay");
    assert_eq!(clock(&order, "arrive", 2).state(), ClockState::Running);

    world.assign(&id, "wang").await.unwrap();
    let accept = pb::AcceptWorkOrderRequest { work_order_id: id.clone(), request_id: request_id(), etag: String::new() };
    orders.accept_work_order(wang.asks(accept)).await.unwrap();
    complete(&world, &id).await;
    world.advance(60);
    let order = call_back(&world, &id, 5).await;
    assert_eq!((order.state(), order.callbacks.len()), (State::Completed, 2));
    assert_eq!(clock(&order, "callback", 2).verdict(), Verdict::Kept);

    let close = pb::CloseWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        close_code: CloseCode::Resolved.into(),
        ..Default::default()
    };
    let order = orders.close_work_order(desk.asks(close)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!((order.state(), order.close_code()), (State::Closed, CloseCode::Resolved));

    let entries = world.history(&id).await;
    let actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).filter(|action| !action.starts_with("clock")).collect();
    assert_eq!(
        actions,
        [
            "create",
            "assign",
            "accept",
            "contact",
            "arrive",
            "complete",
            "record_callback",
            "reopen",
            "assign",
            "accept",
            "complete",
            "record_callback",
            "close"
        ]
    );
    let positions: Vec<u32> = entries.iter().map(|entry| entry.position).collect();
    assert!(positions.iter().copied().eq(1..=u32::try_from(entries.len()).unwrap()), "{positions:?}");
    assert!(entries.iter().all(|entry| entry.hash.len() == 64));
}

/// WO-31, WO-45: a closed order is opened again by hand, in a new cycle with new clocks.
#[tokio::test]
async fn reopening_a_closed_order_starts_new_clocks() {
    let world = World::new().await;
    let id = completed(&world).await;
    let close = pb::CloseWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        close_code: CloseCode::Resolved.into(),
        ..Default::default()
    };
    world.orders().close_work_order(world.desk().asks(close)).await.unwrap();
    world.advance(60);
    let reopen =
        pb::ReopenWorkOrderRequest { work_order_id: id, request_id: request_id(), reason: "leaks_again".to_owned(), ..Default::default() };
    let order = world.orders().reopen_work_order(world.desk().asks(reopen)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!((order.state(), order.cycle, order.close_code()), (State::Reopened, 2, CloseCode::Unspecified));
    assert_eq!(time(clock(&order, "arrive", 2).start_time.as_ref()), world.now());
}

/// WO-41, WO-75: the customer urges, which escalates once; the case is withdrawn.
#[tokio::test]
async fn an_order_is_urged_and_withdrawn() {
    let world = World::new().await;
    let id = world.create(world.burst_pipe()).await.id;
    for count in 1..=2 {
        let urge = pb::UrgeWorkOrderRequest { work_order_id: id.clone(), request_id: request_id(), etag: String::new() };
        let order = world.orders().urge_work_order(world.resident().asks(urge)).await.unwrap().into_inner().work_order.unwrap();
        assert_eq!(order.urge_count, count);
    }
    assert_eq!(world.count_facts(&id, "WorkOrderEscalated").await, 1);
    let cancel = pb::CancelWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        close_code: CloseCode::Withdrawn.into(),
        reason: "repaired_by_neighbour".to_owned(),
        ..Default::default()
    };
    let order = world.orders().cancel_work_order(world.resident().asks(cancel)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!(order.state(), State::Cancelled);
    assert!(order.clocks.iter().all(|clock| clock.state() != ClockState::Running));
    let timers: i64 = sqlx::query_scalar("SELECT count(*) FROM work_order.timers WHERE subject_id = $1::uuid")
        .bind(&id)
        .fetch_one(&world.db)
        .await
        .unwrap();
    assert_eq!(timers, 0, "nobody waits for an order that has ended");
}

/// An order whose work is done.
pub(crate) async fn completed(world: &World) -> String {
    let id = world.create(world.burst_pipe()).await.id;
    world.assign(&id, "wang").await.unwrap();
    let accept = pb::AcceptWorkOrderRequest { work_order_id: id.clone(), request_id: request_id(), etag: String::new() };
    world.orders().accept_work_order(world.wang().asks(accept)).await.unwrap();
    complete(world, &id).await;
    id
}

pub(crate) async fn complete(world: &World, id: &str) -> pb::WorkOrder {
    let photo = |kind: pb::MediaKind| pb::MediaRef { key: "photos/1.jpg".to_owned(), sha256: "0".repeat(64), kind: kind.into() };
    let request = pb::CompleteWorkOrderRequest {
        work_order_id: id.to_owned(),
        request_id: request_id(),
        summary: "replaced the pipe".to_owned(),
        media: vec![photo(pb::MediaKind::Before), photo(pb::MediaKind::After), photo(pb::MediaKind::Signature)],
        ..Default::default()
    };
    world.orders().complete_work_order(world.wang().asks(request)).await.unwrap().into_inner().work_order.unwrap()
}

async fn call_back(world: &World, id: &str, score: u32) -> pb::WorkOrder {
    let request = pb::RecordCallbackRequest {
        work_order_id: id.to_owned(),
        request_id: request_id(),
        outcome: pb::CallbackOutcome::Reached.into(),
        mode: pb::CallbackMode::Phone.into(),
        score,
        improvement: "come sooner".to_owned(),
        ..Default::default()
    };
    world.orders().record_callback(world.desk().asks(request)).await.unwrap().into_inner().work_order.unwrap()
}

/// WO-20, WO-76: staff read the plan of action; the customer reads that there is one.
#[tokio::test]
async fn an_assessment_is_internal_but_for_its_fact() {
    let world = World::new().await;
    let id = world.create(world.burst_pipe()).await.id;
    let request = pb::AssessWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        plan: "open the wall".to_owned(),
        customer_informed: true,
        ..Default::default()
    };
    let answer = world.orders().assess_work_order(world.wang().asks(request.clone())).await.unwrap().into_inner();
    let again = world.orders().assess_work_order(world.wang().asks(request)).await.unwrap().into_inner();
    assert_eq!(answer, again);
    let order = world.get(&id).await;
    assert_eq!(answer.work_order.as_ref(), Some(&order), "what was answered is what is read");
    assert_eq!(order.assessments.iter().map(|made| made.plan.as_str()).collect::<Vec<_>>(), ["open the wall"]);
    assert_eq!(clock(&order, "first_response", 1).verdict(), Verdict::Kept);
    assert_eq!(world.count_facts(&id, "WorkOrderAssessed").await, 1);
    let get = pb::GetWorkOrderRequest { work_order_id: id.clone() };
    let seen = world.orders().get_work_order(world.resident().asks(get)).await.unwrap().into_inner().work_order.unwrap();
    let in_clear: i64 = sqlx::query_scalar("SELECT count(*) FROM work_order.work_orders o WHERE o::text LIKE '%open the wall%'")
        .fetch_one(&world.db)
        .await
        .unwrap();
    assert_eq!(in_clear, 0);
    let seen = &seen.assessments[0];
    assert!(seen.customer_informed && seen.plan.is_empty() && seen.actor.is_none(), "{seen:?}");
}
