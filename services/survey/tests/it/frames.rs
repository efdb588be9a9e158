//! Frames: who is eligible, drawn, skipped, and why; and the job that makes them.

use std::collections::BTreeSet;

use steward_proto::survey::v1 as pb;
use tonic::Code;

use crate::content::content;
use crate::peers::Household;
use crate::world::{World, census, refused, request_id};

async fn members(world: &World, wave: &pb::Wave, verdict: pb::FrameVerdict) -> Vec<pb::FrameMember> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let list = pb::ListFrameMembersRequest { wave_id: wave.id.clone(), verdict: verdict.into(), page_size: 200, page_token: token };
        let page = world.waves().list_frame_members(world.manager().asks(list)).await.unwrap().into_inner();
        all.extend(page.members);
        token = page.next_page_token;
        if token.is_empty() {
            return all;
        }
    }
}

async fn drafted(world: &World, code: &str, design: pb::WaveDesign) -> pb::Wave {
    let (questionnaire, _) = world.published(code, content()).await;
    let programme = world.programme(code, &questionnaire).await;
    world.draft(&programme, design).await
}

fn anybody(code: &str) -> pb::EligibilityExclusion {
    use steward_proto::common::v1 as common;
    let condition = common::Condition { field: "tag".to_owned(), operator: common::Operator::Exists.into(), values: Vec::new() };
    let predicate = common::Predicate { kind: Some(common::predicate::Kind::Condition(condition)) };
    pb::EligibilityExclusion { code: code.to_owned(), predicate: Some(predicate) }
}

fn design(sampling: pb::Sampling) -> pb::WaveDesign {
    pb::WaveDesign { sampling: Some(sampling), ..census() }
}

/// SV-02, SV-39
#[tokio::test]
async fn a_census_invites_every_household_but_those_listed_with_a_reason() {
    let mut households: Vec<Household> = (0..1_800).map(|_| Household::new()).collect();
    households[0].excluded = Some("staff");
    households[1].excluded = Some("test_account");
    households[2].customer = None;
    let world = World::with(households).await;
    let exclusions = vec![anybody("staff"), anybody("test_account")];
    let wave = world.running("census", content(), pb::WaveDesign { exclusions, ..census() }).await;
    let numbers = wave.numbers.clone().unwrap();
    assert_eq!((numbers.eligible_count, numbers.excluded_count), (1_797, 3));
    assert_eq!((numbers.sampled_count, numbers.invited_count), (1_797, 1_797));
    let mut reasons: Vec<String> =
        members(&world, &wave, pb::FrameVerdict::Excluded).await.into_iter().map(|member| member.reason_code).collect();
    reasons.sort();
    assert_eq!(reasons, ["no_contact", "staff", "test_account"]);
    // Each household is asked once.
    let told: Vec<pb::InvitationDue> = world.told("InvitationDue").await;
    let asked: BTreeSet<&str> = told.iter().map(|fact| fact.household_id.as_str()).collect();
    assert_eq!((told.len(), asked.len()), (1_797, 1_797));
}

/// SV-37
#[tokio::test]
async fn the_same_seed_draws_the_same_households_twice() {
    let building = |at: usize| if at.is_multiple_of(4) { "1" } else { "2" };
    let households = (0..200).map(|at| Household::new().with("unit.building_code", building(at))).collect();
    let world = World::with(households).await;
    let sampling = pb::Sampling {
        method: pb::SamplingMethod::Stratified.into(),
        seed: 20_260_701,
        size: 40,
        strata_fields: vec!["unit.building_code".to_owned()],
        ..Default::default()
    };
    let drawn = async |code: &str, seed: u64| {
        let wave = drafted(&world, code, design(pb::Sampling { seed, ..sampling.clone() })).await;
        let job = world.framed(&wave).await;
        assert_eq!(job.drawn_count, 40);
        let mut sample = members(&world, &wave, pb::FrameVerdict::Sampled).await;
        sample.sort_by_key(|member| member.draw_position);
        sample
    };
    let (first, again, other) = (drawn("one", sampling.seed).await, drawn("two", sampling.seed).await, drawn("three", 7).await);
    let ids = |sample: &[pb::FrameMember]| sample.iter().map(|member| member.household_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&first), ids(&again));
    assert_ne!(ids(&first), ids(&other));
    // In proportion: a quarter of the households, a quarter of the sample.
    let of_first = first.iter().filter(|member| member.stratum == "1").count();
    assert_eq!(of_first, 10);
    // An auditor draws it again by hand: SHA-256 over the seed and the household's id, smallest first.
    let place = |id: &str| {
        let mut bytes = sampling.seed.to_be_bytes().to_vec();
        bytes.extend_from_slice(uuid::Uuid::parse_str(id).unwrap().as_bytes());
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes).as_ref().to_vec()
    };
    assert!(first.windows(2).all(|pair| place(&pair[0].household_id) < place(&pair[1].household_id)));
}

/// SV-38
#[tokio::test]
async fn over_sampling_is_undone_by_its_weight() {
    let tag = |at: usize| if at < 50 { "complainer" } else { "other" };
    let households = (0..250).map(|at| Household::new().with("tag", tag(at))).collect();
    let world = World::with(households).await;
    let sampling = pb::Sampling {
        method: pb::SamplingMethod::Stratified.into(),
        size: 60,
        strata_fields: vec!["tag".to_owned()],
        oversampling: vec![pb::Oversampling { stratum: "complainer".to_owned(), factor_thousandths: 2_000 }],
        ..Default::default()
    };
    let wave = drafted(&world, "weights", design(sampling)).await;
    assert_ne!(wave.design.as_ref().unwrap().sampling.as_ref().unwrap().seed, 0, "a seed is chosen and shown");
    world.framed(&wave).await;
    let sample = members(&world, &wave, pb::FrameVerdict::Sampled).await;
    let complainers: Vec<_> = sample.iter().filter(|member| member.stratum == "complainer").collect();
    // 50 of 250 would be 12 of 60; twice as often is 20 of 60.
    assert_eq!((sample.len(), complainers.len()), (60, 20));
    assert!(complainers.iter().all(|member| member.design_weight == 0.5));
    assert!(sample.iter().filter(|member| member.stratum == "other").all(|member| member.design_weight == 1.0));
}

/// SV-41
#[tokio::test]
async fn a_household_that_was_asked_lately_is_skipped_and_another_takes_its_place() {
    let mut households: Vec<Household> = (0..30).map(|_| Household::new()).collect();
    for household in &mut households[..10] {
        household.refused = Some("CAP_HOUSEHOLD");
    }
    let world = World::with(households).await;
    let sampling = pb::Sampling { method: pb::SamplingMethod::SimpleRandom.into(), seed: 1, size: 20, ..Default::default() };
    let wave = drafted(&world, "tired", design(sampling.clone())).await;
    let job = world.framed(&wave).await;
    assert_eq!((job.state(), job.drawn_count), (pb::FrameJobState::Done, 20));
    let skipped = members(&world, &wave, pb::FrameVerdict::Skipped).await;
    assert!(!skipped.is_empty() && skipped.iter().all(|member| member.reason_code == "cap_household"));
    assert_eq!(job.skipped_count, i64::try_from(skipped.len()).unwrap());

    // A callback on a case is exempt.
    let exempt = drafted(&world, "callback", pb::WaveDesign { ignores_contact_limits: true, ..census() }).await;
    let job = world.framed(&exempt).await;
    assert_eq!((job.drawn_count, job.skipped_count), (30, 0));
}

#[tokio::test]
async fn a_quota_larger_than_its_frame_fails_the_job_and_names_the_place() {
    let households = (0..10).map(|_| Household::new().with("unit.building_code", "1")).collect();
    let world = World::with(households).await;
    let sampling = pb::Sampling {
        method: pb::SamplingMethod::Quota.into(),
        strata_fields: vec!["unit.building_code".to_owned()],
        quotas: vec![pb::QuotaCell { stratum: "1".to_owned(), target: 11 }],
        ..Default::default()
    };
    let wave = drafted(&world, "greedy", design(sampling)).await;
    let job = world.framed(&wave).await;
    assert_eq!((job.state(), job.failure_code.as_str()), (pb::FrameJobState::Failed, "quota_larger_than_frame"));
    assert!(job.failure_detail.contains("design.sampling.quotas[0].target"), "{}", job.failure_detail);
    assert_eq!(world.wave(&wave.id).await.state(), pb::WaveState::Draft, "the wave can be changed and framed again");
}

#[tokio::test]
async fn an_empty_frame_and_a_predicate_that_cannot_be_evaluated_fail_the_job() {
    let world = World::of(0).await;
    let wave = drafted(&world, "empty", census()).await;
    assert_eq!(world.framed(&wave).await.failure_code, "frame_empty");
    world.peers.0.lock().unwrap().refuses_predicates = true;
    assert_eq!(world.framed(&wave).await.failure_code, "predicate_invalid");
}

#[tokio::test]
async fn a_sampling_that_contradicts_itself_is_refused_with_every_place() {
    let world = World::of(1).await;
    let (questionnaire, _) = world.published("wrong", content()).await;
    let programme = world.programme("wrong", &questionnaire).await;
    let sampling = pb::Sampling { method: pb::SamplingMethod::Stratified.into(), ..Default::default() };
    let status = refused(world.try_draft(&programme, design(sampling)).await, Code::InvalidArgument, "SAMPLING_INVALID");
    let places: Vec<String> = crate::words::reasons(&status).into_iter().map(|(field, _)| field).collect();
    assert_eq!(places, ["design.sampling.size", "design.sampling.strata_fields"]);
}

#[tokio::test]
async fn a_job_can_be_paused_resumed_cancelled_and_survives_a_restart() {
    let mut world = World::of(60).await;
    world.peers.0.lock().unwrap().page = 1;
    let wave = drafted(&world, "slow", census()).await;
    let frame = pb::FrameWaveRequest { request_id: request_id(), wave_id: wave.id.clone(), etag: String::new() };
    let job = world.waves().frame_wave(world.manager().asks(frame)).await.unwrap().into_inner().frame_job.unwrap();
    let pause = pb::PauseFrameJobRequest { request_id: request_id(), frame_job_id: job.id.clone(), etag: String::new() };
    let paused = world.waves().pause_frame_job(world.manager().asks(pause.clone())).await.unwrap().into_inner().frame_job.unwrap();
    assert_eq!(paused.state(), pb::FrameJobState::Paused);
    let again = pb::PauseFrameJobRequest { request_id: request_id(), ..pause };
    refused(world.waves().pause_frame_job(world.manager().asks(again)).await, Code::FailedPrecondition, "STATE_FORBIDS");
    world.restart().await;
    let get = pb::GetFrameJobRequest { frame_job_id: job.id.clone() };
    let kept = world.waves().get_frame_job(world.manager().asks(get)).await.unwrap().into_inner().frame_job.unwrap();
    assert_eq!((kept.state(), kept.read_count), (pb::FrameJobState::Paused, paused.read_count));
    let mut stream = {
        let watch = pb::WatchFrameJobRequest { frame_job_id: job.id.clone() };
        world.waves().watch_frame_job(world.manager().asks(watch)).await.unwrap().into_inner()
    };
    let resume = pb::ResumeFrameJobRequest { request_id: request_id(), frame_job_id: job.id.clone(), etag: String::new() };
    world.waves().resume_frame_job(world.manager().asks(resume)).await.unwrap();
    let mut last = None;
    while let Some(update) = stream.message().await.unwrap() {
        last = update.frame_job;
    }
    let last = last.unwrap();
    assert_eq!((last.state(), last.drawn_count, last.read_count), (pb::FrameJobState::Done, 60, 60), "nothing is read twice or left out");

    let other = drafted(&world, "given-up", census()).await;
    let frame = pb::FrameWaveRequest { request_id: request_id(), wave_id: other.id.clone(), etag: String::new() };
    let job = world.waves().frame_wave(world.manager().asks(frame)).await.unwrap().into_inner().frame_job.unwrap();
    let cancel = pb::CancelFrameJobRequest { request_id: request_id(), frame_job_id: job.id.clone(), etag: String::new() };
    let cancelled = world.waves().cancel_frame_job(world.manager().asks(cancel)).await.unwrap().into_inner().frame_job.unwrap();
    assert_eq!(cancelled.state(), pb::FrameJobState::Cancelled);
    assert_eq!(world.wave(&other.id).await.state(), pb::WaveState::Draft);
}
