//! The same request twice; and the price of a call in round trips.

use jiff::civil::date;
use prost::Message;
use steward_proto::care::v1 as pb;
use tonic::Code;

use crate::planning::{after_delivery, task};
use crate::world::{World, refused, request_id};

/// XC-14: the same request again answers byte for byte what was answered first; another body under its id is refused.
#[tokio::test]
async fn a_repeated_request_is_done_once() {
    let world = World::new().await;
    world.households.add(date(2026, 3, 1));
    let request = world.draft("lifecycle", vec![after_delivery("three_month", "3mo")]);
    let ask = |request: pb::CreateProgrammeRequest| {
        let (mut programmes, manager) = (world.programmes(), world.manager());
        async move { programmes.create_programme(manager.asks(request)).await }
    };
    let first = ask(request.clone()).await.unwrap().into_inner();
    world.advance(1);
    let second = ask(request.clone()).await.unwrap().into_inner();
    assert_eq!(first.encode_to_vec(), second.encode_to_vec());
    let other = pb::CreateProgrammeRequest { code: "other".to_owned(), ..request };
    refused(ask(other).await, Code::AlreadyExists, "REQUEST_ID_REUSED");

    let date = pb::SetEstateDateRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        kind: "sale_start".to_owned(),
        date: "2026-04-10".to_owned(),
        ..Default::default()
    };
    let first = world.obligations().set_estate_date(world.manager().asks(date.clone())).await.unwrap().into_inner();
    let second = world.obligations().set_estate_date(world.manager().asks(date)).await.unwrap().into_inner();
    assert_eq!(first.encode_to_vec(), second.encode_to_vec());
}

/// A verb that was done answers as it did, although the state forbids it now; a stale etag is refused.
#[tokio::test]
async fn a_repeated_verb_answers_as_it_did() {
    let world = World::new().await;
    let household = world.households.add(date(2026, 3, 1));
    world.publish_programme("calls", vec![task("call", "steward", None)]).await;
    let planned = world.until(household.id, pb::TouchpointState::Planned).await;
    let skip = pb::SkipTouchpointRequest {
        request_id: request_id(),
        touchpoint_id: planned.id.clone(),
        etag: planned.etag.clone(),
        reason_code: "x".to_owned(),
    };
    let first = world.touchpoints().skip_touchpoint(world.steward().asks(skip.clone())).await.unwrap().into_inner();
    let second = world.touchpoints().skip_touchpoint(world.steward().asks(skip.clone())).await.unwrap().into_inner();
    assert_eq!(first.encode_to_vec(), second.encode_to_vec());
    let stale = pb::SkipTouchpointRequest { request_id: request_id(), ..skip };
    let status = world.touchpoints().skip_touchpoint(world.steward().asks(stale)).await.expect_err("is stale");
    assert_eq!(status.code(), Code::Aborted);
}

/// Nobody sees the care of another estate.
#[tokio::test]
async fn another_estate_is_not_there() {
    let world = World::new().await;
    let household = world.households.add(date(2026, 3, 1));
    let programme = world.publish_programme("calls", vec![task("call", "steward", None)]).await;
    let planned = world.until(household.id, pb::TouchpointState::Planned).await;
    let other =
        crate::world::Caller::new(&steward_harness::Claims::staff("m-2").role("estate_manager").estate(steward_kit::ids::EstateId::new()));
    let get = pb::GetTouchpointRequest { touchpoint_id: planned.id };
    assert_eq!(world.touchpoints().get_touchpoint(other.asks(get)).await.expect_err("hidden").code(), Code::NotFound);
    let get = pb::GetProgrammeRequest { programme_id: programme.id };
    assert_eq!(world.programmes().get_programme(other.asks(get)).await.expect_err("hidden").code(), Code::NotFound);
}

/// DESIGN §4: a verb is two trips, a create one.
#[tokio::test]
async fn a_verb_takes_two_trips_and_a_create_one() {
    let world = World::new().await;
    let household = world.households.add(date(2026, 3, 1));
    world.publish_programme("calls", vec![task("call", "steward", None)]).await;
    world.until(household.id, pb::TouchpointState::Planned).await;
    world.go_to("2026-03-01T01:00:00Z");
    let due = world.until(household.id, pb::TouchpointState::Due).await;
    let asked = || {
        let all = world.asked.take();
        let background = ["outbox", "relay_shards", ".timers", "inbox", "policy_epoch", "planner_runs", "COMMIT", "BEGIN", "ROLLBACK"];
        all.into_iter().filter(|sql| !background.iter().any(|part| sql.contains(part)) || sql.contains("write_effects")).collect::<Vec<_>>()
    };
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    asked();
    let execute = pb::ExecuteTouchpointRequest { request_id: request_id(), touchpoint_id: due.id.clone(), ..Default::default() };
    world.touchpoints().execute_touchpoint(world.steward().asks(execute)).await.unwrap();
    let verb = asked();
    assert_eq!(verb.len(), 2, "{verb:#?}");
    let request = pb::RecordContactRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        household_id: household.id.to_string(),
        way: pb::ContactWay::Phone.into(),
        purpose: "fees".to_owned(),
        is_two_way: false,
        ..Default::default()
    };
    world.relationships().record_contact(world.steward().asks(request)).await.unwrap();
    let create = asked();
    assert_eq!(create.len(), 1, "{create:#?}");
}
