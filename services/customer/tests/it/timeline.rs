//! The timeline, from events.

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use steward_harness::Claims;
use steward_kit::ids::{EstateId, WorkOrderId};
use steward_kit_store::outbox::Relay;
use steward_kit_store::redis_link::RedisLink;
use steward_kit_store::{Db, Effects, NewEvent};
use steward_proto::customer::v1 as pb;
use steward_proto::work_order::v1 as orders;
use tonic::Code;

use crate::world::{Caller, World, eventually, violations};

async fn entries(caller: &Caller, request: pb::ListTimelineEntriesRequest) -> Result<Vec<pb::TimelineEntry>, tonic::Status> {
    Ok(caller.timeline().list_timeline_entries(caller.ask(request)).await?.into_inner().entries)
}

/// CP-04, CP-37
#[tokio::test]
async fn events_of_an_order_stand_in_the_timeline_newest_first() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "1802").await?;
    let (customer, other) = (ops.person(&estate, "王芳", "").await?, ops.person(&estate, "李雷", "").await?);
    let now: Timestamp = crate::world::NOW.parse()?;

    // What the work-order service would publish.
    let order = WorkOrderId::new();
    let facts = orders::OrderFacts {
        work_order_id: order.to_string(),
        number: "WO-2026-000123".into(),
        estate_id: estate.id.clone(),
        unit_id: unit.id.clone(),
        customer_id: customer.id.clone(),
        ..Default::default()
    };
    let estate_id = EstateId::parse(&estate.id).context("an id")?;
    let at = |minutes: i64| now + SignedDuration::from_mins(minutes);
    let created = orders::WorkOrderCreated { order: Some(facts.clone()), channel: 1, ..Default::default() };
    let breached = orders::ClockBreached { order: Some(facts.clone()), clock: "contact".into(), ..Default::default() };
    let callback = orders::CallbackRecorded { order: Some(facts), outcome: orders::CallbackOutcome::Reached.into(), score: 2 };
    let events = vec![
        NewEvent::new(order, estate_id, now, &created),
        NewEvent::new(order, estate_id, at(15), &breached),
        NewEvent::new(order, estate_id, at(60), &callback),
    ];
    let (kit_clock, _) = steward_kit::clock::Clock::manual(now);
    let redis = RedisLink::new(&steward_harness::TestRedis::shared()?.url().into())?;
    let db = Db::new(world.database.pool("work_order").await?, redis, "work_order")?;
    let effects = Effects { events, ..Effects::none() };
    let mut tx = db.begin().await?;
    effects.write(&db, &mut tx, now).await?;
    tx.commit().await?;
    let stop = tokio_util::sync::CancellationToken::new();
    let relay = tokio::task::JoinSet::from_iter([Relay::new(db, kit_clock).run(stop.clone())]);

    let of_customer = pb::ListTimelineEntriesRequest {
        customer_id: customer.id.clone(),
        kinds: vec![pb::TimelineKind::WorkOrder.into()],
        ..Default::default()
    };
    let found = eventually("three entries", || async {
        let found = entries(&ops, of_customer.clone()).await?;
        Ok(Some(found).filter(|found| found.len() == 3))
    })
    .await?;
    let titles: Vec<&str> = found.iter().map(|entry| entry.title_code.as_str()).collect();
    assert_eq!(titles, ["work_order.called_back", "work_order.clock_breached", "work_order.created"]);
    assert_eq!(found[0].parameters.get("score").map(String::as_str), Some("2"));
    assert_eq!(found[1].parameters.get("clock").map(String::as_str), Some("contact"));
    assert!(found.iter().all(|entry| entry.subject_id == order.to_string() && entry.unit_id == unit.id));
    stop.cancel();
    relay.join_all().await;

    let first = pb::ListTimelineEntriesRequest { page_size: 2, ..of_customer.clone() };
    let page = ops.timeline().list_timeline_entries(ops.ask(first.clone())).await?.into_inner();
    let next = pb::ListTimelineEntriesRequest { page_token: page.next_page_token, ..first };
    assert_eq!(entries(&ops, next).await?, found[2..]);
    let of_unit = pb::ListTimelineEntriesRequest {
        unit_id: unit.id.clone(),
        from_time: Some(steward_kit::proto::to_timestamp(at(10))),
        to_time: Some(steward_kit::proto::to_timestamp(at(60))),
        ..Default::default()
    };
    assert_eq!(entries(&ops, of_unit).await?, found[1..2]);

    let resident = world.caller(Claims::customer("app", &other.id).role("resident").estate(&estate.id));
    let refused = entries(&resident, of_customer).await.expect_err("refused");
    assert_eq!(refused.code(), Code::NotFound);
    let nothing = entries(&ops, pb::ListTimelineEntriesRequest::default()).await.expect_err("refused");
    assert_eq!(violations(&nothing), [("unit_id".to_owned(), "FILTER_REQUIRED".to_owned())]);
    Ok(())
}

/// CP-37
#[tokio::test]
async fn the_services_own_facts_are_in_the_timeline_too() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "1802").await?;
    let customer = ops.person(&estate, "王芳", "19900001234").await?;
    ops.tenure(&unit, &customer, pb::TenureRole::Owner, ("2026-01-01", "")).await?;
    let request = pb::ListTimelineEntriesRequest { customer_id: customer.id, ..Default::default() };
    let found = eventually("two entries", || async {
        let found = entries(&ops, request.clone()).await?;
        Ok(Some(found).filter(|found| found.len() == 2))
    })
    .await?;
    let titles: Vec<&str> = found.iter().map(|entry| entry.title_code.as_str()).collect();
    assert_eq!(titles, ["tenure.started", "customer.created"]);
    assert_eq!(found[0].parameters.get("role").map(String::as_str), Some("owner"));
    Ok(())
}
