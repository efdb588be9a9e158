//! The plan of a year, and the 315 plan.

use jiff::civil::date;
use steward_kit_store::NewEvent;
use steward_proto::care::v1 as pb;
use steward_proto::survey::v1 as survey;
use tonic::Code;

use crate::planning::message;
use crate::world::{BASE, CARE_315, World, eventually, refused, request_id};

/// CA-29, CA-80: a plan is approved by another than its author; what carries out an item of it is not ad hoc.
#[tokio::test]
async fn what_a_year_plans_is_approved_and_carried_out() {
    let world = World::new().await;
    world.households.add(date(2026, 3, 1));
    let create = || pb::CreateAnnualPlanRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        year: 2026,
        items: vec![pb::AnnualPlanItem { title: "月度简报".to_owned(), budget_cents: 500_000, ..Default::default() }],
    };
    let plan = world.annual_plans().create_annual_plan(world.manager().asks(create())).await.unwrap().into_inner().annual_plan.unwrap();
    refused(world.annual_plans().create_annual_plan(world.manager().asks(create())).await, Code::AlreadyExists, "ANNUAL_PLAN_EXISTS");
    let draft = |item: String| {
        let anchor = pb::anchor::Kind::Recurrence(pb::RecurrenceAnchor { every: pb::Recurrence::Month.into() });
        pb::CreateProgrammeRequest { plan_item_id: item, ..world.draft("bulletin", vec![message("bulletin", anchor)]) }
    };
    let item = plan.items[0].item_id.clone();
    let early = world.programmes().create_programme(world.manager().asks(draft(item.clone()))).await;
    assert_eq!(early.expect_err("not approved yet").code(), Code::NotFound);
    let approve = || pb::ApproveAnnualPlanRequest {
        request_id: request_id(),
        annual_plan_id: plan.id.clone(),
        etag: String::new(),
        review_date: "2026-03-10".to_owned(),
    };
    refused(
        world.annual_plans().approve_annual_plan(world.manager().asks(approve())).await,
        Code::FailedPrecondition,
        "APPROVER_IS_AUTHOR",
    );
    let approved = world.annual_plans().approve_annual_plan(world.operations().asks(approve())).await.unwrap().into_inner();
    assert_eq!(approved.annual_plan.unwrap().review_date, "2026-03-10", "CA-80");
    let programme = world.programmes().create_programme(world.manager().asks(draft(item))).await.unwrap().into_inner();
    assert!(!programme.programme.unwrap().is_ad_hoc);
}

/// CA-05, CA-06: green only if all three are met: everybody reached, an interview round, five improvements.
#[tokio::test]
async fn the_315_plan_is_green_only_when_all_three_are_met() {
    let world = World::under(&[BASE, CARE_315]).await;
    let household = world.households.add(date(2026, 1, 1));
    let anchor = pb::anchor::Kind::Recurrence(pb::RecurrenceAnchor { every: pb::Recurrence::Month.into() });
    world.publish_programme("bulletin", vec![message("bulletin", anchor)]).await;
    let start =
        || pb::StartPlan315Request { request_id: request_id(), estate_id: world.estate.to_string(), from_date: "2026-03-01".to_owned() };
    let plan = world.annual_plans().start_plan315(world.manager().asks(start())).await.unwrap().into_inner().plan.unwrap();
    assert_eq!((plan.to_date.as_str(), plan.interview_target, plan.improvement_target), ("2026-05-31", 1, 5));
    refused(world.annual_plans().start_plan315(world.manager().asks(start())).await, Code::AlreadyExists, "PLAN_315_EXISTS");
    let record = |part: pb::Plan315Part| pb::RecordPlan315ProgressRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        part: part.into(),
        reference: "doc/1".to_owned(),
    };
    world.annual_plans().record_plan315_progress(world.manager().asks(record(pb::Plan315Part::InterviewRound))).await.unwrap();
    for _ in 0..5 {
        world.annual_plans().record_plan315_progress(world.manager().asks(record(pb::Plan315Part::Improvement))).await.unwrap();
    }
    let get = || async {
        let request = pb::GetPlan315Request { estate_id: world.estate.to_string() };
        world.annual_plans().get_plan315(world.manager().asks(request)).await.unwrap().into_inner().plan.unwrap()
    };
    let plan = get().await;
    assert_eq!((plan.covered_count, plan.eligible_count, plan.is_green), (0, 1, false));
    world.until(household.id, pb::TouchpointState::Planned).await;
    world.go_to("2026-03-01T01:00:00Z");
    let acted = world.until(household.id, pb::TouchpointState::Acted).await;
    let confirm = pb::ConfirmTouchpointRequest { request_id: request_id(), touchpoint_id: acted.id, ..Default::default() };
    world.touchpoints().confirm_touchpoint(world.steward().asks(confirm)).await.unwrap();
    let plan = get().await;
    assert_eq!((plan.covered_count, plan.is_green), (1, true));
}

/// A plan that says nothing of 315 has none.
#[tokio::test]
async fn an_estate_whose_policy_has_no_315_plan_is_told_so() {
    let world = World::new().await;
    let start =
        pb::StartPlan315Request { request_id: request_id(), estate_id: world.estate.to_string(), from_date: "2026-03-01".to_owned() };
    refused(world.annual_plans().start_plan315(world.manager().asks(start)).await, Code::FailedPrecondition, "PLAN_315_UNDEFINED");
}

/// CA-05: an improvement whose effect is known counts by itself, once; one of another estate, and one after the last day, does not.
#[tokio::test]
async fn an_improvement_that_was_verified_counts_once() {
    let world = World::under(&[BASE, CARE_315]).await;
    let start =
        pb::StartPlan315Request { request_id: request_id(), estate_id: world.estate.to_string(), from_date: "2026-03-01".to_owned() };
    world.annual_plans().start_plan315(world.manager().asks(start)).await.unwrap();
    let improved = |id: uuid::Uuid, estate: String| survey::ImprovementPlanVerified {
        plan: Some(survey::ImprovementPlanFacts { improvement_plan_id: id.to_string(), estate_id: estate, ..Default::default() }),
        goal_reached: true,
    };
    let count = || async {
        let request = pb::GetPlan315Request { estate_id: world.estate.to_string() };
        world.annual_plans().get_plan315(world.manager().asks(request)).await.unwrap().into_inner().plan.unwrap().improvement_count
    };
    let (first, second) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
    let own = world.estate.to_string();
    for (id, estate) in [(first, own.clone()), (first, own.clone()), (uuid::Uuid::now_v7(), request_id()), (second, own.clone())] {
        world.publish("survey", vec![NewEvent::new(id, world.estate, world.now(), &improved(id, estate))]).await;
    }
    eventually("two improvements", || async { (count().await == 2).then_some(()) }).await;
    world.go_to("2026-06-01T00:00:00Z");
    let late = uuid::Uuid::now_v7();
    world.publish("survey", vec![NewEvent::new(late, world.estate, world.now(), &improved(late, own))]).await;
    eventually("it was heard", || async {
        // The marks of March may be forgotten by now.
        let sql = "SELECT count(*) FROM care.inbox WHERE consumer LIKE '%answers%' AND process_time >= '2026-06-01Z'";
        let heard: i64 = sqlx::query_scalar(sql).fetch_one(&world.db).await.unwrap();
        (heard == 1).then_some(())
    })
    .await;
    assert_eq!(count().await, 2);
}
