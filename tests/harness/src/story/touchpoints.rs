//! Looking at what care is due to whom.

use anyhow::{Context, Result};
use steward_proto::care::v1::{
    CreateProgrammeRequest, ListTouchpointsRequest, ProgrammeDocument, PublishProgrammeRequest, Touchpoint, TouchpointState,
    programme_service_client::ProgrammeServiceClient, touchpoint_service_client::TouchpointServiceClient,
};

use super::{
    prologue::Estate,
    stage::{Actor, Stage, given, request_id},
};

/// Writes a programme of the estate and publishes it.
pub(super) async fn publish(stage: &Stage, manager: &Actor, estate: &Estate, code: &str, document: ProgrammeDocument) -> Result<()> {
    let mut programmes = ProgrammeServiceClient::new(stage.gateway.clone());
    let create = CreateProgrammeRequest {
        request_id: request_id(),
        code: code.to_owned(),
        estate_id: estate.id.clone(),
        document: Some(document),
        plan_item_id: String::new(),
    };
    let draft = programmes.create_programme(manager.asks(create)?).await.context("writing the programme")?.into_inner();
    let programme_id = given(draft.programme, "programme")?.id;
    let publish = PublishProgrammeRequest { request_id: request_id(), programme_id, etag: String::new() };
    let published = programmes.publish_programme(manager.asks(publish)?).await.context("publishing the programme")?.into_inner();
    let programme = given(published.programme, "programme")?;
    stage.tell(format!(
        "{} publishes programme {} version {}, {}",
        manager.name(),
        programme.code,
        programme.version,
        &programme.content_hash.get(..12).unwrap_or_default()
    ));
    Ok(())
}

/// A household's touchpoint of a programme, as soon as it stands in this state.
pub(super) async fn until(
    stage: &Stage,
    reader: &Actor,
    household_id: &str,
    programme_code: &str,
    state: TouchpointState,
) -> Result<Touchpoint> {
    let touchpoints = TouchpointServiceClient::new(stage.gateway.clone());
    let look = || {
        let request = ListTouchpointsRequest { household_id: household_id.to_owned(), ..ListTouchpointsRequest::default() };
        let (mut touchpoints, request) = (touchpoints.clone(), reader.asks(request));
        async move {
            let answer = touchpoints.list_touchpoints(request?).await.context("listing the touchpoints")?.into_inner();
            let is_meant = |one: &Touchpoint| one.programme_code == programme_code && one.state() == state;
            Ok(answer.touchpoints.into_iter().find(is_meant))
        }
    };
    let what = format!("a touchpoint of {programme_code} in {}", state.as_str_name());
    // Changes of an estate are gathered before they are planned for.
    if state == TouchpointState::Planned { stage.await_gathered(&what, look).await } else { stage.await_retried(&what, look).await }
}

/// Tells what happened to a touchpoint so far.
pub(super) fn tell(stage: &Stage, touchpoint: &Touchpoint) {
    stage.tell(format!("touchpoint {} ({}) is {}", touchpoint.definition_code, touchpoint.id, touchpoint.state().as_str_name()));
    for step in &touchpoint.steps {
        stage.tell(format!("  {}  {:<10} {}", stage.local_proto(step.time), step.code, step.reason_code));
    }
}
