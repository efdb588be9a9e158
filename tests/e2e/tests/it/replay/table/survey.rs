//! The mutations of `steward.survey.v1`: instruments, programmes, waves, results. Beside it: answers, and what is done about them.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Entry, survey_answer, survey_matter, survey_mystery, unseen};
use crate::replay::ground::{Ground, Surveys, instrument};

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let surveys = Surveys::laid(ground).await?;
    let mut all = asked(&surveys).await?;
    all.extend(waves(&surveys).await?);
    all.extend(survey_answer::entries(&surveys).await?);
    all.extend(survey_matter::entries(ground).await?);
    all.extend(survey_mystery::entries(ground).await?);
    Ok(all)
}

/// What is asked, and in which programme.
async fn asked(surveys: &Surveys<'_, '_, '_>) -> Result<Vec<Entry>> {
    let entry = |rpc: &str, body: Value, other: Value| Entry::new(&format!("survey.v1.{rpc}"), body, other);
    let [to_update, to_publish] = [surveys.a_questionnaire("walk.second").await?, surveys.a_questionnaire("walk.third").await?];
    let programme = surveys.a_programme("walk-second").await?;
    Ok(vec![
        entry(
            "QuestionnaireService/CreateQuestionnaire",
            json!({"code": "walk.fourth", "draft": instrument("回访")}),
            json!({"code": "walk.fifth"}),
        ),
        entry(
            "QuestionnaireService/UpdateQuestionnaire",
            json!({"questionnaireId": to_update, "draft": instrument("满意度回访")}),
            json!({"draft": instrument("服务回访")}),
        ),
        entry("QuestionnaireService/PublishQuestionnaireVersion", json!({"questionnaireId": to_publish}), unseen()),
        entry("ProgrammeService/CreateProgramme", surveys.programme_request("walk-third"), json!({"code": "walk-fourth"})),
        entry(
            "ProgrammeService/UpdateProgramme",
            json!({"programmeId": programme, "updateMask": "nameZh", "nameZh": "季度调查"}),
            json!({"nameZh": "年度调查"}),
        ),
    ])
}

async fn waves(surveys: &Surveys<'_, '_, '_>) -> Result<Vec<Entry>> {
    let wave = async |rpc: &str, after: &[&str], mut body: Value, other: Value| -> Result<Entry> {
        body["waveId"] = json!(surveys.a_wave(after).await?);
        Ok(Entry::new(&format!("survey.v1.{rpc}"), body, other))
    };
    let job = async |verb: &str, state: &str| -> Result<Entry> {
        let body = json!({"frameJobId": surveys.a_frame_job(state).await?});
        Ok(Entry::new(&format!("survey.v1.WaveService/{verb}FrameJob"), body, unseen()))
    };
    let closed = ["frame", "launch", "close"];
    Ok(vec![
        Entry::new("survey.v1.WaveService/CreateWave", surveys.wave_request(), json!({"name": "2026 Q4"})),
        wave("WaveService/UpdateWave", &[], json!({"updateMask": "name", "name": "2026 Q4"}), json!({"name": "2027 Q1"})).await?,
        wave("WaveService/FrameWave", &[], json!({}), unseen()).await?,
        job("Pause", "running").await?,
        job("Resume", "paused").await?,
        job("Cancel", "paused").await?,
        wave("WaveService/LaunchWave", &closed[..1], json!({}), unseen()).await?,
        wave(
            "WaveService/CloseWave",
            &closed[..2],
            json!({"acceptsUnderSample": true, "reason": "to the end"}),
            json!({"reason": "to the very end"}),
        )
        .await?,
        wave("WaveService/ArchiveWave", &closed, json!({}), unseen()).await?,
        wave("WaveService/CancelWave", &[], json!({}), unseen()).await?,
        wave("WaveService/RecordWaveCost", &[], json!({"costFen": "120000"}), json!({"costFen": "130000"})).await?,
        wave("ResultService/PublishWaveResults", &closed, json!({"statement": "谢谢"}), json!({"statement": "谢谢大家"})).await?,
    ])
}
