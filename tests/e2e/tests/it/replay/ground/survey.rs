//! What surveys need: an instrument, a programme, waves in any state, invitations and answers.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Ground, id, id_of, until};

/// Surveys of a world.
pub(in crate::replay) struct Surveys<'g, 'c, 'h> {
    pub(in crate::replay) ground: &'g Ground<'c, 'h>,
    pub(in crate::replay) questionnaire: String,
    pub(in crate::replay) programme: String,
}

/// An instrument of one question.
pub(in crate::replay) fn instrument(title: &str) -> Value {
    let overall = json!({
        "code": "overall", "kind": "QUESTION_KIND_SCALE", "role": "QUESTION_ROLE_OVERALL", "textZh": "您满意吗？", "scaleMax": 5,
        "isRequired": true,
    });
    json!({"titleZh": title, "questions": [overall]})
}

impl<'g, 'c, 'h> Surveys<'g, 'c, 'h> {
    /// A questionnaire that is published, and its programme.
    pub(in crate::replay) async fn laid(ground: &'g Ground<'c, 'h>) -> Result<Self> {
        let mut surveys = Self { ground, questionnaire: String::new(), programme: String::new() };
        surveys.questionnaire = surveys.a_questionnaire("walk.first").await?;
        let publish = json!({"requestId": id(), "questionnaireId": surveys.questionnaire});
        ground.ask("survey.v1.QuestionnaireService/PublishQuestionnaireVersion", publish).await?;
        surveys.programme = surveys.a_programme("walk-first").await?;
        Ok(surveys)
    }

    /// A draft.
    pub(in crate::replay) async fn a_questionnaire(&self, code: &str) -> Result<String> {
        let draft = json!({"requestId": id(), "code": code, "draft": instrument("回访")});
        self.ground.make("survey.v1.QuestionnaireService/CreateQuestionnaire", "questionnaire", draft).await
    }

    pub(in crate::replay) async fn a_programme(&self, code: &str) -> Result<String> {
        let mut programme = self.programme_request(code);
        programme["requestId"] = json!(id());
        self.ground.make("survey.v1.ProgrammeService/CreateProgramme", "programme", programme).await
    }

    pub(in crate::replay) fn programme_request(&self, code: &str) -> Value {
        json!({"code": code, "nameZh": "满意度调查", "kind": "PROGRAMME_KIND_PERIODIC", "questionnaireId": self.questionnaire})
    }

    /// A wave that asks a household of each building, online or on paper, whatever the contact ledger says.
    pub(in crate::replay) fn wave_request(&self) -> Value {
        let somewhere = json!({"condition": {"field": "unit.building_code", "operator": "OPERATOR_EXISTS"}});
        let sampling = json!({
            "method": "SAMPLING_METHOD_QUOTA", "strataFields": ["unit.building_code"], "quotas": [{"stratum": "1", "target": 1}],
        });
        let design = json!({
            "modes": ["SURVEY_MODE_ONLINE", "SURVEY_MODE_PAPER"], "sampling": sampling, "eligibility": somewhere,
            "ignoresContactLimits": true,
        });
        json!({"estateId": self.ground.estate, "programmeId": self.programme, "name": "2026 Q3", "design": design})
    }

    /// A wave after these verbs: `frame`, `launch`, `close`.
    pub(in crate::replay) async fn a_wave(&self, verbs: &[&str]) -> Result<String> {
        let mut wave = self.wave_request();
        wave["requestId"] = json!(id());
        let wave = self.ground.make("survey.v1.WaveService/CreateWave", "wave", wave).await?;
        for verb in verbs {
            let mut body = json!({"requestId": id(), "waveId": wave});
            match *verb {
                "frame" => drop(self.framed(&wave).await?),
                "launch" => drop(self.ground.ask("survey.v1.WaveService/LaunchWave", body).await?),
                "close" => {
                    body["acceptsUnderSample"] = json!(true);
                    body["reason"] = json!("a walk");
                    self.ground.ask("survey.v1.WaveService/CloseWave", body).await?;
                }
                other => anyhow::bail!("no verb {other}"),
            }
        }
        Ok(wave)
    }

    /// Makes the frame of a wave; its job, which is done.
    async fn framed(&self, wave: &str) -> Result<String> {
        let frame = json!({"requestId": id(), "waveId": wave});
        let job = id_of(&self.ground.ask("survey.v1.WaveService/FrameWave", frame).await?, "frameJob")?;
        until("a frame", async || {
            let answer = self.ground.ask("survey.v1.WaveService/GetFrameJob", json!({"frameJobId": job})).await?;
            let state = answer["frameJob"]["state"].as_str().context("a state")?;
            anyhow::ensure!(!state.ends_with("_FAILED"), "{answer}");
            Ok(state.ends_with("_DONE").then_some(()))
        })
        .await?;
        Ok(job)
    }

    /// A frame job in a state between, put there by hand: a real one is done before anybody can turn it. Nobody works at a job that
    /// stands still, so it stays.
    pub(in crate::replay) async fn a_frame_job(&self, state: &str) -> Result<String> {
        let job = self.framed(&self.a_wave(&[]).await?).await?;
        let db = self.ground.caller.house().database.superuser().await?;
        sqlx::query(
            "UPDATE survey.frame_jobs SET state = 'paused', body = body || jsonb_build_object('state', $2::text, 'end_time', NULL)
              WHERE id = $1::uuid",
        )
        .bind(&job)
        .bind(state)
        .execute(&db)
        .await?;
        db.close().await;
        Ok(job)
    }

    /// A wave that takes answers, and the invitation of the household.
    pub(in crate::replay) async fn an_invitation(&self) -> Result<(String, String)> {
        let wave = self.a_wave(&["frame", "launch"]).await?;
        let invitation = until("an invitation", async || {
            let answer = self.ground.ask("survey.v1.ResponseService/ListInvitations", json!({"waveId": wave})).await?;
            let all = answer["invitations"].as_array().cloned().unwrap_or_default();
            let own = all.iter().find(|one| one["householdId"] == json!(self.ground.household));
            Ok(own.and_then(|one| one["id"].as_str()).map(str::to_owned))
        })
        .await?;
        Ok((wave, invitation))
    }
}
