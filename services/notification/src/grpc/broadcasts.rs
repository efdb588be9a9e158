//! The RPCs of `BroadcastService`.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_kit::{Error, Result};
use steward_proto::common::v1::Predicate;
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::broadcast_service_server::BroadcastService;
use tonic::{Request, Response};
use uuid::Uuid;

use super::Answer;
use super::request::{call, received, target};
use crate::app::{App, NewBroadcast};
use crate::contract::{Code, all};
use crate::domain::broadcast::Broadcast;
use crate::domain::codes::BroadcastChangeKind;
use crate::rule_condition::predicate;
use crate::store::broadcast_pages::{Report, load_report};
use crate::store::broadcasts::{BroadcastKey, list_broadcasts, load_broadcast};

/// The service.
pub(crate) struct Broadcasts {
    app: Arc<App>,
    pages: PageTokens,
}

impl Broadcasts {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

/// A verb on a broadcast.
macro_rules! verb {
    ($self:ident, $request:ident, $method:literal, $answer:ident, $change:ident) => {{
        let (access, request) = received($request)?;
        let call = call(&access, $method, &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "broadcast_id", &request.broadcast_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |broadcast: &Broadcast| Ok(pb::$answer { broadcast: Some(encode(broadcast)?) });
        let change = (BroadcastChangeKind::$change, request.reason.as_str());
        Ok(Response::new($self.app.change_broadcast(&call, target, change, answer).await?))
    }};
}

#[tonic::async_trait]
impl BroadcastService for Broadcasts {
    async fn create_broadcast(&self, request: Request<pb::CreateBroadcastRequest>) -> Answer<pb::CreateBroadcastResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateBroadcast", &request, &request.request_id)?;
        let new = new_broadcast(request)?;
        let answer = |broadcast: &Broadcast| Ok(pb::CreateBroadcastResponse { broadcast: Some(encode(broadcast)?) });
        Ok(Response::new(self.app.create_broadcast(&call, new, answer).await?))
    }

    async fn create_emergency_broadcast(
        &self,
        request: Request<pb::CreateEmergencyBroadcastRequest>,
    ) -> Answer<pb::CreateEmergencyBroadcastResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateEmergencyBroadcast", &request, &request.request_id)?;
        let new = new_emergency(request)?;
        let answer = |broadcast: &Broadcast| Ok(pb::CreateEmergencyBroadcastResponse { broadcast: Some(encode(broadcast)?) });
        Ok(Response::new(self.app.create_broadcast(&call, new, answer).await?))
    }

    /// Two trips: the broadcast, and the report.
    async fn get_broadcast(&self, request: Request<pb::GetBroadcastRequest>) -> Answer<pb::GetBroadcastResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = bad.id("broadcast_id", &request.broadcast_id);
        let broadcast = load_broadcast(self.app.db.pool(), &access.scope, bad.build(|| id)?).await?;
        let report = load_report(self.app.db.pool(), &broadcast).await?;
        Ok(Response::new(pb::GetBroadcastResponse { broadcast: Some(encode(&broadcast)?), report: Some(encode_report(&report)) }))
    }

    async fn list_broadcasts(&self, request: Request<pb::ListBroadcastsRequest>) -> Answer<pb::ListBroadcastsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.optional_id("estate_id", &request.estate_id);
        bad.finish()?;
        let state = Code::of_number(request.state);
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListBroadcasts", &request);
        let page = self.pages.request(&query, size, &token)?;
        let broadcasts = list_broadcasts(self.app.db.pool(), &access.scope, estate, state, &page).await?;
        let page = self.pages.page(&query, page.size, broadcasts, BroadcastKey::of)?;
        let broadcasts = page.rows.iter().map(encode).collect::<Result<_>>()?;
        Ok(Response::new(pb::ListBroadcastsResponse { broadcasts, next_page_token: page.next_page_token }))
    }

    async fn pause_broadcast(&self, request: Request<pb::PauseBroadcastRequest>) -> Answer<pb::PauseBroadcastResponse> {
        verb!(self, request, "PauseBroadcast", PauseBroadcastResponse, Paused)
    }

    async fn resume_broadcast(&self, request: Request<pb::ResumeBroadcastRequest>) -> Answer<pb::ResumeBroadcastResponse> {
        verb!(self, request, "ResumeBroadcast", ResumeBroadcastResponse, Resumed)
    }

    async fn stop_broadcast(&self, request: Request<pb::StopBroadcastRequest>) -> Answer<pb::StopBroadcastResponse> {
        verb!(self, request, "StopBroadcast", StopBroadcastResponse, Stopped)
    }
}

fn new_broadcast(request: pb::CreateBroadcastRequest) -> Result<NewBroadcast> {
    let mut bad = Violations::of(&request);
    let estates = bad.ids("estate_ids", &request.estate_ids);
    let channels = all(&mut bad, "channels", &request.channels);
    let start_time = bad.optional_timestamp("start_time", request.start_time.as_ref());
    let due_time = bad.optional_timestamp("due_time", request.due_time.as_ref());
    bad.finish()?;
    let exclusions = request.exclusions.into_iter().filter_map(|exclusion| Some((exclusion.code, exclusion.predicate?)));
    Ok(NewBroadcast {
        title: request.title,
        estates,
        audience: request.audience,
        exclusions: exclusions.collect::<Vec<(String, Predicate)>>(),
        template_key: request.template_key,
        variables: request.variables.into_iter().collect(),
        channels,
        subject_kind: request.subject_kind,
        subject_id: Uuid::try_parse(&request.subject_id).ok(),
        start_time,
        due_time,
        uses_profile: request.uses_profile,
        emergency: None,
    })
}

fn new_emergency(request: pb::CreateEmergencyBroadcastRequest) -> Result<NewBroadcast> {
    let mut bad = Violations::of(&request);
    let estates = bad.ids("estate_ids", &request.estate_ids);
    let due_time = bad.optional_timestamp("due_time", request.due_time.as_ref());
    bad.finish()?;
    Ok(NewBroadcast {
        title: request.title,
        estates,
        audience: request.audience,
        exclusions: Vec::new(),
        template_key: request.template_key,
        variables: request.variables.into_iter().collect(),
        channels: Vec::new(),
        subject_kind: request.subject_kind,
        subject_id: Uuid::try_parse(&request.subject_id).ok(),
        start_time: None,
        due_time,
        uses_profile: false,
        emergency: Some(request.reason),
    })
}

fn encode(broadcast: &Broadcast) -> Result<pb::Broadcast> {
    let Broadcast { document, .. } = broadcast;
    let exclusion = |one: &crate::domain::broadcast::Exclusion| {
        Ok::<_, Error>(pb::BroadcastExclusion { code: one.code.clone(), predicate: Some(predicate(&one.when)?) })
    };
    let changes = broadcast.changes.iter().map(|change| pb::BroadcastChange {
        kind: change.kind.number(),
        actor: Some(change.actor.wire()),
        occur_time: Some(to_timestamp(change.time)),
        reason: change.reason.clone(),
    });
    Ok(pb::Broadcast {
        id: broadcast.id.to_string(),
        title: broadcast.title.clone(),
        estate_ids: broadcast.estate_ids.iter().map(ToString::to_string).collect(),
        audience: document.audience.as_ref().map(predicate).transpose()?,
        exclusions: document.exclusions.iter().map(exclusion).collect::<Result<_>>()?,
        template_key: broadcast.template_key.clone(),
        template_version: broadcast.template_version,
        message_class: broadcast.class.number(),
        variables: document.variables.clone().into_iter().collect(),
        channels: document.channels.iter().map(|channel| channel.number()).collect(),
        subject_kind: broadcast.subject_kind.clone(),
        subject_id: broadcast.subject_id.map(|id| id.to_string()).unwrap_or_default(),
        start_time: Some(to_timestamp(broadcast.start_time)),
        due_time: broadcast.due_time.map(to_timestamp),
        uses_profile: document.uses_profile,
        emergency_reason: document.emergency_reason.clone().unwrap_or_default(),
        state: broadcast.state.number(),
        progress: Some(pb::BroadcastProgress {
            estate_count: count(broadcast.estate_ids.len()),
            estate_done_count: broadcast.estate_done_count,
            household_count: broadcast.household_count,
            message_count: broadcast.message_count,
            page_count: broadcast.page_count,
        }),
        is_late: broadcast.is_late,
        begin_time: broadcast.begin_time.map(to_timestamp),
        end_time: broadcast.end_time.map(to_timestamp),
        changes: changes.collect(),
        etag: broadcast.row_version.to_string(),
        create_time: Some(to_timestamp(broadcast.create_time)),
        update_time: Some(to_timestamp(broadcast.update_time)),
    })
}

fn encode_report(report: &Report) -> pb::BroadcastReport {
    let messages = report.messages.iter().map(|(state, reason, found)| pb::BroadcastMessageCount {
        state: state.number(),
        suppress_reason: reason.map_or(0, Code::number),
        count: count(*found),
    });
    let excluded = report.excluded.iter().map(|(code, found)| pb::BroadcastExcludedCount { code: code.clone(), count: *found });
    pb::BroadcastReport {
        household_count: count(report.households),
        messages: messages.collect(),
        excluded: excluded.collect(),
        without_contact_count: count(report.without_contact),
        told_already_count: count(report.told_already),
    }
}

/// As the contract counts.
fn count(found: impl TryInto<i32>) -> i32 {
    found.try_into().unwrap_or(i32::MAX)
}
