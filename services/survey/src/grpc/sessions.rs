//! The RPCs of `SessionService`.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::paging::{PageTokens, Query};
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::session_service_server::SessionService;
use tonic::{Request, Response};

use super::request::{call, id, received, target};
use super::{Answer, encode};
use crate::app::{App, Held, NewSession, Opinion};
use crate::contract::{Code, required};
use crate::domain::codes::SessionState;
use crate::domain::ids::{SessionId, WaveId};
use crate::domain::{Participant, Session, Theme, Wave};
use crate::store::records::{RecordFilter, RecordKey};
use crate::store::summaries::rank_needs;

/// How many needs are ranked when nobody says (SV-10).
const USUAL_TOP: u32 = 3;

/// The service.
pub(crate) struct Sessions {
    app: Arc<App>,
    pages: PageTokens,
}

impl Sessions {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

fn themes(wire: &[pb::Theme]) -> Vec<Theme> {
    wire.iter()
        .map(|theme| Theme {
            code: theme.code.clone(),
            mentions: theme.mention_count,
            is_need: theme.is_need,
            need_code: theme.need_code.clone(),
        })
        .collect()
}

#[tonic::async_trait]
impl SessionService for Sessions {
    async fn create_session(&self, request: Request<pb::CreateSessionRequest>) -> Answer<pb::CreateSessionResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateSession", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let wave = bad.optional_id("wave_id", &request.wave_id);
        let kind = required(&mut bad, "kind", request.kind);
        let time = bad.timestamp("appointment_time", request.appointment_time.as_ref());
        let new = bad.build(|| {
            let (topic, guide) = (request.topic.clone(), request.guide.clone());
            Some(NewSession { estate: estate?, wave, kind: kind?, topic, guide, appointment_time: time? })
        })?;
        let answer = |made: &Session| pb::CreateSessionResponse { session: Some(encode::session(made)) };
        Ok(Response::new(self.app.create_session(&call, new, answer).await?))
    }

    async fn add_participant(&self, request: Request<pb::AddParticipantRequest>) -> Answer<pb::AddParticipantResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "AddParticipant", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "session_id", &request.session_id, &request.etag);
        let who = Participant {
            customer_id: bad.optional_id("customer_id", &request.customer_id),
            household_id: bad.optional_id("household_id", &request.household_id),
            group: request.group_code.clone(),
            is_minor: request.is_minor,
            guardian_consent_ref: request.guardian_consent_ref.clone(),
            guardian_consent_time: bad.optional_timestamp("guardian_consent_time", request.guardian_consent_time.as_ref()),
        };
        let target = bad.build(|| target)?;
        let answer = |changed: &Session| pb::AddParticipantResponse { session: Some(encode::session(changed)) };
        Ok(Response::new(self.app.add_participant(&call, target, &who, answer).await?))
    }

    async fn hold_session(&self, request: Request<pb::HoldSessionRequest>) -> Answer<pb::HoldSessionResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "HoldSession", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "session_id", &request.session_id, &request.etag);
        let time = bad.timestamp("hold_time", request.hold_time.as_ref());
        let mut opinions = Vec::with_capacity(request.opinions.len());
        for (at, opinion) in request.opinions.iter().enumerate() {
            let customer = bad.optional_id(&format!("opinions[{at}].customer_id"), &opinion.customer_id);
            opinions.push(Opinion { text: opinion.text.clone().into(), customer, topic: opinion.topic_code.clone() });
        }
        let (target, held) = bad.build(|| {
            let held = Held { time: time?, notes: request.notes.clone().into(), themes: themes(&request.themes), opinions };
            Some((target?, held))
        })?;
        let answer = |changed: &Session| pb::HoldSessionResponse { session: Some(encode::session(changed)) };
        Ok(Response::new(self.app.hold_session(&call, target, held, answer).await?))
    }

    async fn code_session(&self, request: Request<pb::CodeSessionRequest>) -> Answer<pb::CodeSessionResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CodeSession", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "session_id", &request.session_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |changed: &Session| pb::CodeSessionResponse { session: Some(encode::session(changed)) };
        Ok(Response::new(self.app.code_session(&call, target, &themes(&request.themes), answer).await?))
    }

    async fn cancel_session(&self, request: Request<pb::CancelSessionRequest>) -> Answer<pb::CancelSessionResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CancelSession", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "session_id", &request.session_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |changed: &Session| pb::CancelSessionResponse { session: Some(encode::session(changed)) };
        Ok(Response::new(self.app.cancel_session(&call, target, answer).await?))
    }

    async fn get_session(&self, request: Request<pb::GetSessionRequest>) -> Answer<pb::GetSessionResponse> {
        let (access, request) = received(request)?;
        let id: SessionId = id(&request, "session_id", &request.session_id)?;
        let session: Session = self.app.load(&access, id).await?;
        Ok(Response::new(pb::GetSessionResponse { session: Some(encode::session(&session)) }))
    }

    async fn list_sessions(&self, request: Request<pb::ListSessionsRequest>) -> Answer<pb::ListSessionsResponse> {
        let (access, mut request) = received(request)?;
        let estate = access.scope.estate(id(&request, "estate_id", &request.estate_id)?)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListSessions", &request);
        let page = self.pages.request(&query, size, &token)?;
        let filter = RecordFilter { state: SessionState::of_number(request.state).map(SessionState::as_str), parent: None };
        let rows: Vec<Session> = self.app.list(&access, estate, filter, &page).await?;
        let page = self.pages.page(&query, page.size, rows, RecordKey::of)?;
        let sessions = page.rows.iter().map(encode::session).collect();
        Ok(Response::new(pb::ListSessionsResponse { sessions, next_page_token: page.next_page_token }))
    }

    async fn rank_needs(&self, request: Request<pb::RankNeedsRequest>) -> Answer<pb::RankNeedsResponse> {
        let (access, request) = received(request)?;
        let wave: WaveId = id(&request, "wave_id", &request.wave_id)?;
        let wave: Wave = self.app.load(&access, wave).await?;
        let top = if request.top == 0 { USUAL_TOP } else { request.top };
        let ranked = rank_needs(self.app.db.pool(), wave.estate_id, wave.id.as_uuid(), top.into()).await?;
        let needs = ranked.into_iter().map(|(code, count)| pb::RankedNeed { code, count }).collect();
        Ok(Response::new(pb::RankNeedsResponse { needs }))
    }
}
