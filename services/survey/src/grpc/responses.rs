//! The RPCs of `ResponseService`.

use std::sync::Arc;

use steward_kit::Error;
use steward_kit::error::Violations;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::response_service_server::ResponseService;
use tonic::{Request, Response};

use super::request::{call, id, received, target};
use super::{Answer, encode};
use crate::app::{App, Asking, BlindAnswer, Entry, Submission};
use crate::contract::{Code, read_answers, required};
use crate::domain::codes::{InvitationState, Verdict};
use crate::domain::ids::{InvitationId, ResponseId, WaveId};
use crate::domain::{Invitation, Subject, Wave};
use crate::store::invitations::{InvitationKey, list_of_customer, list_of_wave, load_invitation};
use crate::store::responses::{ResponseKey, list_responses, list_revisions};

/// The service.
pub(crate) struct Responses {
    app: Arc<App>,
    pages: PageTokens,
}

impl Responses {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

#[tonic::async_trait]
impl ResponseService for Responses {
    async fn get_invitation(&self, request: Request<pb::GetInvitationRequest>) -> Answer<pb::GetInvitationResponse> {
        let (access, request) = received(request)?;
        let id = id(&request, "invitation_id", &request.invitation_id)?;
        let invitation = load_invitation(self.app.db.pool(), &access.scope, id).await?;
        let wave = self.app.wave_of(&invitation).await?;
        Ok(Response::new(pb::GetInvitationResponse {
            invitation: Some(encode::invitation(&invitation)),
            content: Some(self.app.content(&wave).await?),
            is_anonymous: wave.design.is_anonymous,
        }))
    }

    async fn list_invitations(&self, request: Request<pb::ListInvitationsRequest>) -> Answer<pb::ListInvitationsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let wave: Option<WaveId> = bad.optional_id("wave_id", &request.wave_id);
        if wave.is_none() && access.scope.own_customer().is_none() {
            bad.add("wave_id", "required", "must be given by those who are no customer");
        }
        bad.finish()?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListInvitations", &request);
        let page = self.pages.request(&query, size, &token)?;
        let state = InvitationState::of_number(request.state);
        let pool = self.app.db.pool();
        let rows = match (wave, access.scope.own_customer_id()) {
            (Some(wave), None) => {
                let wave: Wave = self.app.load(&access, wave).await?;
                list_of_wave(pool, &access.scope, &wave, state, &page).await?
            }
            (Some(wave), Some(_)) => {
                let wave = self.app.wave_for_answer(&access, wave).await?;
                list_of_wave(pool, &access.scope, &wave, state, &page).await?
            }
            (None, Some(customer)) => list_of_customer(pool, &access.scope, customer, state, &page).await?,
            (None, None) => return Err(Error::bug("a list of nobody's invitations").into()),
        };
        let page = self.pages.page(&query, page.size, rows, |row| InvitationKey(row.id.as_uuid()))?;
        let invitations = page.rows.iter().map(encode::invitation).collect();
        Ok(Response::new(pb::ListInvitationsResponse { invitations, next_page_token: page.next_page_token }))
    }

    async fn ask_household(&self, request: Request<pb::AskHouseholdRequest>) -> Answer<pb::AskHouseholdResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "AskHousehold", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let (estate, household) = (bad.id("estate_id", &request.estate_id), bad.id("household_id", &request.household_id));
        let (unit, customer) = (bad.id("unit_id", &request.unit_id), bad.optional_id("customer_id", &request.customer_id));
        let subject = bad.required("subject", request.subject.as_ref());
        let subject = subject.map(|about| Subject { kind: about.kind.clone(), code: about.code.clone() });
        let asking = bad.build(|| {
            let (estate, household, unit) = (estate?, household?, unit?);
            Some(Asking { estate, household, unit, customer, questionnaire: request.questionnaire_code.clone(), subject: subject? })
        })?;
        let answer = |asked: &Invitation| pb::AskHouseholdResponse { invitation: Some(encode::invitation(asked)) };
        Ok(Response::new(self.app.ask_household(&call, &asking, answer).await?))
    }

    async fn open_invitation(&self, request: Request<pb::OpenInvitationRequest>) -> Answer<pb::OpenInvitationResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "OpenInvitation", &request, &request.request_id)?;
        let id = id(&request, "invitation_id", &request.invitation_id)?;
        let answer = |opened: &Invitation| pb::OpenInvitationResponse { invitation: Some(encode::invitation(opened)) };
        Ok(Response::new(self.app.open_invitation(&call, id, answer).await?))
    }

    async fn start_response(&self, request: Request<pb::StartResponseRequest>) -> Answer<pb::StartResponseResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "StartResponse", &request, &request.request_id)?;
        let id = id(&request, "invitation_id", &request.invitation_id)?;
        let answer = |started: &Invitation, hold: Option<jiff::Timestamp>| pb::StartResponseResponse {
            invitation: Some(encode::invitation(started)),
            hold_until_time: hold.map(to_timestamp),
        };
        Ok(Response::new(self.app.start_response(&call, id, answer).await?))
    }

    async fn submit_response(&self, request: Request<pb::SubmitResponseRequest>) -> Answer<pb::SubmitResponseResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "SubmitResponse", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let wave = bad.id("wave_id", &request.wave_id);
        let response = bad.id("response_id", &request.response_id);
        let invitation = bad.id("invitation_id", &request.invitation_id);
        let answers = read_answers(&mut bad, &request.answers);
        let start_time = bad.optional_timestamp("start_time", request.start_time.as_ref());
        let new = bad.build(|| {
            let (wave, response, invitation) = (wave?, response?, invitation?);
            Some(Submission { wave, response, invitation, answers, start_time, device: request.device_fingerprint.clone() })
        })?;
        let answer = |taken: &_| pb::SubmitResponseResponse { response: Some(encode::response(taken)) };
        Ok(Response::new(self.app.submit_response(&call, new, answer).await?))
    }

    async fn take_blind_token(&self, request: Request<pb::TakeBlindTokenRequest>) -> Answer<pb::TakeBlindTokenResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let wave: Option<WaveId> = bad.id("wave_id", &request.wave_id);
        let invitation: Option<InvitationId> = bad.id("invitation_id", &request.invitation_id);
        let (wave, invitation) = bad.build(|| Some((wave?, invitation?)))?;
        let (token, content) = self.app.take_blind_token(&access, wave, invitation, &request.nonce).await?;
        Ok(Response::new(pb::TakeBlindTokenResponse { token: token.into(), content: Some(content) }))
    }

    async fn submit_blind_response(&self, request: Request<pb::SubmitBlindResponseRequest>) -> Answer<pb::SubmitBlindResponseResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let wave = bad.id("wave_id", &request.wave_id);
        let response = bad.id("response_id", &request.response_id);
        let answers = read_answers(&mut bad, &request.answers);
        let duration_s = Some(i64::from(request.duration_s)).filter(|seconds| *seconds > 0);
        let new =
            bad.build(|| Some(BlindAnswer { wave: wave?, response: response?, token: request.token.to_vec(), answers, duration_s }))?;
        let verdict = self.app.submit_blind(&access, new).await?;
        Ok(Response::new(pb::SubmitBlindResponseResponse { verdict: verdict.number() }))
    }

    async fn enter_response(&self, request: Request<pb::EnterResponseRequest>) -> Answer<pb::EnterResponseResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "EnterResponse", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let wave = bad.id("wave_id", &request.wave_id);
        let response = bad.id("response_id", &request.response_id);
        let mode = required(&mut bad, "mode", request.mode);
        let invitation = bad.optional_id("invitation_id", &request.invitation_id);
        let household = bad.optional_id("household_id", &request.household_id);
        let answers = read_answers(&mut bad, &request.answers);
        let occur_time = bad.timestamp("occur_time", request.occur_time.as_ref());
        let new = bad.build(|| {
            Some(Entry {
                wave: wave?,
                response: response?,
                mode: mode?,
                invitation,
                household,
                source_ref: request.source_ref.clone(),
                answers,
                occur_time: occur_time?,
            })
        })?;
        let answer = |taken: &_| pb::EnterResponseResponse { response: Some(encode::response(taken)) };
        Ok(Response::new(self.app.enter_response(&call, new, answer).await?))
    }

    async fn enter_second_copy(&self, request: Request<pb::EnterSecondCopyRequest>) -> Answer<pb::EnterSecondCopyResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "EnterSecondCopy", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let response: Option<ResponseId> = bad.id("response_id", &request.response_id);
        let answers = read_answers(&mut bad, &request.answers);
        let response = bad.build(|| response)?;
        let answer = |checked: &_| pb::EnterSecondCopyResponse { response: Some(encode::response(checked)) };
        Ok(Response::new(self.app.enter_again(&call, response, answers, answer).await?))
    }

    async fn review_response(&self, request: Request<pb::ReviewResponseRequest>) -> Answer<pb::ReviewResponseResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ReviewResponse", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "response_id", &request.response_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |reviewed: &_| pb::ReviewResponseResponse { response: Some(encode::response(reviewed)) };
        Ok(Response::new(self.app.review_response(&call, target, request.accept, &request.reason, answer).await?))
    }

    async fn get_response(&self, request: Request<pb::GetResponseRequest>) -> Answer<pb::GetResponseResponse> {
        let (access, request) = received(request)?;
        let response = self.app.response(&access, id(&request, "response_id", &request.response_id)?).await?;
        Ok(Response::new(pb::GetResponseResponse { response: Some(encode::response(&response)) }))
    }

    async fn list_responses(&self, request: Request<pb::ListResponsesRequest>) -> Answer<pb::ListResponsesResponse> {
        let (access, mut request) = received(request)?;
        let wave: WaveId = id(&request, "wave_id", &request.wave_id)?;
        let wave: Wave = self.app.load(&access, wave).await?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListResponses", &request);
        let page = self.pages.request(&query, size, &token)?;
        let (verdict, mismatched) = (Verdict::of_number(request.verdict), request.mismatched_entries_only);
        let rows = list_responses(self.app.db.pool(), self.app.cipher(), &wave, verdict, mismatched, &page).await?;
        let page = self.pages.page(&query, page.size, rows, ResponseKey::of)?;
        let responses = page.rows.iter().map(encode::response).collect();
        Ok(Response::new(pb::ListResponsesResponse { responses, next_page_token: page.next_page_token }))
    }

    async fn list_response_revisions(
        &self,
        request: Request<pb::ListResponseRevisionsRequest>,
    ) -> Answer<pb::ListResponseRevisionsResponse> {
        let (access, mut request) = received(request)?;
        let response = self.app.response(&access, id(&request, "response_id", &request.response_id)?).await?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListResponseRevisions", &request);
        let page = self.pages.request(&query, size, &token)?;
        let rows = list_revisions(self.app.db.pool(), self.app.cipher(), &response, &page).await?;
        let page = self.pages.page(&query, page.size, rows, |row| row.revision)?;
        let revisions = page.rows.iter().map(encode::revision).collect();
        Ok(Response::new(pb::ListResponseRevisionsResponse { revisions, next_page_token: page.next_page_token }))
    }
}
