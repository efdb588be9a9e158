//! Orders that other services ask for by facts.

use steward_kit::clock::Clock;
use steward_kit_store::outbox::Relay;
use steward_kit_store::{Db, Effects, NewEvent, StoreConfig};
use steward_proto::care::v1 as care;
use steward_proto::common::v1 as common;
use steward_proto::plan::v1::PolicyScopeLevel;
use steward_proto::survey::v1 as survey;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::world::{World, at, clock, eventually, time};

const CARE_315: &str = include_str!("../../../../gateway/plans/care-315.yaml");

async fn service(world: &World, schema: &'static str) -> Db {
    let store = StoreConfig::new(world.database.app_url(schema), world.redis.url());
    Db::connect(&store, schema).await.unwrap()
}

async fn publish(world: &World, db: &Db, events: Vec<NewEvent>) {
    let effects = Effects { events, ..Effects::none() };
    let mut tx = db.begin().await.unwrap();
    effects.write(db, &mut tx, world.now()).await.unwrap();
    tx.commit().await.unwrap();
    db.wake(&effects);
}

/// SV-45, CA-47, XC-60: each fact is one order, however often it arrives, and says what it came of.
#[tokio::test]
async fn a_low_score_and_an_issue_of_a_visit_become_one_order_each() {
    let world = World::new().await;
    let (surveys, cares) = (service(&world, "survey").await, service(&world, "care").await);
    let (estate, unit, customer) = (world.estate.to_string(), world.unit.to_string(), world.customer.to_string());
    let now = at("2026-03-01T17:00:00Z");
    let score = survey::LowScoreReceived {
        response_id: Uuid::now_v7().to_string(),
        estate_id: estate.clone(),
        unit_id: unit.clone(),
        customer_id: customer.clone(),
        question_code: "overall".to_owned(),
        score: 1,
        scale_max: 5,
        ..Default::default()
    };
    let visit = care::VisitFacts {
        visit_id: Uuid::now_v7().to_string(),
        estate_id: estate,
        unit_id: unit,
        customer_id: customer,
        ..Default::default()
    };
    let issue = care::VisitIssueRaised {
        visit: Some(visit.clone()),
        position: 0,
        kind: common::WorkOrderKind::Complaint.into(),
        category: "cleaning".to_owned(),
    };
    let (subject, home) = (Uuid::now_v7(), steward_kit::ids::EstateId::from(world.estate));
    let low = NewEvent::new(subject, home, now, &score);
    let raised = NewEvent::new(subject, home, now, &issue);
    publish(&world, &surveys, vec![low.clone()]).await;
    publish(&world, &cares, vec![raised.clone()]).await;
    let (clock, _handle) = Clock::manual(world.now());
    let [from_survey, from_care] = [&surveys, &cares].map(|db| Relay::new(db.clone(), clock.clone()).run(CancellationToken::new()));
    let looking = async {
        eventually("two orders", || async { (count(&world).await == 2).then_some(()) }).await;
        let order = world.get(&raised.id.to_string()).await;
        let seen = (order.kind(), order.category.as_str(), order.channel());
        assert_eq!(seen, (common::WorkOrderKind::Complaint, "cleaning", common::Channel::Visit));
        let created = world.history(&order.id).await;
        assert_eq!(created[0].detail.get("source"), Some(&format!("visit/{}", visit.visit_id)));
        assert_eq!(world.get(&low.id.to_string()).await.kind(), common::WorkOrderKind::Request);

        // Every fact arrives a second time, and one more.
        sqlx::query("UPDATE care.outbox SET publish_time = NULL, position = NULL").execute(&world.db).await.unwrap();
        publish(&world, &cares, vec![NewEvent::new(subject, home, now, &care::VisitIssueRaised { position: 1, ..issue })]).await;
        eventually("the third order", || async { (count(&world).await == 3).then_some(()) }).await;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        assert_eq!(count(&world).await, 3);
    };
    tokio::select! {
        () = from_survey => panic!("the relay ended"),
        () = from_care => panic!("the relay ended"),
        () = looking => {}
    }
    let told: i64 = sqlx::query_scalar("SELECT count(*) FROM work_order.outbox WHERE type LIKE '%WorkOrderCreated'")
        .fetch_one(&world.db)
        .await
        .unwrap();
    assert_eq!(told, 3);
}

/// CA-03, WO-35: a special need that care noticed is an order, and under the 315 plan it is answered within 72 hours.
#[tokio::test]
async fn a_special_need_is_answered_within_72_hours() {
    let world = World::new().await;
    world.load_plan(CARE_315, PolicyScopeLevel::Estate, &world.estate.to_string()).await;
    let cares = service(&world, "care").await;
    let touchpoint = care::TouchpointFacts {
        touchpoint_id: Uuid::now_v7().to_string(),
        estate_id: world.estate.to_string(),
        unit_id: world.unit.to_string(),
        customer_id: world.customer.to_string(),
        definition_code: "ramp".to_owned(),
        ..Default::default()
    };
    // Of one household alone: what is needed stands in the touchpoint.
    let need = care::TouchpointOrderDue {
        touchpoint: Some(touchpoint),
        kind: common::WorkOrderKind::Request.into(),
        category: "special_request".to_owned(),
        description: String::new(),
    };
    let asked = NewEvent::new(Uuid::now_v7(), steward_kit::ids::EstateId::from(world.estate), world.now(), &need);
    publish(&world, &cares, vec![asked.clone()]).await;
    let (stopped, _handle) = Clock::manual(world.now());
    let looking = async {
        eventually("the order", || async { (count(&world).await == 1).then_some(()) }).await;
        let order = world.get(&asked.id.to_string()).await;
        assert_eq!((order.kind(), order.description.as_str()), (common::WorkOrderKind::Request, "关怀触点 ramp"));
        let answer = clock(&order, "first_response", 1);
        let (from, due) = (time(order.receive_time.as_ref()), time(answer.due_time.as_ref()));
        assert_eq!(due.duration_since(from), jiff::SignedDuration::from_hours(72));
    };
    tokio::select! {
        () = Relay::new(cares.clone(), stopped).run(CancellationToken::new()) => panic!("the relay ended"),
        () = looking => {}
    }
}

async fn count(world: &World) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM work_order.work_orders").fetch_one(&world.db).await.unwrap()
}
