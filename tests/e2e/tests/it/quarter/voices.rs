//! What households say in the quarter: two waves of one questionnaire, talks, and what is done about it.

use anyhow::{Context, Result, ensure};
use steward_proto::survey::v1::{
    Answer, AnswerTest, Branch, CreateImprovementPlanRequest, CreateProgrammeRequest, CreateQuestionnaireRequest, CreateSessionRequest,
    CreateWaveRequest, EffectTarget, FrameWaveRequest, GetWaveRequest, HoldSessionRequest, LaunchWaveRequest, ListInvitationsRequest,
    Measure, PlanSource, ProgrammeKind, PublishQuestionnaireVersionRequest, Question, QuestionKind, QuestionRole, QuestionnaireContent,
    RecordMeasureProgressRequest, RecordPlanEffectRequest, ResponseVerdict, Sampling, SamplingMethod, SessionKind,
    SubmitImprovementPlanRequest, SubmitResponseRequest, SurveyMode, WaveDesign, WaveState, answer::Value, answer_test::Test,
    improvement_service_client::ImprovementServiceClient, programme_service_client::ProgrammeServiceClient,
    questionnaire_service_client::QuestionnaireServiceClient, response_service_client::ResponseServiceClient,
    session_service_client::SessionServiceClient, wave_service_client::WaveServiceClient,
};

use super::{
    days::wire,
    place::{Place, asks, id, operations, until},
};

/// What a household answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voice {
    /// Which home.
    pub(super) home: usize,
    /// 1 to 5.
    pub(super) overall: u32,
    /// 0 to 10.
    pub(super) recommend: u32,
    pub(super) stays: bool,
    /// Whether a complaint was handled in time; `None` where there was none.
    pub(super) complaint_was_timely: Option<bool>,
    pub(super) suggests: bool,
}

/// Who answers the first wave, and what.
pub(super) fn first_wave() -> Vec<Voice> {
    voices(20, &[5, 4, 3, 5, 2, 4, 5, 4, 4, 5])
}

/// The second: fewer answer, and more of them are satisfied.
pub(super) fn second_wave() -> Vec<Voice> {
    voices(16, &[5, 4, 5, 5, 3, 4, 5, 4, 4, 5, 5, 4, 4])
}

fn voices(count: usize, opinions: &[u32]) -> Vec<Voice> {
    let voice = |home: usize| Voice {
        home,
        overall: opinions[home % opinions.len()],
        recommend: if home % 5 == 4 { 7 } else { 9 },
        stays: home % 8 != 6,
        complaint_was_timely: (home % 4 == 1).then_some(home % 3 != 2),
        suggests: home.is_multiple_of(6),
    };
    (0..count).map(voice).collect()
}

impl Voice {
    /// A score so low that somebody asks what went wrong (SV-45).
    pub(super) fn is_low(&self) -> bool {
        self.overall <= 2
    }

    fn answers(&self) -> Vec<Answer> {
        let mut given = vec![
            answer("overall", Value::Scale(self.overall)),
            answer("recommend", Value::Scale(self.recommend)),
            answer("stays", Value::Yes(self.stays)),
            answer("complained", Value::Yes(self.complaint_was_timely.is_some())),
        ];
        given.extend(self.complaint_was_timely.map(|timely| answer("timely", Value::Yes(timely))));
        given.extend(self.suggests.then(|| answer("suggestion", Value::Text("多种树".to_owned()))));
        given
    }
}

fn answer(question: &str, value: Value) -> Answer {
    Answer { question_code: question.to_owned(), value: Some(value), is_not_applicable: false }
}

fn content() -> QuestionnaireContent {
    let question = |code: &str, kind: QuestionKind, role: QuestionRole| Question {
        code: code.to_owned(),
        kind: kind.into(),
        role: role.into(),
        text_zh: "您的看法？".to_owned(),
        is_required: true,
        ..Question::default()
    };
    let no_complaint = Branch { when: Some(AnswerTest { test: Some(Test::Yes(false)) }), go_to: "suggestion".to_owned() };
    let questions = vec![
        Question { scale_max: 5, ..question("overall", QuestionKind::Scale, QuestionRole::Overall) },
        question("recommend", QuestionKind::Nps, QuestionRole::Recommend),
        question("stays", QuestionKind::YesNo, QuestionRole::Repurchase),
        Question { branches: vec![no_complaint], ..question("complained", QuestionKind::YesNo, QuestionRole::Complained) },
        question("timely", QuestionKind::YesNo, QuestionRole::ComplaintTimely),
        Question { is_required: false, ..question("suggestion", QuestionKind::Text, QuestionRole::Suggestion) },
    ];
    QuestionnaireContent { title_zh: "满意度".to_owned(), questions, ..QuestionnaireContent::default() }
}

impl Place {
    /// A programme of surveys that asks the questionnaire of the quarter.
    pub(super) async fn survey_programme(&self) -> Result<String> {
        let token = operations()?;
        let mut questionnaires = QuestionnaireServiceClient::new(self.gateway.clone());
        let create = CreateQuestionnaireRequest { request_id: id(), code: format!("q-{}", self.plan), draft: Some(content()) };
        let made = questionnaires.create_questionnaire(asks(&token, create)).await?.into_inner();
        let questionnaire_id = made.questionnaire.context("a questionnaire")?.id;
        let publish = PublishQuestionnaireVersionRequest {
            request_id: id(),
            questionnaire_id: questionnaire_id.clone(),
            ..PublishQuestionnaireVersionRequest::default()
        };
        questionnaires.publish_questionnaire_version(asks(&token, publish)).await?;
        let create = CreateProgrammeRequest {
            request_id: id(),
            code: format!("q-{}", self.plan),
            estate_id: self.id.clone(),
            name_zh: "满意度调查".to_owned(),
            kind: ProgrammeKind::Periodic.into(),
            questionnaire_id,
            ..CreateProgrammeRequest::default()
        };
        let made = ProgrammeServiceClient::new(self.gateway.clone()).create_programme(asks(&token, create)).await?.into_inner();
        Ok(made.programme.context("a programme")?.id)
    }

    /// Launches a wave that asks every household; answers its id as soon as all are invited.
    pub(super) async fn launch(&self, programme_id: &str, pair_wave_id: &str) -> Result<String> {
        let mut waves = WaveServiceClient::new(self.gateway.clone());
        let design = WaveDesign {
            modes: vec![SurveyMode::Online.into()],
            sampling: Some(Sampling { method: SamplingMethod::Census.into(), ..Sampling::default() }),
            pair_wave_id: pair_wave_id.to_owned(),
            ..WaveDesign::default()
        };
        let create = CreateWaveRequest {
            request_id: id(),
            estate_id: self.id.clone(),
            programme_id: programme_id.to_owned(),
            name: "2026 Q3".to_owned(),
            questionnaire_version_id: String::new(),
            design: Some(design),
        };
        let wave_id = waves.create_wave(self.by("manager", create)).await?.into_inner().wave.context("a wave")?.id;
        let frame = FrameWaveRequest { request_id: id(), wave_id: wave_id.clone(), etag: String::new() };
        waves.frame_wave(self.by("manager", frame)).await?;
        self.wave_until(&wave_id, |wave| wave.state() == WaveState::Framed).await?;
        let launch = LaunchWaveRequest { request_id: id(), wave_id: wave_id.clone(), etag: String::new() };
        waves.launch_wave(self.by("manager", launch)).await?;
        let all_invited = |wave: &steward_proto::survey::v1::Wave| {
            wave.numbers.as_ref().is_some_and(|numbers| numbers.invited_count == numbers.sampled_count && numbers.sampled_count > 0)
        };
        self.wave_until(&wave_id, all_invited).await?;
        Ok(wave_id)
    }

    async fn wave_until(&self, wave_id: &str, holds: impl Fn(&steward_proto::survey::v1::Wave) -> bool + Copy + Send) -> Result<()> {
        until("the wave", || {
            let (mut waves, request) =
                (WaveServiceClient::new(self.gateway.clone()), self.by("manager", GetWaveRequest { wave_id: wave_id.to_owned() }));
            Box::pin(async move {
                let wave = waves.get_wave(request).await?.into_inner().wave.context("a wave")?;
                Ok(holds(&wave).then_some(()))
            })
        })
        .await
    }

    /// A household answers in the app.
    pub(super) async fn say(&self, wave_id: &str, voice: &Voice) -> Result<()> {
        let home = &self.homes[voice.home];
        let mut responses = ResponseServiceClient::new(self.gateway.clone());
        let list = ListInvitationsRequest { wave_id: wave_id.to_owned(), page_size: 200, ..ListInvitationsRequest::default() };
        let invitations = responses.list_invitations(self.by_resident(home, list)?).await?.into_inner().invitations;
        let submit = SubmitResponseRequest {
            request_id: id(),
            wave_id: wave_id.to_owned(),
            response_id: id(),
            invitation_id: invitations.into_iter().next().with_context(|| format!("an invitation of home {}", voice.home))?.id,
            answers: voice.answers(),
            start_time: None,
            device_fingerprint: String::new(),
        };
        let response = responses.submit_response(self.by_resident(home, submit)?).await?.into_inner().response.context("a response")?;
        ensure!(response.verdict() == ResponseVerdict::Valid, "{response:?}");
        Ok(())
    }

    /// An interview that belongs to a wave, or to none.
    pub(super) async fn interview(&self, wave_id: &str, now: jiff::Timestamp) -> Result<()> {
        let mut sessions = SessionServiceClient::new(self.gateway.clone());
        let create = CreateSessionRequest {
            request_id: id(),
            estate_id: self.id.clone(),
            wave_id: wave_id.to_owned(),
            kind: SessionKind::Interview.into(),
            topic: "养老服务".to_owned(),
            guide: String::new(),
            appointment_time: wire(now),
        };
        let session_id = sessions.create_session(self.by("manager", create)).await?.into_inner().session.context("a session")?.id;
        let hold = HoldSessionRequest { request_id: id(), session_id, hold_time: wire(now), ..HoldSessionRequest::default() };
        sessions.hold_session(self.by("manager", hold)).await?;
        Ok(())
    }

    /// An improvement plan whose one measure is done at once; its id.
    pub(super) async fn improve(&self, baseline: f64, today: &str) -> Result<String> {
        let mut plans = ImprovementServiceClient::new(self.gateway.clone());
        let measure = Measure {
            code: "train".to_owned(),
            text: "培训".to_owned(),
            owner: "supervisor".to_owned(),
            due_date: today.to_owned(),
            ..Measure::default()
        };
        let create = CreateImprovementPlanRequest {
            request_id: id(),
            estate_id: self.id.clone(),
            title: "及时率提升".to_owned(),
            sources: vec![PlanSource { kind: "metric".to_owned(), r#ref: "timely_rate.result".to_owned() }],
            owner: "manager".to_owned(),
            document_ref: "doc/1".to_owned(),
            measures: vec![measure],
            target: Some(EffectTarget { metric_id: "timely_rate.result".to_owned(), baseline, goal: 0.95, ..EffectTarget::default() }),
        };
        let made = plans.create_improvement_plan(self.by("manager", create)).await?.into_inner();
        let improvement_plan_id = made.improvement_plan.context("a plan")?.id;
        let etag = String::new();
        let submit =
            SubmitImprovementPlanRequest { request_id: id(), improvement_plan_id: improvement_plan_id.clone(), etag: etag.clone() };
        plans.submit_improvement_plan(self.by("manager", submit)).await?;
        let done = RecordMeasureProgressRequest {
            request_id: id(),
            improvement_plan_id: improvement_plan_id.clone(),
            etag,
            measure_code: "train".to_owned(),
            progress_percent: 100,
        };
        plans.record_measure_progress(self.by("manager", done)).await?;
        Ok(improvement_plan_id)
    }

    /// What came of a plan, as soon as its follow-up is due.
    pub(super) async fn effect(&self, improvement_plan_id: &str, value: f64) -> Result<()> {
        until("the follow-up of the plan", || {
            let record = RecordPlanEffectRequest {
                request_id: id(),
                improvement_plan_id: improvement_plan_id.to_owned(),
                etag: String::new(),
                value,
            };
            let (mut plans, request) = (ImprovementServiceClient::new(self.gateway.clone()), self.by("manager", record));
            Box::pin(async move {
                match plans.record_plan_effect(request).await {
                    Ok(_) => Ok(Some(())),
                    Err(status) if status.code() == tonic::Code::FailedPrecondition => Ok(None),
                    Err(status) => Err(status.into()),
                }
            })
        })
        .await
    }
}

/// Rounds of interviews in the quarter: one of the first wave, and one of no wave (SV-20).
pub(super) const INTERVIEW_ROUNDS: i64 = 2;

/// Improvement plans whose last measure is done in the quarter.
pub(super) const IMPROVED: i64 = 5;

/// What the plan of the spring changed: from 70 to 96 per cent (F-22).
pub(super) const EFFECT: (i64, i64) = (26, 100);
