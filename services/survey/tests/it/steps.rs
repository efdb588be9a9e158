//! What tests do again and again: publish an instrument, frame and launch a wave, answer, close, read the results.

use steward_proto::survey::v1 as pb;

use crate::content::content;
use crate::words::{Answer, eventually, request_id};
use crate::world::World;

impl World {
    /// Publishes a content as the version of a new questionnaire; answers its id and the version's.
    pub(crate) async fn published(&self, code: &str, draft: pb::QuestionnaireContent) -> (String, pb::QuestionnaireVersion) {
        let ops = self.operations();
        let create = pb::CreateQuestionnaireRequest { request_id: request_id(), code: code.to_owned(), draft: Some(draft) };
        let made = self.questionnaires().create_questionnaire(ops.asks(create)).await.unwrap().into_inner().questionnaire.unwrap();
        let publish =
            pb::PublishQuestionnaireVersionRequest { request_id: request_id(), questionnaire_id: made.id.clone(), ..Default::default() };
        let answer = self.questionnaires().publish_questionnaire_version(ops.asks(publish)).await.unwrap();
        (made.id, answer.into_inner().questionnaire_version.unwrap())
    }

    pub(crate) async fn programme(&self, code: &str, questionnaire_id: &str) -> pb::Programme {
        let create = pb::CreateProgrammeRequest {
            request_id: request_id(),
            code: code.to_owned(),
            name_zh: "满意度调查".to_owned(),
            kind: pb::ProgrammeKind::Periodic.into(),
            questionnaire_id: questionnaire_id.to_owned(),
            ..Default::default()
        };
        let answer = self.programmes().create_programme(self.operations().asks(create)).await.unwrap();
        answer.into_inner().programme.unwrap()
    }

    /// A draft wave of a programme.
    pub(crate) async fn draft(&self, programme: &pb::Programme, design: pb::WaveDesign) -> pb::Wave {
        self.try_draft(programme, design).await.unwrap()
    }

    pub(crate) async fn try_draft(&self, programme: &pb::Programme, design: pb::WaveDesign) -> Answer<pb::Wave> {
        let create = pb::CreateWaveRequest {
            request_id: request_id(),
            estate_id: self.estate.to_string(),
            programme_id: programme.id.clone(),
            name: "2026 Q3".to_owned(),
            questionnaire_version_id: String::new(),
            design: Some(design),
        };
        Ok(self.waves().create_wave(self.manager().asks(create)).await?.into_inner().wave.unwrap())
    }

    /// Makes the frame of a wave; answers the job as it ended.
    pub(crate) async fn framed(&self, wave: &pb::Wave) -> pb::FrameJob {
        let frame = pb::FrameWaveRequest { request_id: request_id(), wave_id: wave.id.clone(), etag: String::new() };
        let job = self.waves().frame_wave(self.manager().asks(frame)).await.unwrap().into_inner().frame_job.unwrap();
        self.ended(&job.id).await
    }

    pub(crate) async fn ended(&self, job: &str) -> pb::FrameJob {
        eventually("the end of a frame job", || async {
            let get = pb::GetFrameJobRequest { frame_job_id: job.to_owned() };
            let job = self.waves().get_frame_job(self.manager().asks(get)).await.unwrap().into_inner().frame_job.unwrap();
            (job.end_time.is_some()).then_some(job)
        })
        .await
    }

    /// Launches a framed wave and waits for its invitations.
    pub(crate) async fn launched(&self, wave: &pb::Wave) -> pb::Wave {
        let launch = pb::LaunchWaveRequest { request_id: request_id(), wave_id: wave.id.clone(), etag: String::new() };
        self.waves().launch_wave(self.manager().asks(launch)).await.unwrap();
        eventually("the invitations of a wave", || async {
            let wave = self.wave(&wave.id).await;
            let numbers = wave.numbers.as_ref().unwrap();
            (numbers.invited_count == numbers.sampled_count).then_some(wave)
        })
        .await
    }

    /// A launched wave of a new programme that asks this content.
    pub(crate) async fn running(&self, code: &str, asked: pb::QuestionnaireContent, design: pb::WaveDesign) -> pb::Wave {
        let (questionnaire, _) = self.published(code, asked).await;
        let programme = self.programme(code, &questionnaire).await;
        let wave = self.draft(&programme, design).await;
        let job = self.framed(&wave).await;
        assert_eq!(job.state(), pb::FrameJobState::Done, "{job:?}");
        self.launched(&wave).await
    }

    /// The annual questionnaire, asked of every household.
    pub(crate) async fn census(&self) -> pb::Wave {
        self.running("annual-test", content(), census()).await
    }

    pub(crate) async fn wave(&self, id: &str) -> pb::Wave {
        let get = pb::GetWaveRequest { wave_id: id.to_owned() };
        self.waves().get_wave(self.manager().asks(get)).await.unwrap().into_inner().wave.unwrap()
    }

    /// The invitation of a household.
    pub(crate) async fn invitation(&self, wave: &pb::Wave, at: usize) -> pb::Invitation {
        let list = pb::ListInvitationsRequest { wave_id: wave.id.clone(), page_size: 200, ..Default::default() };
        let found = self.responses().list_invitations(self.resident(at).asks(list)).await.unwrap().into_inner().invitations;
        found.into_iter().next().expect("an invitation of the household")
    }

    /// An answer of the household at a place, not sent yet.
    pub(crate) async fn submission(&self, wave: &pb::Wave, at: usize, answers: Vec<pb::Answer>) -> pb::SubmitResponseRequest {
        pb::SubmitResponseRequest {
            request_id: request_id(),
            wave_id: wave.id.clone(),
            response_id: request_id(),
            invitation_id: self.invitation(wave, at).await.id,
            answers,
            start_time: None,
            device_fingerprint: String::new(),
        }
    }

    pub(crate) async fn send(&self, at: usize, request: pb::SubmitResponseRequest) -> Answer<pb::Response> {
        let answer = self.responses().submit_response(self.resident(at).asks(request)).await?;
        Ok(answer.into_inner().response.unwrap())
    }

    pub(crate) async fn submit(&self, wave: &pb::Wave, at: usize, answers: Vec<pb::Answer>) -> pb::Response {
        let request = self.submission(wave, at, answers).await;
        self.send(at, request).await.unwrap()
    }

    pub(crate) async fn close(&self, wave: &pb::Wave, reason: &str) -> Answer<pb::Wave> {
        let close = pb::CloseWaveRequest {
            request_id: request_id(),
            wave_id: wave.id.clone(),
            etag: String::new(),
            accepts_under_sample: !reason.is_empty(),
            reason: reason.to_owned(),
        };
        Ok(self.waves().close_wave(self.manager().asks(close)).await?.into_inner().wave.unwrap())
    }

    pub(crate) async fn figures(&self, wave: &pb::Wave) -> pb::WaveResults {
        let get = pb::GetWaveResultsRequest { wave_id: wave.id.clone() };
        self.results().get_wave_results(self.manager().asks(get)).await.unwrap().into_inner().results.unwrap()
    }
}

/// Everybody, on every way.
pub(crate) fn census() -> pb::WaveDesign {
    pb::WaveDesign {
        modes: vec![
            pb::SurveyMode::Online.into(),
            pb::SurveyMode::Paper.into(),
            pb::SurveyMode::Interview.into(),
            pb::SurveyMode::Visit.into(),
        ],
        sampling: Some(pb::Sampling { method: pb::SamplingMethod::Census.into(), ..Default::default() }),
        ..Default::default()
    }
}
