//! Facts of the customer service arrive over its stream, once each.

use jiff::Timestamp;
use steward_harness::Claims;
use steward_kit::clock::Clock;
use steward_kit::ids::{EstateId, UnitId};
use steward_kit_store::outbox::Relay;
use steward_kit_store::{Db, Effects, NewEvent, StoreConfig};
use steward_proto::common::v1 as common;
use steward_proto::customer::v1 as customer;
use steward_proto::work_order::v1 as pb;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::world::{Caller, World, at, eventually, time};

/// XC-60: an estate and its unit become known by events, and reports about them are taken in.
#[tokio::test]
async fn an_estate_becomes_known_by_events() {
    let world = World::new().await;
    let source = customer_service(&world).await;
    let (clock, _handle) = Clock::manual(world.now());
    let (estate, unit) = (EstateId::new(), UnitId::new());
    let registered = customer::EstateRegistered {
        estate_id: estate.to_string(),
        group_id: Uuid::now_v7().to_string(),
        region_id: Uuid::now_v7().to_string(),
        name: "Harbour View".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        ..Default::default()
    };
    let imported = customer::UnitsImported {
        estate_id: estate.to_string(),
        units: vec![customer::UnitFact { unit_id: unit.to_string(), delivery_date: Some("2025-06-01".to_owned()), ..Default::default() }],
        ..Default::default()
    };
    let now = at("2026-03-01T17:00:00Z");
    publish(&source, vec![NewEvent::new(estate, estate, now, &registered), NewEvent::new(estate, estate, now, &imported)]).await;
    let stop = CancellationToken::new();
    let relay = Relay::new(source, clock).run(stop.clone());
    let looking = async {
        let desk = Caller::new(&Claims::staff("desk-2").role("customer_service").estate(estate));
        eventually("the unit to become known", || async {
            let mut report = world.burst_pipe();
            report.estate_id = estate.to_string();
            report.unit_id = unit.to_string();
            world.orders().create_work_order(desk.asks(report)).await.ok()
        })
        .await
        .into_inner()
    };
    tokio::select! {
        () = relay => panic!("the relay ended"),
        answer = looking => {
            let order: pb::WorkOrder = answer.work_order.unwrap();
            assert_eq!((order.estate_id, order.unit_id), (estate.to_string(), unit.to_string()));
            // No plan binds it yet: no category, no clock, and that is said.
            assert!(order.clocks.iter().all(|clock| !clock.policy_version_id.is_empty()));
            let date: String = sqlx::query_scalar("SELECT delivery_date::text FROM work_order.units WHERE id = $1")
                .bind(uuid::Uuid::from(unit))
                .fetch_one(&world.db)
                .await
                .unwrap();
            assert_eq!(date, "2025-06-01", "warranties count from the handover");
        }
    }
    stop.cancel();
}

/// XC-60: an estate that moves to another zone counts its days there, and is found under its new region's rules.
#[tokio::test]
async fn what_changes_of_an_estate_counts_from_then_on() {
    let world = World::new().await;
    let source = customer_service(&world).await;
    let (clock, _handle) = Clock::manual(world.now());
    let estate: EstateId = world.estate.into();
    let region = Uuid::now_v7();
    let before = days_end(&world).await;
    assert_eq!(before, at("2026-03-03T16:00:00Z"), "24:00 in Shanghai");
    let updated = customer::EstateUpdated {
        estate_id: estate.to_string(),
        group_id: Uuid::now_v7().to_string(),
        region_id: region.to_string(),
        name: "Jade Garden West".to_owned(),
        time_zone: "Asia/Urumqi".to_owned(),
        ..Default::default()
    };
    publish(&source, vec![NewEvent::new(estate, estate, at("2026-03-01T17:00:00Z"), &updated)]).await;
    let stop = CancellationToken::new();
    let relay = Relay::new(source, clock).run(stop.clone());
    let looking = eventually("the new zone", || async { (days_end(&world).await == at("2026-03-03T18:00:00Z")).then_some(()) });
    tokio::select! {
        () = relay => panic!("the relay ended"),
        () = looking => {}
    }
    stop.cancel();
    let kept: (String, Uuid) = sqlx::query_as("SELECT name, region_id FROM work_order.estates WHERE id = $1")
        .bind(world.estate)
        .fetch_one(&world.db)
        .await
        .unwrap();
    assert_eq!(kept, ("Jade Garden West".to_owned(), region));
}

/// When one civil day from 02:00 on 2 March in Shanghai is over, by the clock of the estate.
async fn days_end(world: &World) -> Timestamp {
    let request = pb::ComputeDueTimeRequest {
        estate_id: world.estate.to_string(),
        start_time: Some(steward_kit::proto::to_timestamp(world.now())),
        span: Some(common::Span { value: 1, unit: common::Unit::Day.into(), calendar: "civil".to_owned() }),
    };
    let answer = world.orders().compute_due_time(world.desk().asks(request)).await.unwrap().into_inner();
    time(answer.due_time.as_ref())
}

/// The outbox of the customer service.
async fn customer_service(world: &World) -> Db {
    let config = StoreConfig::new(world.database.app_url("customer"), world.redis.url());
    Db::connect(&config, "customer").await.unwrap()
}

async fn publish(source: &Db, events: Vec<NewEvent>) {
    let effects = Effects { events, ..Effects::none() };
    let mut tx = source.begin().await.unwrap();
    effects.write(source, &mut tx, at("2026-03-01T17:00:00Z")).await.unwrap();
    tx.commit().await.unwrap();
    source.wake(&effects);
}
