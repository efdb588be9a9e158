//! Waves from design to archive.

use steward_proto::plan::v1 as plan;
use steward_proto::survey::v1 as pb;
use tonic::Code;

use crate::content::{answers, content};
use crate::world::{World, census, refused, request_id};

fn archive(wave: &pb::Wave) -> pb::ArchiveWaveRequest {
    pb::ArchiveWaveRequest { request_id: request_id(), wave_id: wave.id.clone(), etag: String::new() }
}

/// SV-01
#[tokio::test]
async fn a_wave_with_too_few_valid_responses_closes_only_with_a_reason_and_a_flag() {
    let world = World::of(4).await;
    let quarterly = plan::SurveyProgramme { code: "quarterly".to_owned(), min_valid: 3, ..Default::default() };
    world.estate_policy(plan::SurveyPolicy { programmes: vec![quarterly], ..Default::default() }).await;
    let wave = world.running("quarterly", content(), census()).await;
    for at in 0..2 {
        world.submit(&wave, at, answers(5)).await;
    }
    let numbers = world.wave(&wave.id).await.numbers.unwrap();
    assert_eq!((numbers.valid_count, numbers.required_count), (2, 3));
    let refusal = refused(world.close(&wave, "").await, Code::FailedPrecondition, "UNDER_SAMPLE");
    assert!(refusal.message().contains("2 of 3"), "{}", refusal.message());
    let closed = world.close(&wave, "the estate is small").await.unwrap();
    assert!(closed.is_under_sample);
    assert_eq!(closed.under_sample_reason, "the estate is small");
    assert!(world.figures(&wave).await.is_under_sample, "and its figures carry the flag");
    let told: Vec<pb::WaveClosed> = world.told("WaveClosed").await;
    assert!(told[0].is_under_sample && told[0].valid_count == 2);
}

/// SV-01
#[tokio::test]
async fn a_wave_with_enough_closes_without_a_flag() {
    let world = World::of(2).await;
    let wave = world.running("enough", content(), pb::WaveDesign { min_valid_count: 1, ..census() }).await;
    world.submit(&wave, 0, answers(4)).await;
    let closed = world.close(&wave, "").await.unwrap();
    assert!(!closed.is_under_sample && closed.state() == pb::WaveState::Closed);
    let late = world.submission(&wave, 1, answers(4)).await;
    refused(world.send(1, late).await, Code::FailedPrecondition, "WAVE_NOT_OPEN");
}

/// SV-03
#[tokio::test]
async fn a_wave_is_archived_only_with_an_improvement_plan_that_rests_on_it() {
    let world = World::of(1).await;
    let annual = plan::SurveyProgramme { code: "annual".to_owned(), requires_improvement_plan: true, ..Default::default() };
    world.estate_policy(plan::SurveyPolicy { programmes: vec![annual], ..Default::default() }).await;
    let wave = world.running("annual", content(), census()).await;
    world.close(&wave, "").await.unwrap();
    let refusal = world.waves().archive_wave(world.manager().asks(archive(&wave))).await;
    refused(refusal, Code::FailedPrecondition, "IMPROVEMENT_PLAN_MISSING");
    let create = pb::CreateImprovementPlanRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        title: "回应时间".to_owned(),
        sources: vec![pb::PlanSource { kind: "wave".to_owned(), r#ref: wave.id.clone() }],
        ..Default::default()
    };
    let plan = world.improvements().create_improvement_plan(world.manager().asks(create)).await.unwrap().into_inner();
    let plan = plan.improvement_plan.unwrap();
    assert_eq!(world.wave(&wave.id).await.improvement_plan_ids, [plan.id]);
    let archived = world.waves().archive_wave(world.manager().asks(archive(&wave))).await.unwrap().into_inner().wave.unwrap();
    assert_eq!(archived.state(), pb::WaveState::Archived);
}

#[tokio::test]
async fn each_state_allows_its_own_verbs_and_says_so() {
    let world = World::of(1).await;
    let (questionnaire, _) = world.published("states", content()).await;
    let programme = world.programme("states", &questionnaire).await;
    let wave = world.draft(&programme, census()).await;
    let launch = || pb::LaunchWaveRequest { request_id: request_id(), wave_id: wave.id.clone(), etag: String::new() };
    refused(world.waves().launch_wave(world.manager().asks(launch())).await, Code::FailedPrecondition, "STATE_FORBIDS");
    refused(world.close(&wave, "").await, Code::FailedPrecondition, "STATE_FORBIDS");
    world.framed(&wave).await;
    let stale = pb::LaunchWaveRequest { etag: "1".to_owned(), ..launch() };
    refused(world.waves().launch_wave(world.manager().asks(stale)).await, Code::Aborted, "STALE_ETAG");
    world.launched(&wave).await;
    let cancel = pb::CancelWaveRequest { request_id: request_id(), wave_id: wave.id.clone(), etag: String::new() };
    refused(world.waves().cancel_wave(world.manager().asks(cancel)).await, Code::FailedPrecondition, "STATE_FORBIDS");

    let other = world.draft(&programme, census()).await;
    let cancel = pb::CancelWaveRequest { request_id: request_id(), wave_id: other.id.clone(), etag: String::new() };
    let cancelled = world.waves().cancel_wave(world.manager().asks(cancel)).await.unwrap().into_inner().wave.unwrap();
    assert_eq!(cancelled.state(), pb::WaveState::Cancelled);
}

/// SV-09
#[tokio::test]
async fn a_special_wave_is_bound_to_what_it_is_about() {
    let world = World::of(1).await;
    let subject = pb::WaveSubject { kind: "service".to_owned(), code: "elderly_meals".to_owned() };
    let wave = world.running("special", content(), pb::WaveDesign { subject: Some(subject.clone()), ..census() }).await;
    assert_eq!(wave.design.as_ref().unwrap().subject, Some(subject));
    world.submit(&wave, 0, answers(5)).await;
    let told: Vec<pb::ResponseAccepted> = world.told("ResponseAccepted").await;
    assert_eq!((told[0].subject_kind.as_str(), told[0].subject_code.as_str()), ("service", "elderly_meals"));
}

#[tokio::test]
async fn the_cost_of_a_wave_is_recorded() {
    let world = World::of(1).await;
    let wave = world.census().await;
    let cost = pb::RecordWaveCostRequest { request_id: request_id(), wave_id: wave.id.clone(), etag: String::new(), cost_fen: 500_000 };
    let recorded = world.waves().record_wave_cost(world.manager().asks(cost)).await.unwrap().into_inner().wave.unwrap();
    assert_eq!(recorded.cost_fen, 500_000);
}

/// SV-36
#[tokio::test]
async fn the_planner_says_how_many_answers_each_estate_and_the_group_need() {
    let world = World::of(1_800).await;
    let population = |count| pb::SamplePopulation { estate_id: world.estate.to_string(), household_count: count };
    let plan = pb::PlanSampleRequest {
        populations: vec![population(0), population(300), population(5_000)],
        confidence: 0.95,
        margin: 0.05,
        expected_rate: 0.3,
    };
    let plan = world.waves().plan_sample(world.manager().asks(plan)).await.unwrap().into_inner();
    let counts: Vec<i64> = plan.plans.iter().map(|plan| plan.answer_count).collect();
    // The first population is counted by the service: 1,800 delivered households.
    assert_eq!(counts, [317, 169, 357]);
    assert_eq!(plan.plans[0].invitation_count, 1_057);
    let group = plan.group.unwrap();
    assert_eq!((group.household_count, group.answer_count), (7_100, 365));
}

/// XC-30
#[tokio::test]
async fn a_wave_of_another_estate_does_not_exist() {
    let world = World::of(1).await;
    let wave = world.census().await;
    let stranger =
        crate::world::Caller::new(&steward_harness::Claims::staff("stranger").role("estate_manager").estate(uuid::Uuid::now_v7()));
    let get = pb::GetWaveRequest { wave_id: wave.id };
    refused(world.waves().get_wave(stranger.asks(get)).await, Code::NotFound, "WAVE_NOT_FOUND");
}
