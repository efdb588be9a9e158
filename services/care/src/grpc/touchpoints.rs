//! The RPCs of `TouchpointService`.

use steward_kit::error::Violations;
use steward_kit::proto::{to_date, to_timestamp};
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::touchpoint_service_server::TouchpointService;
use tonic::{Request, Response};

use super::request::{call, id, page, received, states, target, text, time};
use super::{Answer, Edge};
use crate::app::NewTouchpoint;
use crate::contract::{Code, action, optional, required};
use crate::domain::base::Stored;
use crate::domain::codes::TouchpointState;
use crate::domain::programme::{Action, ProofRule};
use crate::domain::touchpoint::{Proof, Touchpoint};
use crate::store::documents::Place;
use crate::store::touchpoints::Filter;

#[tonic::async_trait]
impl TouchpointService for Edge {
    async fn create_touchpoint(&self, request: Request<pb::CreateTouchpointRequest>) -> Answer<pb::CreateTouchpointResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateTouchpoint", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let (estate, household) = (bad.id("estate_id", &request.estate_id), bad.id("household_id", &request.household_id));
        let (unit, customer) = (bad.id("unit_id", &request.unit_id), bad.optional_id("customer_id", &request.customer_id));
        let (layer, node) = (required(&mut bad, "layer", request.layer), optional(&mut bad, "node", request.node));
        let action = request.action.as_ref().and_then(|of| action(of, "action", &mut bad));
        let due_time = bad.timestamp("due_time", request.due_time.as_ref());
        let proof = request.proof.unwrap_or_default();
        let (definition_code, individual_reason, cost_cents) = (request.definition_code, request.individual_reason, request.cost_cents);
        let new = bad.build(|| {
            Some(NewTouchpoint {
                estate: estate?,
                household: household?,
                unit: unit?,
                customer,
                definition_code,
                layer: layer?,
                node,
                action: action?,
                due_time: due_time?,
                individual_reason,
                proof: ProofRule { photo: proof.photo, signature: proof.signature, note: proof.note },
                cost_cents,
            })
        })?;
        let answer = |row: &Stored<Touchpoint>| pb::CreateTouchpointResponse { touchpoint: Some(encode(row)) };
        Ok(Response::new(self.app.create_touchpoint(&call, new, answer).await?))
    }

    async fn get_touchpoint(&self, request: Request<pb::GetTouchpointRequest>) -> Answer<pb::GetTouchpointResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "touchpoint_id", &request.touchpoint_id);
        let row = self.app.touchpoint(&access, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetTouchpointResponse { touchpoint: Some(encode(&row)) }))
    }

    async fn list_touchpoints(&self, request: Request<pb::ListTouchpointsRequest>) -> Answer<pb::ListTouchpointsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.optional_id("estate_id", &request.estate_id);
        let filter = Filter {
            household: bad.optional_id("household_id", &request.household_id),
            programme: bad.optional_id("programme_id", &request.programme_id),
            states: states::<TouchpointState>(&mut bad, &request.states),
            from: bad.optional_timestamp("from_time", request.from_time.as_ref()),
            to: bad.optional_timestamp("to_time", request.to_time.as_ref()),
        };
        bad.finish()?;
        let page = page!(self, "ListTouchpoints", request, |page| self.app.list_touchpoints(&access, estate, &filter, &page), Place::of);
        let touchpoints = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListTouchpointsResponse { touchpoints, next_page_token: page.next_page_token }))
    }

    async fn execute_touchpoint(&self, request: Request<pb::ExecuteTouchpointRequest>) -> Answer<pb::ExecuteTouchpointResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ExecuteTouchpoint", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "touchpoint_id", &request.touchpoint_id, &request.etag);
        let target = bad.build(|| target)?;
        let proof = Proof { photos: request.photo_references, signature: request.signature_reference, note: request.note };
        let answer = |row: &Stored<Touchpoint>| pb::ExecuteTouchpointResponse { touchpoint: Some(encode(row)) };
        Ok(Response::new(self.app.execute_touchpoint(&call, target, proof, answer).await?))
    }

    async fn confirm_touchpoint(&self, request: Request<pb::ConfirmTouchpointRequest>) -> Answer<pb::ConfirmTouchpointResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ConfirmTouchpoint", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "touchpoint_id", &request.touchpoint_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Touchpoint>| pb::ConfirmTouchpointResponse { touchpoint: Some(encode(row)) };
        Ok(Response::new(self.app.confirm_touchpoint(&call, target, answer).await?))
    }

    async fn record_touchpoint_feedback(
        &self,
        request: Request<pb::RecordTouchpointFeedbackRequest>,
    ) -> Answer<pb::RecordTouchpointFeedbackResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RecordTouchpointFeedback", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "touchpoint_id", &request.touchpoint_id, &request.etag);
        let score = u8::try_from(request.score).ok();
        let (target, score) = bad.build(|| Some((target?, score?)))?;
        let answer = |row: &Stored<Touchpoint>| pb::RecordTouchpointFeedbackResponse { touchpoint: Some(encode(row)) };
        Ok(Response::new(self.app.record_touchpoint_feedback(&call, target, score, answer).await?))
    }

    async fn skip_touchpoint(&self, request: Request<pb::SkipTouchpointRequest>) -> Answer<pb::SkipTouchpointResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "SkipTouchpoint", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "touchpoint_id", &request.touchpoint_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Touchpoint>| pb::SkipTouchpointResponse { touchpoint: Some(encode(row)) };
        Ok(Response::new(self.app.skip_touchpoint(&call, target, &request.reason_code, answer).await?))
    }
}

fn encode(row: &Stored<Touchpoint>) -> pb::Touchpoint {
    let one = &row.value;
    let (action, role) = match &one.action {
        Action::Message { .. } => (pb::TouchpointAction::Message, String::new()),
        Action::Visit { .. } => (pb::TouchpointAction::Visit, String::new()),
        Action::Task { role, .. } => (pb::TouchpointAction::Task, role.clone()),
        Action::Survey { .. } => (pb::TouchpointAction::Survey, String::new()),
        Action::Order { .. } => (pb::TouchpointAction::Order, String::new()),
    };
    let step = |step: &crate::domain::touchpoint::Step| pb::TouchpointStep {
        time: Some(to_timestamp(step.time)),
        code: step.code.clone(),
        reason_code: step.reason_code.clone(),
        actor_subject: step.actor_subject.clone(),
    };
    pb::Touchpoint {
        id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        household_id: one.household_id.to_string(),
        unit_id: one.unit_id.to_string(),
        customer_id: text(one.customer_id),
        programme_id: text(one.programme_id),
        programme_code: one.programme_code.clone(),
        definition_code: one.definition_code.clone(),
        layer: one.layer.number(),
        node: one.node.map_or(0, Code::number),
        action: action.into(),
        anchor_date: to_date(one.anchor_date),
        due_time: Some(to_timestamp(one.due_time)),
        state: one.state.number(),
        reason_code: one.reason_code.clone(),
        individual_reason: one.individual_reason.clone(),
        is_ad_hoc: one.is_ad_hoc,
        role,
        actor_subject: one.actor_subject.clone(),
        proof_references: one.proof_references.clone(),
        feedback_score: one.feedback_score.into(),
        cost_cents: one.cost_cents,
        act_time: time(one.act_time),
        confirm_time: time(one.confirm_time),
        steps: one.steps.iter().map(step).collect(),
        etag: row.row_version.to_string(),
        create_time: Some(to_timestamp(row.create_time)),
        update_time: Some(to_timestamp(row.update_time)),
        note: one.note.clone(),
    }
}
