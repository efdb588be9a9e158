//! Orders that the roster takes by itself, and whom an order keeps away from.

use std::collections::BTreeMap;
use std::sync::Arc;

use steward_proto::common::v1 as common;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::State;
use tokio::task::JoinSet;
use tonic::Code;

use crate::roster::{plumber, shift};
use crate::words::reason;
use crate::world::{Answer, World, refused, request_id};

impl World {
    async fn grab(&self, id: &str, who: &str) -> Answer<pb::WorkOrder> {
        let request = pb::GrabWorkOrderRequest { work_order_id: id.to_owned(), request_id: request_id(), etag: String::new() };
        let answer = self.orders().grab_work_order(self.staff(who, "technician").asks(request)).await?;
        Ok(answer.into_inner().work_order.unwrap())
    }
}

/// Lesson 7: 200 workers want 50 orders at once, each of them two: every order is taken once, and nobody has more than their
/// limit of one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_workers_grab_fifty_orders_and_each_is_taken_once() {
    let world = Arc::new(World::new().await);
    let names: Vec<String> = (0..200).map(|n| format!("w{n:03}")).collect();
    world.put(names.iter().map(|name| plumber(name, 1)).collect()).await;
    let mut orders = Vec::new();
    for _ in 0..50 {
        orders.push(world.create(world.burst_pipe()).await.id);
    }
    let mut grabs = JoinSet::new();
    for (n, name) in names.iter().enumerate() {
        for id in [&orders[n % 50], &orders[(n * 7 + 1) % 50]] {
            let (world, name, id) = (world.clone(), name.clone(), id.clone());
            grabs.spawn(async move {
                // Whom a busy pool sends away tries again, as an app does.
                for _ in 0..20 {
                    match world.grab(&id, &name).await {
                        Err(busy) if matches!(busy.code(), Code::Unavailable | Code::ResourceExhausted) => {}
                        answer => return (name, answer),
                    }
                }
                panic!("the service was busy for too long");
            });
        }
    }
    let (mut taken, mut refusals) = (BTreeMap::new(), BTreeMap::<String, u32>::new());
    while let Some(done) = grabs.join_next().await {
        match done.unwrap() {
            (name, Ok(order)) => {
                assert_eq!((order.state(), &order.assignee), (State::Accepted, &name));
                assert_eq!(taken.insert(order.id, name), None, "an order is given once");
            }
            (_, Err(status)) => *refusals.entry(reason(&status)).or_default() += 1,
        }
    }
    assert_eq!(taken.len(), 50, "each order is taken: {refusals:?}");
    let mut workers: Vec<_> = taken.values().collect();
    workers.sort();
    workers.dedup();
    assert_eq!(workers.len(), 50, "nobody has two");
    assert_eq!(refusals.values().sum::<u32>(), 350);
    let known = ["STATE_FORBIDS", "AT_LIMIT", "STALE_ETAG"];
    assert!(refusals.keys().all(|why| known.contains(&why.as_str())), "{refusals:?}");
    let sql = "SELECT count(*), count(DISTINCT assignee) FROM work_order.work_orders WHERE state = 'accepted'";
    let written: (i64, i64) = sqlx::query_as(sql).fetch_one(&world.db).await.unwrap();
    assert_eq!(written, (50, 50));
}

/// Who is not on the roster, not on shift, without the skill or at their limit takes nothing; what is taken is told once.
#[tokio::test]
async fn an_order_is_grabbed_by_those_whom_nothing_bars() {
    let world = World::new().await;
    let gardener = pb::WorkerEntry { skills: vec!["greening".to_owned()], ..plumber("gardener", 1) };
    let early = pb::WorkerEntry { shifts: vec![shift("2026-03-01T10:00:00Z", "2026-03-01T18:00:00Z")], ..plumber("early", 1) };
    world.put(vec![plumber("wang", 1), gardener, early, plumber("idle", 0), plumber("zhou", 2)]).await;
    let id = world.create(world.burst_pipe()).await.id;
    // The early shift ends at the very instant.
    let cases = [("nobody", "NOT_ON_ROSTER"), ("gardener", "LACKS_SKILL"), ("early", "OFF_SHIFT"), ("idle", "AT_LIMIT")];
    for (who, why) in cases {
        refused(world.grab(&id, who).await, Code::FailedPrecondition, why);
    }
    let request = pb::GrabWorkOrderRequest { work_order_id: id.clone(), request_id: request_id(), etag: String::new() };
    let first = world.orders().grab_work_order(world.wang().asks(request.clone())).await.unwrap().into_inner();
    let again = world.orders().grab_work_order(world.wang().asks(request)).await.unwrap().into_inner();
    assert_eq!(first, again, "a repetition is answered, not refused");
    let order = first.work_order.unwrap();
    assert_eq!((order.state(), order.assignee.as_str()), (State::Accepted, "wang"));
    assert_eq!((world.count_facts(&id, "WorkOrderAssigned").await, world.count_facts(&id, "WorkOrderAccepted").await), (1, 1));
    assert!(world.history(&id).await.iter().any(|entry| entry.action == "grab" && entry.detail["assignee"] == "wang"));
    refused(world.grab(&id, "zhou").await, Code::FailedPrecondition, "STATE_FORBIDS");
    let other = world.create(world.burst_pipe()).await.id;
    refused(world.grab(&other, "wang").await, Code::FailedPrecondition, "AT_LIMIT");
    // What is done is no longer under way.
    crate::lifecycle::complete(&world, &id).await;
    world.grab(&other, "wang").await.unwrap();
}

/// WO-79: a complaint about A goes neither to A nor to A's line, by assignment, by grabbing or for the callback; customers do not
/// read whom it names, and what a customer writes there is not heard.
#[tokio::test]
async fn a_complaint_about_somebody_keeps_away_from_them_and_their_line() {
    let world = World::new().await;
    let cleaner = |who: &str, manager: &str| pb::WorkerEntry {
        line_manager: manager.to_owned(),
        skills: vec!["cleaning".to_owned()],
        ..plumber(who, 5)
    };
    world.put(vec![cleaner("accused", "lead"), cleaner("lead", "head"), cleaner("under", "accused"), cleaner("peer", "lead")]).await;
    let accused = |who: &str| Some(pb::Accused { principals: vec![who.to_owned()] });
    let order = world.create(pb::CreateWorkOrderRequest { accused: accused("accused"), ..world.complaint() }).await;
    assert_eq!((order.state(), order.accused.as_slice()), (State::Classified, &["accused".to_owned()][..]));
    for who in ["accused", "lead", "head", "under"] {
        refused(world.assign(&order.id, who).await, Code::FailedPrecondition, "STAFF_ACCUSED");
        if who != "head" {
            refused(world.grab(&order.id, who).await, Code::FailedPrecondition, "STAFF_ACCUSED");
        }
    }
    world.grab(&order.id, "peer").await.unwrap();
    let get = pb::GetWorkOrderRequest { work_order_id: order.id.clone() };
    let seen = world.orders().get_work_order(world.resident().asks(get)).await.unwrap().into_inner().work_order.unwrap();
    assert_eq!(seen.accused, Vec::<String>::new());

    // Whoever is accountable is not named, nor their line; another is assigned first.
    let classify = |who: &str| pb::ClassifyWorkOrderRequest {
        work_order_id: order.id.clone(),
        request_id: request_id(),
        category: order.category.clone(),
        urgency: common::Urgency::L2.into(),
        reason: "说的是另一位".to_owned(),
        accused: accused(who),
        ..Default::default()
    };
    let named = world.orders().classify_work_order(world.desk().asks(classify("peer"))).await;
    refused(named, Code::FailedPrecondition, "STAFF_ACCUSED");
    let named = world.orders().classify_work_order(world.desk().asks(classify("lead"))).await;
    refused(named, Code::FailedPrecondition, "STAFF_ACCUSED");
    world.orders().classify_work_order(world.desk().asks(classify("under"))).await.unwrap();
    assert_eq!(world.get(&order.id).await.accused, ["under"]);

    let photo = |kind: pb::MediaKind| pb::MediaRef { key: "photos/1.jpg".to_owned(), sha256: "0".repeat(64), kind: kind.into() };
    let complete = pb::CompleteWorkOrderRequest {
        work_order_id: order.id.clone(),
        request_id: request_id(),
        summary: "打扫了".to_owned(),
        media: vec![photo(pb::MediaKind::Before), photo(pb::MediaKind::After), photo(pb::MediaKind::Signature)],
        ..Default::default()
    };
    world.orders().complete_work_order(world.staff("peer", "technician").asks(complete)).await.unwrap();
    let call = || pb::RecordCallbackRequest {
        work_order_id: order.id.clone(),
        request_id: request_id(),
        outcome: pb::CallbackOutcome::Reached.into(),
        mode: pb::CallbackMode::Phone.into(),
        score: 5,
        ..Default::default()
    };
    for who in ["under", "accused", "lead", "head"] {
        let answer = world.orders().record_callback(world.staff(who, "steward").asks(call())).await;
        refused(answer, Code::FailedPrecondition, "STAFF_ACCUSED");
    }
    world.orders().record_callback(world.desk().asks(call())).await.unwrap();

    let own = pb::CreateWorkOrderRequest { accused: accused("peer"), ..world.complaint() };
    let answer = world.orders().create_work_order(world.resident().asks(own)).await.unwrap().into_inner();
    assert_eq!(world.get(&answer.work_order.unwrap().id).await.accused, Vec::<String>::new());
}
