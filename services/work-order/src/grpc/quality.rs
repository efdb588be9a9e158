//! The RPCs of `QualityService`.

use std::sync::Arc;

use steward_kit::Result;
use steward_kit::auth::Actor;
use steward_kit::error::Violations;
use steward_kit::idempotency::RequestKey;
use steward_kit::ids::{EstateId, WorkOrderId};
use steward_kit::paging::{PageTokens, Query};
use steward_kit::pii::Pii;
use steward_kit::proto::{to_date, to_timestamp};
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::quality_service_server::QualityService;
use tonic::{Request, Response, Status};

use super::decode::id;
use super::received;
use crate::app::{App, CheckResult, NewAction, NewRootCause};
use crate::contract::Code;
use crate::domain::{ActorKind, Answers, CorrectiveAction, Rework, RootCause, RootCauseId, SpotCheck};
use crate::store::CheckKey;

/// The service.
pub(crate) struct Quality {
    app: Arc<App>,
    pages: PageTokens,
}

impl Quality {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl QualityService for Quality {
    async fn list_spot_checks(&self, request: Request<pb::ListSpotChecksRequest>) -> Answer<pb::ListSpotChecksResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate: Option<EstateId> = id(&mut bad, "estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListSpotChecks", &request);
        let page = self.pages.request(&query, size, &token)?;
        let checks = self.app.list_spot_checks(&access, estate, request.open_only, &page).await?;
        let page = self.pages.page(&query, page.size, checks, CheckKey::of)?;
        let spot_checks = page.rows.iter().map(encode_check).collect();
        Ok(Response::new(pb::ListSpotChecksResponse { spot_checks, next_page_token: page.next_page_token }))
    }

    async fn record_spot_check(&self, request: Request<pb::RecordSpotCheckRequest>) -> Answer<pb::RecordSpotCheckResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let check = id(&mut bad, "spot_check_id", &request.spot_check_id);
        for (index, code) in request.finding_codes.iter().enumerate() {
            let is_code = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            if !is_code || code.is_empty() || code.len() > 60 {
                bad.add(format!("finding_codes[{index}]"), "string.pattern", "must be a code: small letters, digits and _, at most 60");
            }
        }
        let check = bad.build(|| check)?;
        let key = RequestKey::of(&access, "RecordSpotCheck", &request, &request.request_id)?;
        let result = CheckResult { id: check, passed: request.passed, finding_codes: request.finding_codes };
        let answer = |check: &SpotCheck| pb::RecordSpotCheckResponse { spot_check: Some(encode_check(check)) };
        Ok(Response::new(self.app.record_spot_check(&access, &key, result, answer).await?))
    }

    async fn create_root_cause(&self, request: Request<pb::CreateRootCauseRequest>) -> Answer<pb::CreateRootCauseResponse> {
        let (access, request) = received(request)?;
        let given = decode_cause(&request)?;
        let key = RequestKey::of(&access, "CreateRootCause", &request, &request.request_id)?;
        let answer = |cause: &RootCause| pb::CreateRootCauseResponse { root_cause: Some(encode_cause(cause)) };
        Ok(Response::new(self.app.create_root_cause(&access, &key, given, answer).await?))
    }

    async fn add_corrective_action(&self, request: Request<pb::AddCorrectiveActionRequest>) -> Answer<pb::AddCorrectiveActionResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let cause: Option<RootCauseId> = id(&mut bad, "root_cause_id", &request.root_cause_id);
        let start = bad.optional_date("start_date", &request.start_date);
        let given = bad.build(|| {
            let (description, responsible) = (Pii::new(request.description.clone()), request.responsible.clone());
            Some(NewAction { root_cause: cause?, description, responsible, start_date: start? })
        })?;
        let key = RequestKey::of(&access, "AddCorrectiveAction", &request, &request.request_id)?;
        let answer = |cause: &RootCause| pb::AddCorrectiveActionResponse { root_cause: Some(encode_cause(cause)) };
        Ok(Response::new(self.app.add_corrective_action(&access, &key, given, answer).await?))
    }

    async fn get_root_cause(&self, request: Request<pb::GetRootCauseRequest>) -> Answer<pb::GetRootCauseResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let cause = id(&mut bad, "root_cause_id", &request.root_cause_id);
        let cause = bad.build(|| cause)?;
        let cause = self.app.get_root_cause(&access, cause).await?;
        Ok(Response::new(pb::GetRootCauseResponse { root_cause: Some(encode_cause(&cause)) }))
    }

    async fn list_root_causes(&self, request: Request<pb::ListRootCausesRequest>) -> Answer<pb::ListRootCausesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate: Option<EstateId> = id(&mut bad, "estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListRootCauses", &request);
        let page = self.pages.request(&query, size, &token)?;
        let causes = self.app.list_root_causes(&access, estate, &page).await?;
        let page = self.pages.page(&query, page.size, causes, |cause| cause.id)?;
        let root_causes = page.rows.iter().map(encode_cause).collect();
        Ok(Response::new(pb::ListRootCausesResponse { root_causes, next_page_token: page.next_page_token }))
    }

    async fn list_hidden_rework(&self, request: Request<pb::ListHiddenReworkRequest>) -> Answer<pb::ListHiddenReworkResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate: Option<EstateId> = id(&mut bad, "estate_id", &request.estate_id);
        let from = bad.optional_timestamp("from_time", request.from_time.as_ref());
        let to = bad.optional_timestamp("to_time", request.to_time.as_ref());
        let (estate, from, to) = bad.build(|| Some((estate?, from?, to?)))?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListHiddenRework", &request);
        let page = self.pages.request(&query, size, &token)?;
        let found = self.app.list_hidden_rework(&access, estate, (from, to), &page).await?;
        let page = self.pages.page(&query, page.size, found, |rework| rework.key)?;
        let reworks = page.rows.iter().map(encode_rework).collect();
        Ok(Response::new(pb::ListHiddenReworkResponse { reworks, next_page_token: page.next_page_token }))
    }
}

fn decode_cause(request: &pb::CreateRootCauseRequest) -> Result<NewRootCause> {
    let mut bad = Violations::of(request);
    let estate = id(&mut bad, "estate_id", &request.estate_id);
    let given = request.evidence_order_ids.iter().enumerate();
    let evidence: Vec<Option<WorkOrderId>> =
        given.map(|(index, text)| id(&mut bad, &format!("evidence_order_ids[{index}]"), text)).collect();
    let answers = request.answers.clone().map(|given| {
        Answers([given.who, given.what, given.when, given.r#where, given.why, given.how].map(|answer| Pii::new(answer.trim().to_owned())))
    });
    for question in answers.iter().flat_map(Answers::missing) {
        bad.add(format!("answers.{question}"), "ROOT_CAUSE_INCOMPLETE", "must be answered");
    }
    bad.build(|| {
        let evidence = evidence.into_iter().collect::<Option<_>>()?;
        Some(NewRootCause { estate: estate?, category: request.category.clone(), answers: answers?, evidence })
    })
}

fn encode_check(check: &SpotCheck) -> pb::SpotCheck {
    pb::SpotCheck {
        id: check.id.to_string(),
        estate_id: check.estate_id.to_string(),
        week_start_date: to_date(check.week_start),
        work_order_id: check.order.to_string(),
        work_order_number: check.number.clone(),
        handlers: check.handlers.clone(),
        state: check.state.number(),
        due_time: Some(to_timestamp(check.due_time)),
        overdue: check.overdue,
        finding_codes: check.finding_codes.clone(),
        record_time: check.record_time.map(to_timestamp),
        checker: check.checker.as_ref().map(|subject| Actor::new(ActorKind::Staff, subject.clone()).wire()),
    }
}

fn encode_cause(cause: &RootCause) -> pb::RootCause {
    let [who, what, when, r#where, why, how] = cause.answers.0.each_ref().map(|answer| answer.expose().clone());
    pb::RootCause {
        id: cause.id.to_string(),
        estate_id: cause.estate_id.to_string(),
        category: cause.category.clone(),
        answers: Some(pb::FiveWsOneH { who, what, when, r#where, why, how }),
        evidence_order_ids: cause.evidence.iter().map(ToString::to_string).collect(),
        actions: cause.actions.iter().map(encode_action).collect(),
        create_time: Some(to_timestamp(cause.create_time)),
        author: Some(cause.author.wire()),
    }
}

fn encode_action(action: &CorrectiveAction) -> pb::CorrectiveAction {
    pb::CorrectiveAction {
        id: action.id.to_string(),
        description: action.description.expose().clone(),
        responsible: action.responsible.clone(),
        start_date: to_date(action.start_date),
        effect: action.effect.map(|effect| pb::ActionEffect {
            baseline_start_date: to_date(effect.windows.from),
            baseline_count: effect.baseline_count,
            end_date: to_date(effect.windows.end),
            count: effect.count,
            complete: effect.complete,
        }),
        create_time: Some(to_timestamp(action.create_time)),
    }
}

fn encode_rework(rework: &Rework) -> pb::HiddenRework {
    pb::HiddenRework {
        work_order_id: rework.key.order.to_string(),
        work_order_number: rework.number.clone(),
        occur_time: Some(to_timestamp(rework.key.occur_time)),
        unit_id: rework.unit.to_string(),
        category: rework.category.clone(),
        earlier_order_id: rework.earlier.to_string(),
        earlier_order_number: rework.earlier_number.clone(),
        close_time: Some(to_timestamp(rework.close_time)),
    }
}
