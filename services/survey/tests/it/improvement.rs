//! Improvement plans.

use jiff::SignedDuration;
use steward_proto::survey::v1 as pb;
use tonic::Code;

use crate::words::{reasons, time};
use crate::world::{World, eventually, refused, request_id};

pub(crate) fn new_plan(world: &World) -> pb::CreateImprovementPlanRequest {
    let measure = |code: &str, due: &str| pb::Measure {
        code: code.to_owned(),
        text: "培训".to_owned(),
        owner: "supervisor-1".to_owned(),
        due_date: due.to_owned(),
        ..Default::default()
    };
    pb::CreateImprovementPlanRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        title: "投诉处理及时率".to_owned(),
        sources: vec![pb::PlanSource { kind: "metric".to_owned(), r#ref: "timely_rate.result".to_owned() }],
        owner: "manager-1".to_owned(),
        document_ref: "doc/2026-07".to_owned(),
        measures: vec![measure("train", "2026-07-05"), measure("rota", "2026-07-20")],
        target: Some(pb::EffectTarget { metric_id: "timely_rate.result".to_owned(), baseline: 0.70, goal: 0.95, ..Default::default() }),
    }
}

pub(crate) async fn created(world: &World, request: pb::CreateImprovementPlanRequest) -> pb::ImprovementPlan {
    let answer = world.improvements().create_improvement_plan(world.manager().asks(request)).await.unwrap();
    answer.into_inner().improvement_plan.unwrap()
}

async fn get(world: &World, id: &str) -> pb::ImprovementPlan {
    let get = pb::GetImprovementPlanRequest { improvement_plan_id: id.to_owned() };
    world.improvements().get_improvement_plan(world.manager().asks(get)).await.unwrap().into_inner().improvement_plan.unwrap()
}

pub(crate) fn submit(id: &str) -> pb::SubmitImprovementPlanRequest {
    pb::SubmitImprovementPlanRequest { request_id: request_id(), improvement_plan_id: id.to_owned(), etag: String::new() }
}

pub(crate) async fn done(world: &World, id: &str, measure: &str) -> pb::ImprovementPlan {
    let record = pb::RecordMeasureProgressRequest {
        request_id: request_id(),
        improvement_plan_id: id.to_owned(),
        etag: String::new(),
        measure_code: measure.to_owned(),
        progress_percent: 100,
    };
    let answer = world.improvements().record_measure_progress(world.manager().asks(record)).await.unwrap();
    answer.into_inner().improvement_plan.unwrap()
}

/// SV-16
#[tokio::test]
async fn a_plan_without_owner_or_report_cannot_be_submitted() {
    let world = World::of(0).await;
    let bare = pb::CreateImprovementPlanRequest { owner: String::new(), document_ref: String::new(), ..new_plan(&world) };
    let plan = created(&world, bare).await;
    let refusal = world.improvements().submit_improvement_plan(world.manager().asks(submit(&plan.id))).await;
    let status = refused(refusal, Code::InvalidArgument, "PLAN_INCOMPLETE");
    assert_eq!(reasons(&status).into_iter().map(|(field, _)| field).collect::<Vec<_>>(), ["owner", "document_ref"]);
    let update = pb::UpdateImprovementPlanRequest {
        request_id: request_id(),
        improvement_plan_id: plan.id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["owner".to_owned(), "document_ref".to_owned()] }),
        owner: "manager-1".to_owned(),
        document_ref: "doc/1".to_owned(),
        ..Default::default()
    };
    world.improvements().update_improvement_plan(world.manager().asks(update)).await.unwrap();
    let submitted = world.improvements().submit_improvement_plan(world.manager().asks(submit(&plan.id))).await.unwrap().into_inner();
    assert_eq!(submitted.improvement_plan.unwrap().state(), pb::ImprovementPlanState::Submitted);
}

/// SV-17
#[tokio::test]
async fn the_effect_is_measured_three_months_after_the_last_measure() {
    let world = World::of(0).await;
    let plan = created(&world, new_plan(&world)).await;
    world.improvements().submit_improvement_plan(world.manager().asks(submit(&plan.id))).await.unwrap();
    done(&world, &plan.id, "train").await;
    let implemented = done(&world, &plan.id, "rota").await;
    assert_eq!(implemented.state(), pb::ImprovementPlanState::Implemented);
    // From 1 July to 24:00 of 1 October.
    assert_eq!(time(implemented.follow_up_due_time.as_ref()).to_string(), "2026-10-01T16:00:00Z");
    let effect =
        || pb::RecordPlanEffectRequest { request_id: request_id(), improvement_plan_id: plan.id.clone(), etag: String::new(), value: 0.96 };
    refused(world.improvements().record_plan_effect(world.manager().asks(effect())).await, Code::FailedPrecondition, "STATE_FORBIDS");
    world.clock.advance(SignedDuration::from_hours(24 * 93));
    eventually("the follow-up to be due", || async {
        (get(&world, &plan.id).await.state() == pb::ImprovementPlanState::FollowUpDue).then_some(())
    })
    .await;
    assert_eq!(world.facts("ImprovementFollowUpDue").await, 1);
    let verified = world.improvements().record_plan_effect(world.manager().asks(effect())).await.unwrap().into_inner();
    let effect = verified.improvement_plan.unwrap().effect.unwrap();
    assert!(effect.goal_reached && (effect.difference - 0.26).abs() < 1e-9, "{effect:?}");
    // The owners are told.
    let told: Vec<pb::ImprovementPlanVerified> = world.told("ImprovementPlanVerified").await;
    assert!(told[0].goal_reached);
}

/// SV-33
#[tokio::test]
async fn a_measure_that_is_late_is_told_of_and_shown() {
    let world = World::of(0).await;
    let plan = created(&world, new_plan(&world)).await;
    world.improvements().submit_improvement_plan(world.manager().asks(submit(&plan.id))).await.unwrap();
    world.clock.advance(SignedDuration::from_hours(24 * 6));
    eventually("the overdue measure", || async { (world.facts("ImprovementMeasureOverdue").await > 0).then_some(()) }).await;
    let told: Vec<pb::ImprovementMeasureOverdue> = world.told("ImprovementMeasureOverdue").await;
    assert_eq!((told.len(), told[0].measure_code.as_str()), (1, "train"));
    let measures = get(&world, &plan.id).await.measures;
    assert_eq!(measures.iter().map(|measure| measure.is_overdue).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn a_cancelled_plan_keeps_no_promise() {
    let world = World::of(0).await;
    let plan = created(&world, new_plan(&world)).await;
    world.improvements().submit_improvement_plan(world.manager().asks(submit(&plan.id))).await.unwrap();
    let cancel = pb::CancelImprovementPlanRequest {
        request_id: request_id(),
        improvement_plan_id: plan.id.clone(),
        etag: String::new(),
        reason: "merged".to_owned(),
    };
    world.improvements().cancel_improvement_plan(world.manager().asks(cancel)).await.unwrap();
    let timers: i64 = sqlx::query_scalar("SELECT count(*) FROM survey.timers").fetch_one(&world.db).await.unwrap();
    assert_eq!(timers, 0);
}

/// A number that no document can hold is refused before anything is written down.
#[tokio::test]
async fn a_figure_that_is_no_number_is_refused() {
    let world = World::of(4).await;
    for (baseline, goal) in [(f64::NAN, 0.9), (0.7, f64::INFINITY)] {
        let mut request = new_plan(&world);
        request.target = Some(pb::EffectTarget { baseline, goal, ..request.target.unwrap_or_default() });
        let answer = world.improvements().create_improvement_plan(world.manager().asks(request)).await;
        refused(answer, Code::InvalidArgument, "double.finite");
    }
    let plan = created(&world, new_plan(&world)).await;
    let effect = pb::RecordPlanEffectRequest {
        request_id: request_id(),
        improvement_plan_id: plan.id,
        etag: String::new(),
        value: f64::NEG_INFINITY,
    };
    let answer = world.improvements().record_plan_effect(world.manager().asks(effect.clone())).await;
    refused(answer, Code::InvalidArgument, "double.finite");
    let nowhere = pb::RecordPlanEffectRequest { improvement_plan_id: "no id".to_owned(), ..effect };
    let status = world.improvements().record_plan_effect(world.manager().asks(nowhere)).await.expect_err("is refused");
    let fields: Vec<String> = reasons(&status).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["improvement_plan_id", "value"], "every bad field at once");
}
