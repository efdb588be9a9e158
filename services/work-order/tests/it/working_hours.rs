//! Named working hours as data: loaded, versioned, counted by.

use steward_proto::common::v1 as common;
use steward_proto::plan::v1 as plan;
use steward_proto::plan::v1::policy_document::Document;
use steward_proto::work_order::v1 as pb;
use tonic::Code;

use crate::calendars::{due, span};
use crate::world::{World, at, clock, eventually, new_version, refused, request_id, time};

/// 09:00 to 18:00 on official working days, or from another minute on.
fn business(level: plan::PolicyScopeLevel, id: &str, from_minute: i32) -> pb::LoadWorkingHoursRequest {
    let window = pb::WorkingHoursWindow { days: pb::OpenDays::Working.into(), weekdays: vec![], from_minute, to_minute: 1080 };
    let hours = pb::WorkingHours {
        name: "business".to_owned(),
        scope: Some(plan::PolicyScope { level: level.into(), id: id.to_owned() }),
        windows: vec![window],
        ..Default::default()
    };
    pb::LoadWorkingHoursRequest { request_id: request_id(), working_hours: Some(hours) }
}

fn everywhere() -> pb::LoadWorkingHoursRequest {
    business(plan::PolicyScopeLevel::Base, "", 540)
}

async fn load(world: &World, request: pb::LoadWorkingHoursRequest) -> pb::WorkingHours {
    let answer = world.calendars().load_working_hours(world.operations().asks(request)).await.unwrap();
    answer.into_inner().working_hours.unwrap()
}

/// A report of the estate gets 15 business minutes.
fn fifteen_minutes(world: &World) -> plan::CreatePolicyVersionRequest {
    let rule = plan::ClockRule {
        clock: "result_feedback".to_owned(),
        start_on: plan::Milestone::Received.into(),
        stop_on: vec![plan::Milestone::Completed.into()],
        limit: Some(span(15, common::Unit::Minute, "business")),
        ..Default::default()
    };
    let sla = plan::SlaPolicy { clock_rules: vec![rule], ..Default::default() };
    new_version(plan::PolicyScopeLevel::Estate, &world.estate.to_string(), Document::Sla(sla), "")
}

/// XC-22: minutes of working hours run over a night and over a holiday, and only within the windows.
#[tokio::test]
async fn fifteen_business_minutes_run_over_a_night_and_a_holiday() {
    let world = World::new().await;
    let minutes = span(15, common::Unit::Minute, "business");
    load(&world, everywhere()).await;
    // Ten minutes are left on Thursday; the rest is Friday's.
    assert_eq!(due(&world, "2026-02-12T17:50", minutes.clone()).await, (at("2026-02-13T01:05:00Z"), vec![]));
    // Saturday the 14th makes up for a holiday and is worked; then it is spring festival up to the 23rd.
    assert_eq!(due(&world, "2026-02-14T17:50", minutes).await, (at("2026-02-24T01:05:00Z"), vec![]));
}

/// XC-22, WO-43: a policy may count by hours that are loaded, and a new version of them moves its clocks.
#[tokio::test]
async fn a_policy_counts_by_hours_that_are_loaded_and_follows_their_versions() {
    let world = World::new().await;
    let refusal = world.policies().create_policy_version(world.operations().asks(fifteen_minutes(&world))).await;
    refused(refusal, Code::InvalidArgument, "POLICY_INVALID");
    assert_eq!(load(&world, everywhere()).await.version, 1);
    world.policies().create_policy_version(world.operations().asks(fifteen_minutes(&world))).await.unwrap();

    // It is Monday, 02:00.
    let order = world.create(world.burst_pipe()).await;
    assert_eq!(time(clock(&order, "result_feedback", 1).due_time.as_ref()), at("2026-03-02T01:15:00Z"));

    let here = business(plan::PolicyScopeLevel::Estate, &world.estate.to_string(), 600);
    let loaded = load(&world, here.clone()).await;
    assert_eq!((loaded.version, loaded.windows[0].from_minute), (1, 600), "the estate's own");
    assert_eq!(load(&world, here).await, loaded, "a repetition changes nothing");
    eventually("the recomputation", || async {
        let order = world.get(&order.id).await;
        (time(clock(&order, "result_feedback", 1).due_time.as_ref()) == at("2026-03-02T02:15:00Z")).then_some(())
    })
    .await;
    let recomputed = world.history(&order.id).await;
    assert_eq!(recomputed.iter().filter(|entry| entry.action == "clock_recomputed").count(), 1);

    let request = pb::ListWorkingHoursRequest { page_size: 1, ..Default::default() };
    let first = world.calendars().list_working_hours(world.desk().asks(request)).await.unwrap().into_inner();
    let request = pb::ListWorkingHoursRequest { page_size: 1, page_token: first.next_page_token };
    let second = world.calendars().list_working_hours(world.desk().asks(request)).await.unwrap().into_inner();
    assert_eq!(second.working_hours, [loaded]);
    let told: i64 = sqlx::query_scalar("SELECT count(*) FROM work_order.outbox WHERE type LIKE '%WorkingHoursLoaded'")
        .fetch_one(&world.db)
        .await
        .unwrap();
    assert_eq!((told, second.next_page_token.as_str()), (2, ""));
}

#[tokio::test]
async fn working_hours_that_contradict_themselves_or_reach_too_far_are_refused() {
    let world = World::new().await;
    let mut never = everywhere();
    never.working_hours.as_mut().unwrap().windows[0].to_minute = 540;
    let answer = world.calendars().load_working_hours(world.operations().asks(never)).await;
    refused(answer, Code::InvalidArgument, "WORKING_HOURS_INVALID");
    let mut reserved = everywhere();
    "working".clone_into(&mut reserved.working_hours.as_mut().unwrap().name);
    let answer = world.calendars().load_working_hours(world.operations().asks(reserved)).await;
    refused(answer, Code::InvalidArgument, "WORKING_HOURS_INVALID");
    let manager = world.staff("li", "estate_manager");
    let answer = world.calendars().load_working_hours(manager.asks(everywhere())).await;
    refused(answer, Code::PermissionDenied, "PERMISSION_DENIED");
    let elsewhere = business(plan::PolicyScopeLevel::Estate, &request_id(), 540);
    let answer = world.calendars().load_working_hours(manager.asks(elsewhere)).await;
    refused(answer, Code::NotFound, "ESTATE_NOT_FOUND");
}
