//! The same request twice, and two requests at once.

use prost::Message;
use steward_proto::plan::v1::PolicyScopeLevel;
use steward_proto::plan::v1::policy_document::Document;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::State;
use tonic::Code;

use crate::calendars::YEAR_2027;
use crate::world::{BASE, World, new_version, plan, refused, request_id};

/// WO-77
#[tokio::test]
async fn the_same_report_twice_is_one_order_and_one_answer() {
    let world = World::new().await;
    let request = world.burst_pipe();
    let first = world.create(request.clone()).await;
    world.advance(3);
    let second = world.create(request.clone()).await;
    assert_eq!(first.encode_to_vec(), second.encode_to_vec(), "byte for byte");
    let orders: i64 = sqlx::query_scalar("SELECT count(*) FROM work_order.work_orders").fetch_one(&world.db).await.unwrap();
    assert_eq!(orders, 1);
    assert_eq!(world.count_facts(&first.id, "WorkOrderCreated").await, 1);
}

#[tokio::test]
async fn a_request_id_with_another_body_is_refused() {
    let world = World::new().await;
    let mut request = world.burst_pipe();
    world.create(request.clone()).await;
    request.description = "another matter".to_owned();
    refused(world.orders().create_work_order(world.desk().asks(request)).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn a_repeated_verb_answers_as_it_did_although_the_order_has_moved_on() {
    let world = World::new().await;
    let id = world.create(world.burst_pipe()).await.id;
    let assign = pb::AssignWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        etag: "1".to_owned(),
        assignee: "wang".to_owned(),
        over_limit_reason: String::new(),
    };
    let ask = |assign: pb::AssignWorkOrderRequest| {
        let (mut orders, desk) = (world.orders(), world.desk());
        async move { orders.assign_work_order(desk.asks(assign)).await }
    };
    let first = ask(assign.clone()).await.unwrap().into_inner();
    let cancel = pb::CancelWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        close_code: pb::CloseCode::Invalid.into(),
        reason: "test_call".to_owned(),
        ..Default::default()
    };
    world.orders().cancel_work_order(world.desk().asks(cancel)).await.unwrap();
    let second = ask(assign.clone()).await.unwrap().into_inner();
    assert_eq!(first.encode_to_vec(), second.encode_to_vec(), "although its etag is stale and its state forbids it now");
    assert_eq!(world.get(&id).await.state(), State::Cancelled, "and nothing was done again");
    let other = pb::AssignWorkOrderRequest { assignee: "zhao".to_owned(), ..assign };
    refused(ask(other).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn of_two_racing_assignments_one_wins() {
    let world = World::new().await;
    for _ in 0..5 {
        let order = world.create(world.burst_pipe()).await;
        let assign = |assignee: &str| {
            let request = pb::AssignWorkOrderRequest {
                work_order_id: order.id.clone(),
                request_id: request_id(),
                etag: order.etag.clone(),
                assignee: assignee.to_owned(),
                over_limit_reason: String::new(),
            };
            let (mut orders, desk) = (world.orders(), world.desk());
            async move { orders.assign_work_order(desk.asks(request)).await }
        };
        let (wang, zhao) = tokio::join!(assign("wang"), assign("zhao"));
        let (winner, loser, name) = if wang.is_ok() { (wang, zhao, "wang") } else { (zhao, wang, "zhao") };
        assert_eq!(winner.unwrap().into_inner().work_order.unwrap().assignee, name);
        refused(loser, Code::Aborted, "STALE_ETAG");
        let order = world.get(&order.id).await;
        assert_eq!((order.assignee.as_str(), order.etag.as_str()), (name, "2"));
        assert_eq!(world.count_facts(&order.id, "WorkOrderAssigned").await, 1);
    }
}

#[tokio::test]
async fn without_an_etag_both_of_two_racing_verbs_are_done() {
    let world = World::new().await;
    let id = world.create(world.burst_pipe()).await.id;
    let (first, second) = tokio::join!(world.assign(&id, "wang"), world.assign(&id, "zhao"));
    first.unwrap();
    second.unwrap();
    assert_eq!(world.get(&id).await.etag, "3");
}

/// Twins that look for their claim before either has written it: both get the first answer, and one thing is done.
#[tokio::test]
async fn twin_policy_versions_are_one_version() {
    let world = World::new().await;
    for _ in 0..5 {
        let document = Document::Callback(plan(BASE).callback.unwrap());
        let request = new_version(PolicyScopeLevel::Estate, &world.estate.to_string(), document, "twin");
        let ask = || {
            let (mut policies, request) = (world.policies(), world.operations().asks(request.clone()));
            async move { policies.create_policy_version(request).await.unwrap().into_inner() }
        };
        let answers = tokio::join!(ask(), ask(), ask(), ask());
        let answers = [answers.0, answers.1, answers.2, answers.3];
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
    let versions: i64 = sqlx::query_scalar("SELECT count(*) FROM work_order.policies WHERE kind = 'callback' AND scope_kind = 'estate'")
        .fetch_one(&world.db)
        .await
        .unwrap();
    // The estate's own plan, and one for each five twins.
    assert_eq!(versions, 6);
}

#[tokio::test]
async fn a_calendar_year_loaded_by_twins_is_loaded_once() {
    let world = World::without_plans().await;
    for loaded in 1..=5 {
        let load = pb::LoadCalendarYearRequest { request_id: request_id(), document_json: YEAR_2027.to_owned() };
        let ask = || {
            let (mut calendars, request) = (world.calendars(), world.operations().asks(load.clone()));
            async move { calendars.load_calendar_year(request).await.unwrap().into_inner() }
        };
        let answers = tokio::join!(ask(), ask(), ask(), ask());
        assert!(answers.0 == answers.1 && answers.1 == answers.2 && answers.2 == answers.3, "{answers:?}");
        let told: i64 = sqlx::query_scalar("SELECT count(*) FROM work_order.outbox WHERE type LIKE '%CalendarYearLoaded'")
            .fetch_one(&world.db)
            .await
            .unwrap();
        assert_eq!(told, loaded);
    }
}
