//! The mutations of `steward.survey.v1` about answers. The two without a request id, which keep nothing of who called, are proven in
//! the survey service's own tests.

use anyhow::Result;
use serde_json::{Value, json};

use super::Entry;
use crate::replay::ground::{Surveys, id, id_of};

/// Who enters a paper first; the walk enters it again.
const CLERK: &str = "clerk.wu";

pub(super) async fn entries(surveys: &Surveys<'_, '_, '_>) -> Result<Vec<Entry>> {
    let entry = |rpc: &str, body: Value, other: Value| Entry::new(&format!("survey.v1.ResponseService/{rpc}"), body, other);
    let (_, to_open) = surveys.an_invitation().await?;
    let (_, to_start) = surveys.an_invitation().await?;
    let (wave, invitation) = surveys.an_invitation().await?;
    let (on_paper, _) = surveys.an_invitation().await?;
    Ok(vec![
        entry("OpenInvitation", json!({"invitationId": to_open}), json!({"invitationId": id()})),
        entry("StartResponse", json!({"invitationId": to_start}), json!({"invitationId": id()})),
        entry("SubmitResponse", an_answer(&wave, &invitation), json!({"answers": scored(5)})),
        entry("EnterResponse", a_paper(surveys, &on_paper), json!({"sourceRef": "P-2"})),
        entry("EnterSecondCopy", json!({"responseId": entered(surveys).await?, "answers": scored(4)}), json!({"answers": scored(5)})),
        entry(
            "ReviewResponse",
            json!({"responseId": held(surveys).await?, "accept": true, "reason": "the owner was asked"}),
            json!({"reason": "the owner was asked again"}),
        ),
    ])
}

fn scored(points: u32) -> Value {
    json!([{"questionCode": "overall", "scale": points}])
}

fn an_answer(wave: &str, invitation: &str) -> Value {
    json!({"waveId": wave, "responseId": id(), "invitationId": invitation, "answers": scored(4)})
}

fn a_paper(surveys: &Surveys<'_, '_, '_>, wave: &str) -> Value {
    let ground = surveys.ground;
    json!({
        "waveId": wave, "responseId": id(), "mode": "SURVEY_MODE_PAPER", "householdId": ground.household, "sourceRef": "P-1",
        "answers": scored(4), "occurTime": ground.now(),
    })
}

/// A paper that waits for its second entry.
async fn entered(surveys: &Surveys<'_, '_, '_>) -> Result<String> {
    let (wave, _) = surveys.an_invitation().await?;
    let mut paper = a_paper(surveys, &wave);
    paper["requestId"] = json!(id());
    let answer = surveys.ground.caller.ask("steward.survey.v1.ResponseService/EnterResponse", Some(CLERK), paper).await?;
    id_of(&answer, "response")
}

/// A response that somebody must look at: staff gave it in an owner's place.
async fn held(surveys: &Surveys<'_, '_, '_>) -> Result<String> {
    let (wave, invitation) = surveys.an_invitation().await?;
    let mut answer = an_answer(&wave, &invitation);
    answer["requestId"] = json!(id());
    surveys.ground.make("survey.v1.ResponseService/SubmitResponse", "response", answer).await
}
