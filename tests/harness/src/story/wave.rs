//! The quarterly wave (SV-01, SV-37, SV-47): a frozen questionnaire, a stratified draw that an auditor can repeat, invitations.

use anyhow::{Context, Result, ensure};
use steward_proto::survey::v1::{
    Allocation, CancelWaveRequest, CreateProgrammeRequest, CreateQuestionnaireRequest, CreateWaveRequest, FrameJobState, FrameMember,
    FrameVerdict, FrameWaveRequest, GetFrameJobRequest, GetWaveRequest, LaunchWaveRequest, ListFrameMembersRequest, ProgrammeKind,
    PublishQuestionnaireVersionRequest, Sampling, SamplingMethod, SurveyMode, Wave, WaveDesign,
    programme_service_client::ProgrammeServiceClient, questionnaire_service_client::QuestionnaireServiceClient,
    wave_service_client::WaveServiceClient,
};

use super::{
    answers,
    prologue::{Estate, manager, operations},
    questionnaire,
    stage::{Actor, Stage, given, request_id},
};

/// Seed of the draw; whoever has it can draw again.
const SEED: u64 = 20_260_714;

/// Households that are drawn.
pub(super) const DRAWN: u32 = 40;

/// Valid answers without which the wave would be under-sampled.
const LEAST_VALID: u32 = 30;

pub(super) async fn play(stage: &Stage, estate: &Estate) -> Result<()> {
    stage.scene("The quarterly survey: a questionnaire is frozen, households are drawn from a seed");
    let (operations, manager) = (operations(stage)?, manager(stage, &estate.id)?);
    let programme_id = programme(stage, &operations, estate).await?;
    let wave = frame(stage, &manager, estate, &programme_id, "季度满意度", SEED).await?;
    let drawn = members(stage, &manager, &wave.id).await?;
    tell_draw(stage, &drawn);
    ensure!(drawn.len() == usize::try_from(DRAWN)?, "{} households were drawn", drawn.len());

    let again = frame(stage, &manager, estate, &programme_id, "复核", SEED).await?;
    ensure!(
        order(&members(stage, &manager, &again.id).await?) == order(&drawn),
        "the same seed draws the same households in the same order"
    );
    let other = frame(stage, &manager, estate, &programme_id, "对照", SEED + 1).await?;
    ensure!(order(&members(stage, &manager, &other.id).await?) != order(&drawn), "another seed draws others");
    stage.tell(format!("drawn again from seed {SEED}: the same {DRAWN} in the same order; from seed {}: others", SEED + 1));
    for replay in [again, other] {
        let request = CancelWaveRequest { request_id: request_id(), wave_id: replay.id, etag: String::new() };
        WaveServiceClient::new(stage.gateway.clone()).cancel_wave(manager.asks(request)?).await.context("giving up a replay")?;
    }

    stage.scene("The wave is launched, and its invitations arrive");
    launch(stage, &manager, &wave.id).await?;
    answers::play(stage, estate, &manager, &wave, drawn).await
}

/// A questionnaire in its first version, and a programme that asks it.
async fn programme(stage: &Stage, operations: &Actor, estate: &Estate) -> Result<String> {
    // Codes are the whole group's, and a story may be told twice.
    let code = format!("quarterly-{}", estate.id.get(24..).unwrap_or_default());
    let mut questionnaires = QuestionnaireServiceClient::new(stage.gateway.clone());
    let create = CreateQuestionnaireRequest { request_id: request_id(), code: code.clone(), draft: Some(questionnaire::content()) };
    let made = questionnaires.create_questionnaire(operations.asks(create)?).await.context("drafting the questionnaire")?.into_inner();
    let questionnaire_id = given(made.questionnaire, "questionnaire")?.id;
    let publish = PublishQuestionnaireVersionRequest {
        request_id: request_id(),
        questionnaire_id: questionnaire_id.clone(),
        ..PublishQuestionnaireVersionRequest::default()
    };
    let frozen = questionnaires.publish_questionnaire_version(operations.asks(publish)?).await.context("publishing it")?.into_inner();
    let version = given(frozen.questionnaire_version, "version")?;
    stage.tell(format!("{code} version {} is frozen as {}", version.version, version.content_sha256));
    let create = CreateProgrammeRequest {
        request_id: request_id(),
        code,
        estate_id: estate.id.clone(),
        name_zh: "季度满意度调查".to_owned(),
        name_en: "Quarterly survey".to_owned(),
        kind: ProgrammeKind::Periodic.into(),
        questionnaire_id,
        ..CreateProgrammeRequest::default()
    };
    let programme = ProgrammeServiceClient::new(stage.gateway.clone())
        .create_programme(operations.asks(create)?)
        .await
        .context("starting the survey programme")?;
    Ok(given(programme.into_inner().programme, "programme")?.id)
}

/// Designs a wave, and waits for its frame.
async fn frame(stage: &Stage, manager: &Actor, estate: &Estate, programme_id: &str, name: &str, seed: u64) -> Result<Wave> {
    let mut waves = WaveServiceClient::new(stage.gateway.clone());
    let sampling = Sampling {
        method: SamplingMethod::Stratified.into(),
        seed,
        size: DRAWN,
        strata_fields: vec!["unit.building_code".to_owned()],
        allocation: Allocation::Proportional.into(),
        ..Sampling::default()
    };
    let design = WaveDesign {
        modes: vec![SurveyMode::Online.into()],
        sampling: Some(sampling),
        min_valid_count: LEAST_VALID,
        ..WaveDesign::default()
    };
    let create = CreateWaveRequest {
        request_id: request_id(),
        estate_id: estate.id.clone(),
        programme_id: programme_id.to_owned(),
        name: name.to_owned(),
        questionnaire_version_id: String::new(),
        design: Some(design),
    };
    let wave = given(waves.create_wave(manager.asks(create)?).await.context("designing the wave")?.into_inner().wave, "wave")?;
    let frame = FrameWaveRequest { request_id: request_id(), wave_id: wave.id.clone(), etag: String::new() };
    let job = given(waves.frame_wave(manager.asks(frame)?).await.context("framing the wave")?.into_inner().frame_job, "frame job")?;
    let job = stage
        .await_retried("the frame", || {
            let (mut waves, request) = (waves.clone(), manager.asks(GetFrameJobRequest { frame_job_id: job.id.clone() }));
            async move {
                let job = waves.get_frame_job(request?).await.context("reading the frame job")?.into_inner().frame_job;
                Ok(job.filter(|job| job.end_time.is_some()))
            }
        })
        .await?;
    ensure!(job.state() == FrameJobState::Done, "the frame failed: {} {}", job.failure_code, job.failure_detail);
    stage.tell(format!(
        "{name}: of {} households {} are eligible, {} left out; {} drawn from seed {seed}",
        job.read_count, job.eligible_count, job.excluded_count, job.drawn_count
    ));
    Ok(wave)
}

/// The households drawn, in the order of the draw.
async fn members(stage: &Stage, manager: &Actor, wave_id: &str) -> Result<Vec<FrameMember>> {
    let request = ListFrameMembersRequest {
        wave_id: wave_id.to_owned(),
        verdict: FrameVerdict::Sampled.into(),
        page_size: 200,
        page_token: String::new(),
    };
    let answer = WaveServiceClient::new(stage.gateway.clone()).list_frame_members(manager.asks(request)?).await.context("the draw")?;
    let mut members = answer.into_inner().members;
    members.sort_by_key(|member| member.draw_position);
    Ok(members)
}

/// Who was drawn, in order.
fn order(members: &[FrameMember]) -> Vec<(u32, &str)> {
    members.iter().map(|member| (member.draw_position, member.household_id.as_str())).collect()
}

fn tell_draw(stage: &Stage, drawn: &[FrameMember]) {
    let mut strata = std::collections::BTreeMap::<&str, u32>::new();
    for member in drawn {
        *strata.entry(&member.stratum).or_default() += 1;
    }
    let strata: Vec<String> = strata.iter().map(|(building, count)| format!("building {building}: {count}")).collect();
    stage.tell(format!("  by building, proportionally: {}", strata.join(", ")));
    for member in drawn.iter().take(3) {
        stage.tell(format!("  {}. household {}", member.draw_position, member.household_id));
    }
}

/// Launches the wave; its invitations have arrived when this returns.
async fn launch(stage: &Stage, manager: &Actor, wave_id: &str) -> Result<()> {
    let waves = WaveServiceClient::new(stage.gateway.clone());
    let launch = LaunchWaveRequest { request_id: request_id(), wave_id: wave_id.to_owned(), etag: String::new() };
    waves.clone().launch_wave(manager.asks(launch)?).await.context("launching the wave")?;
    let numbers = stage
        .await_retried("the invitations", || {
            let (mut waves, request) = (waves.clone(), manager.asks(GetWaveRequest { wave_id: wave_id.to_owned() }));
            async move {
                let wave = given(waves.get_wave(request?).await.context("reading the wave")?.into_inner().wave, "wave")?;
                let numbers = given(wave.numbers, "numbers")?;
                Ok((numbers.delivered_count == i64::from(DRAWN)).then_some(numbers))
            }
        })
        .await?;
    stage.tell(format!("{} invited, {} delivered", numbers.invited_count, numbers.delivered_count));
    Ok(())
}
