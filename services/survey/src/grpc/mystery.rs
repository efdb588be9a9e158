//! The RPCs of `MysteryVisitService`.

use std::sync::Arc;

use steward_kit::Error;
use steward_kit::error::Violations;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::pii::Pii;
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::mystery_visit_service_server::MysteryVisitService;
use tonic::{Request, Response};

use super::request::{call, id, received, target};
use super::{Answer, encode};
use crate::app::{App, NewVisit};
use crate::domain::codes::MysteryState;
use crate::domain::ids::MysteryVisitId;
use crate::domain::{Checked, MysteryVisit, Scored};
use crate::store::records::{RecordFilter, RecordKey, list_made_visits};

/// Most characters of a reference to evidence.
const REFERENCE: usize = 300;

/// The service.
pub(crate) struct MysteryVisits {
    app: Arc<App>,
    pages: PageTokens,
}

impl MysteryVisits {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

fn scores(bad: &mut Violations, field: &str, wire: &[pb::ItemScore]) -> Vec<Scored> {
    let mut read = Vec::with_capacity(wire.len());
    for (at, score) in wire.iter().enumerate() {
        for (place, reference) in score.evidence_refs.iter().enumerate() {
            if reference.is_empty() || reference.chars().count() > REFERENCE {
                let field = format!("{field}[{at}].evidence_refs[{place}]");
                bad.add(field, "string.max_len", format!("must have 1 to {REFERENCE} characters"));
            }
        }
        let (code, points, note) = (score.code.clone(), score.points, Pii::new(score.note.clone()));
        read.push(Scored { code, points, note, evidence_refs: score.evidence_refs.clone() });
    }
    read
}

/// A page of visits of an estate, of one RPC.
macro_rules! list {
    ($self:ident, $request:ident, $method:literal, $answer:ident, |$access:ident, $estate:ident, $page:ident| $rows:expr) => {{
        let ($access, mut request) = received($request)?;
        let $estate = $access.scope.estate(id(&request, "estate_id", &request.estate_id)?)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of($method, &request);
        let $page = $self.pages.request(&query, size, &token)?;
        let rows: Vec<MysteryVisit> = $rows.await?;
        let page = $self.pages.page(&query, $page.size, rows, RecordKey::of)?;
        let mystery_visits = page.rows.iter().map(encode::mystery_visit).collect();
        Ok(Response::new(pb::$answer { mystery_visits, next_page_token: page.next_page_token }))
    }};
}

#[tonic::async_trait]
impl MysteryVisitService for MysteryVisits {
    async fn plan_mystery_visit(&self, request: Request<pb::PlanMysteryVisitRequest>) -> Answer<pb::PlanMysteryVisitResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "PlanMysteryVisit", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let due_time = bad.timestamp("due_time", request.due_time.as_ref());
        let item = |item: &pb::ChecklistItem| Checked { code: item.code.clone(), text: item.text.clone(), max_points: item.max_points };
        let new = bad.build(|| {
            Some(NewVisit {
                estate: estate?,
                scenario: request.scenario.clone(),
                visitor_code: request.visitor_code.clone(),
                training_ref: request.training_ref.clone(),
                due_time: due_time?,
                checklist: request.checklist.iter().map(item).collect(),
            })
        })?;
        let answer = |made: &MysteryVisit| pb::PlanMysteryVisitResponse { mystery_visit: Some(encode::mystery_visit(made)) };
        Ok(Response::new(self.app.plan_mystery_visit(&call, new, answer).await?))
    }

    async fn record_mystery_visit(&self, request: Request<pb::RecordMysteryVisitRequest>) -> Answer<pb::RecordMysteryVisitResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RecordMysteryVisit", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "mystery_visit_id", &request.mystery_visit_id, &request.etag);
        let visit_time = bad.timestamp("visit_time", request.visit_time.as_ref());
        let scores = scores(&mut bad, "scores", &request.scores);
        let (target, visit_time) = bad.build(|| Some((target?, visit_time?)))?;
        let answer = |made: &MysteryVisit, second: Option<&MysteryVisit>| pb::RecordMysteryVisitResponse {
            mystery_visit: Some(encode::mystery_visit(made)),
            recheck: second.map(encode::mystery_visit),
        };
        Ok(Response::new(self.app.record_mystery_visit(&call, target, visit_time, &scores, answer).await?))
    }

    async fn appeal_mystery_visit(&self, request: Request<pb::AppealMysteryVisitRequest>) -> Answer<pb::AppealMysteryVisitResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "AppealMysteryVisit", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "mystery_visit_id", &request.mystery_visit_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |changed: &MysteryVisit| pb::AppealMysteryVisitResponse { mystery_visit: Some(encode::mystery_visit(changed)) };
        Ok(Response::new(self.app.appeal_mystery_visit(&call, target, &Pii::new(request.reason.clone()), answer).await?))
    }

    async fn decide_mystery_appeal(&self, request: Request<pb::DecideMysteryAppealRequest>) -> Answer<pb::DecideMysteryAppealResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "DecideMysteryAppeal", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "mystery_visit_id", &request.mystery_visit_id, &request.etag);
        let corrections = scores(&mut bad, "corrections", &request.corrections);
        let target = bad.build(|| target)?;
        let reason = Pii::new(request.reason.clone());
        let answer = |changed: &MysteryVisit| pb::DecideMysteryAppealResponse { mystery_visit: Some(encode::mystery_visit(changed)) };
        Ok(Response::new(self.app.decide_mystery_appeal(&call, target, request.is_upheld, &reason, &corrections, answer).await?))
    }

    async fn cancel_mystery_visit(&self, request: Request<pb::CancelMysteryVisitRequest>) -> Answer<pb::CancelMysteryVisitResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CancelMysteryVisit", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "mystery_visit_id", &request.mystery_visit_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |changed: &MysteryVisit| pb::CancelMysteryVisitResponse { mystery_visit: Some(encode::mystery_visit(changed)) };
        Ok(Response::new(self.app.cancel_mystery_visit(&call, target, answer).await?))
    }

    async fn get_mystery_visit(&self, request: Request<pb::GetMysteryVisitRequest>) -> Answer<pb::GetMysteryVisitResponse> {
        let (access, request) = received(request)?;
        let id: MysteryVisitId = id(&request, "mystery_visit_id", &request.mystery_visit_id)?;
        let visit: MysteryVisit = self.app.load(&access, id).await?;
        if !visit.was_made() {
            return Err(Error::not_found("mystery visit", id).into());
        }
        Ok(Response::new(pb::GetMysteryVisitResponse { mystery_visit: Some(encode::mystery_visit(&visit)) }))
    }

    async fn list_mystery_visits(&self, request: Request<pb::ListMysteryVisitsRequest>) -> Answer<pb::ListMysteryVisitsResponse> {
        list!(self, request, "ListMysteryVisits", ListMysteryVisitsResponse, |access, estate, page| {
            list_made_visits(self.app.db.pool(), self.app.cipher(), estate, &page)
        })
    }

    async fn list_planned_mystery_visits(
        &self,
        request: Request<pb::ListPlannedMysteryVisitsRequest>,
    ) -> Answer<pb::ListPlannedMysteryVisitsResponse> {
        let filter = RecordFilter { state: Some(MysteryState::Planned.as_str()), parent: None };
        list!(self, request, "ListPlannedMysteryVisits", ListPlannedMysteryVisitsResponse, |access, estate, page| {
            self.app.list(&access, estate, filter, &page)
        })
    }
}
