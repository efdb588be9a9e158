//! The numbers of the care policy decide: another document, another hour, another length of memory.

use jiff::civil::date;
use steward_proto::care::v1 as pb;
use steward_proto::plan::v1 as plan;
use steward_proto::plan::v1::policy_document::Document;
use tonic::Code;

use crate::planning::{message, task};
use crate::visiting::{create, round_of};
use crate::world::{World, at, bad_fields, eventually, request_id, time};

async fn set(world: &World, policy: plan::CarePolicy) -> Result<(), tonic::Status> {
    let request = plan::CreatePolicyVersionRequest {
        request_id: request_id(),
        scope: Some(plan::PolicyScope { level: plan::PolicyScopeLevel::Estate.into(), id: world.estate.to_string() }),
        document: Some(plan::PolicyDocument { document: Some(Document::Care(policy)) }),
        ..Default::default()
    };
    world.policies().create_policy_version(world.operations().asks(request)).await?;
    world.advance(1);
    Ok(())
}

/// CA-28, CA-40: greetings go out and digests come when the plan says, here at 07:30 and 20:15.
#[tokio::test]
async fn times_of_day_are_the_plans() {
    let world = World::new().await;
    let times = plan::CareTimes { touchpoint_local: "07:30".to_owned(), digest_local: "20:15".to_owned(), ..Default::default() };
    set(&world, plan::CarePolicy { times: Some(times), ..Default::default() }).await.unwrap();
    let household = world.households.add(date(2025, 3, 1));
    world.households.keep(household.id, "birthday", date(2026, 3, 20));
    let anchor = pb::anchor::Kind::KeyDate(pb::KeyDateAnchor { kind: "birthday".to_owned() });
    world.publish_programme("birthdays", vec![message("birthday", anchor)]).await;
    let planned = world.until(household.id, pb::TouchpointState::Planned).await;
    assert_eq!(time(planned.due_time.as_ref()), at("2026-03-19T23:30:00Z"));

    create(&world, round_of(&world, pb::RoundKind::General, ("2026-03-01", "2026-03-05"))).await;
    world.go_to("2026-03-01T12:14:59Z");
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(world.count_facts("VisitRoundDigest").await, 0);
    world.go_to("2026-03-01T12:15:00Z");
    world.until_told("VisitRoundDigest", 1).await;
}

/// XC-46: what ended is kept as long as the plan says, and no longer.
#[tokio::test]
async fn touchpoints_that_ended_are_kept_as_long_as_the_plan_says() {
    let mut world = World::new().await;
    let household = world.households.add(date(2026, 3, 1));
    world.publish_programme("calls", vec![task("call", "steward", None)]).await;
    let planned = world.until(household.id, pb::TouchpointState::Planned).await;
    let skip = pb::SkipTouchpointRequest {
        request_id: request_id(),
        touchpoint_id: planned.id.clone(),
        etag: String::new(),
        reason_code: "customer_declined".to_owned(),
    };
    world.touchpoints().skip_touchpoint(world.steward().asks(skip)).await.unwrap();
    // The base plan keeps three years.
    world.go_to("2026-06-01T00:00:00Z");
    world.restart().await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(is_there(&world, &planned.id).await);
    let months = plan::CarePolicy { touchpoints_kept: Some(crate::planning::span("2mo")), ..Default::default() };
    set(&world, months).await.unwrap();
    world.restart().await;
    eventually("it is forgotten", || async { (!is_there(&world, &planned.id).await).then_some(()) }).await;
}

async fn is_there(world: &World, id: &str) -> bool {
    let sql = "SELECT EXISTS (SELECT FROM care.touchpoints WHERE id = $1::uuid)";
    sqlx::query_scalar(sql).bind(id).fetch_one(&world.db).await.unwrap()
}

/// P-5: a time that is none, a span that counts hours, a layer that there is not: each at its place.
#[tokio::test]
async fn a_care_policy_that_cannot_be_kept_is_refused_at_its_places() {
    let world = World::new().await;
    let policy = plan::CarePolicy {
        times: Some(plan::CareTimes { digest_local: "25:00".to_owned(), ..Default::default() }),
        touchpoints_kept: Some(crate::planning::span("36h")),
        coverage_layer: "golden".to_owned(),
        ..Default::default()
    };
    let status = set(&world, policy).await.expect_err("is refused");
    assert_eq!(status.code(), Code::InvalidArgument);
    let fields: Vec<String> = bad_fields(&status).into_iter().map(|(field, _)| field).collect();
    for part in ["times.digest_local", "touchpoints_kept", "coverage_layer"] {
        assert!(fields.iter().any(|field| field.ends_with(part)), "{part}: {fields:?}");
    }
}
