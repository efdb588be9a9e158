//! The RPCs of `ProgrammeService`.

use prost::Message;
use steward_kit::error::Violations;
use steward_kit::proto::{to_date, to_timestamp};
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::programme_service_server::ProgrammeService;
use tonic::{Request, Response};

use super::request::{call, page, received, target, text, time};
use super::{Answer, Edge};
use crate::app::{NewProgramme, ProgrammeReport};
use crate::contract::{Code, optional};
use crate::domain::codes::ProgrammeState;
use crate::domain::lift::{Evaluation, Measure, lift};
use crate::domain::programme::{Programme, warnings};
use crate::store::evaluations::StoredEvaluation;
use crate::store::programmes::{Filter, ProgrammeKey, list_programmes};

#[tonic::async_trait]
impl ProgrammeService for Edge {
    async fn create_programme(&self, request: Request<pb::CreateProgrammeRequest>) -> Answer<pb::CreateProgrammeResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateProgramme", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.optional_id("estate_id", &request.estate_id);
        let plan_item = bad.optional_id("plan_item_id", &request.plan_item_id);
        let document = bad.required("document", request.document);
        let code = request.code;
        let new = bad.build(|| Some(NewProgramme { code, estate, document: document?, plan_item }))?;
        let answer = |programme: &Programme| pb::CreateProgrammeResponse { programme: Some(encode(programme)) };
        Ok(Response::new(self.app.create_programme(&call, new, answer).await?))
    }

    async fn draft_programme(&self, request: Request<pb::DraftProgrammeRequest>) -> Answer<pb::DraftProgrammeResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let document = self.app.draft_programme(&access, bad.build(|| estate)?).await?;
        Ok(Response::new(pb::DraftProgrammeResponse { document: Some(document) }))
    }

    async fn publish_programme(&self, request: Request<pb::PublishProgrammeRequest>) -> Answer<pb::PublishProgrammeResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "PublishProgramme", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "programme_id", &request.programme_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |programme: &Programme| pb::PublishProgrammeResponse { programme: Some(encode(programme)) };
        Ok(Response::new(self.app.publish_programme(&call, target, answer).await?))
    }

    async fn retire_programme(&self, request: Request<pb::RetireProgrammeRequest>) -> Answer<pb::RetireProgrammeResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RetireProgramme", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "programme_id", &request.programme_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |programme: &Programme| pb::RetireProgrammeResponse { programme: Some(encode(programme)) };
        Ok(Response::new(self.app.retire_programme(&call, target, answer).await?))
    }

    async fn get_programme(&self, request: Request<pb::GetProgrammeRequest>) -> Answer<pb::GetProgrammeResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = bad.id("programme_id", &request.programme_id);
        let programme = self.app.programme(&access, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetProgrammeResponse { programme: Some(encode(&programme)) }))
    }

    async fn list_programmes(&self, request: Request<pb::ListProgrammesRequest>) -> Answer<pb::ListProgrammesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.optional_id("estate_id", &request.estate_id);
        let state = optional::<ProgrammeState>(&mut bad, "state", request.state);
        bad.finish()?;
        let filter = Filter { estate, state, unevaluated_only: request.unevaluated_only };
        let (db, scope) = (self.app.db.pool(), &access.scope);
        let page = page!(self, "ListProgrammes", request, |page| list_programmes(db, scope, &filter, &page), ProgrammeKey::of);
        let programmes = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListProgrammesResponse { programmes, next_page_token: page.next_page_token }))
    }

    async fn get_care_catalogue(&self, request: Request<pb::GetCareCatalogueRequest>) -> Answer<pb::GetCareCatalogueResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let catalogue = self.app.care_catalogue(&access, bad.build(|| estate)?).await?;
        Ok(Response::new(super::catalogue::encode(&catalogue)))
    }

    async fn preview_programme(&self, request: Request<pb::PreviewProgrammeRequest>) -> Answer<pb::PreviewProgrammeResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let (id, estate) = (bad.id("programme_id", &request.programme_id), bad.id("estate_id", &request.estate_id));
        let (id, estate) = bad.build(|| Some((id?, estate?)))?;
        let preview = self.app.preview_programme(&access, id, estate, &request.definition_code).await?;
        Ok(Response::new(pb::PreviewProgrammeResponse {
            member_count: preview.members,
            held_out_count: preview.held_out,
            excluded_counts: preview.excluded,
            next_due_date: preview.next_due.map(to_date).unwrap_or_default(),
        }))
    }

    async fn get_programme_report(&self, request: Request<pb::GetProgrammeReportRequest>) -> Answer<pb::GetProgrammeReportResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let (id, estate) = (bad.id("programme_id", &request.programme_id), bad.id("estate_id", &request.estate_id));
        let (from, to) = (bad.date("from_date", &request.from_date), bad.date("to_date", &request.to_date));
        let (id, estate, from, to) = bad.build(|| Some((id?, estate?, from?, to?)))?;
        let report = self.app.report_programme(&access, id, estate, from, to).await?;
        Ok(Response::new(encode_report(&report)))
    }

    async fn record_programme_evaluation(
        &self,
        request: Request<pb::RecordProgrammeEvaluationRequest>,
    ) -> Answer<pb::RecordProgrammeEvaluationResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RecordProgrammeEvaluation", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let (id, estate) = (bad.id("programme_id", &request.programme_id), bad.id("estate_id", &request.estate_id));
        let evaluation = bad.required("evaluation", request.evaluation.as_ref()).map(decode_evaluation);
        if let Some(evaluation) = &evaluation {
            let pairs = [
                (evaluation.treated_before, evaluation.treated_after, "evaluation.treated_after"),
                (evaluation.control_before, evaluation.control_after, "evaluation.control_after"),
            ];
            for (before, after, field) in pairs {
                if before.is_some() != after.is_some() {
                    bad.add(field, "EVALUATION_INVALID", "a value before needs one after, and the other way round");
                }
            }
            if evaluation.method != "survey" && evaluation.evidence.is_empty() {
                bad.add("evaluation.evidence", "EVALUATION_INVALID", "a figure from outside must say where its proof lies");
            }
        }
        let (id, estate, evaluation) = bad.build(|| Some((id?, estate?, evaluation?)))?;
        let answer = |stored: &StoredEvaluation| pb::RecordProgrammeEvaluationResponse { evaluation: Some(encode_evaluation(stored)) };
        Ok(Response::new(self.app.record_evaluation(&call, id, estate, evaluation, answer).await?))
    }
}

fn encode(programme: &Programme) -> pb::Programme {
    let warning = |(place, code): (String, &str)| pb::ProgrammeWarning { place, code: code.to_owned() };
    pb::Programme {
        id: programme.id.to_string(),
        code: programme.code.clone(),
        estate_id: text(programme.estate_id),
        version: programme.version,
        state: programme.state.number(),
        // As it was given, byte for byte; it was decoded once when it was read.
        document: pb::ProgrammeDocument::decode(programme.encoded.as_slice()).ok(),
        content_hash: hex::encode(programme.content_hash),
        warnings: warnings(&programme.document).into_iter().map(warning).collect(),
        plan_item_id: text(programme.plan_item_id),
        is_ad_hoc: programme.plan_item_id.is_none(),
        author: Some(programme.author.wire()),
        publisher: programme.publisher.as_ref().map(steward_kit::auth::Actor::wire),
        create_time: Some(to_timestamp(programme.create_time)),
        publish_time: time(programme.publish_time),
        retire_time: time(programme.retire_time),
        etag: programme.row_version.to_string(),
    }
}

fn encode_report(report: &ProgrammeReport) -> pb::GetProgrammeReportResponse {
    let mut nodes = std::collections::BTreeMap::new();
    for node in report.programme.document.definitions.iter().filter_map(|definition| definition.node) {
        *nodes.entry(node.to_string()).or_insert(0) += 1;
    }
    pb::GetProgrammeReportResponse {
        state_counts: report.counts.by_state.clone(),
        drive_tag_counts: report.counts.by_tag.clone(),
        node_definition_counts: nodes,
        reason_counts: report.counts.by_reason.clone(),
        budget_cents: report.programme.document.budget_cents,
        spent_cents: report.counts.spent_cents,
        is_unevaluated: report.programme.state == ProgrammeState::Retired && report.evaluations.is_empty(),
        evaluations: report.evaluations.iter().map(encode_evaluation).collect(),
    }
}

fn decode_evaluation(given: &pb::ProgrammeEvaluation) -> Evaluation {
    let measure = |of: Option<pb::Measure>| of.map(|of| Measure { numerator: of.numerator, denominator: of.denominator.max(1) });
    Evaluation {
        metric_id: given.metric_id.clone(),
        method: given.method.clone(),
        evidence: given.evidence.clone(),
        treated_before: measure(given.treated_before),
        treated_after: measure(given.treated_after),
        control_before: measure(given.control_before),
        control_after: measure(given.control_after),
        cost_cents: given.cost_cents,
        benefit_cents: given.benefit_cents,
        benefit_model: given.benefit_model.clone(),
    }
}

fn encode_evaluation(stored: &StoredEvaluation) -> pb::ProgrammeEvaluation {
    let measure = |of: Option<Measure>| of.map(|of| pb::Measure { numerator: of.numerator, denominator: of.denominator });
    let one = &stored.evaluation;
    let effect = lift(one).map(|lift| pb::Lift {
        points: lift.points,
        low: lift.low,
        high: lift.high,
        no_control: lift.no_control,
        return_on_cost: lift.return_on_cost,
    });
    pb::ProgrammeEvaluation {
        id: stored.id.to_string(),
        estate_id: stored.estate_id.to_string(),
        metric_id: one.metric_id.clone(),
        method: one.method.clone(),
        evidence: one.evidence.clone(),
        treated_before: measure(one.treated_before),
        treated_after: measure(one.treated_after),
        control_before: measure(one.control_before),
        control_after: measure(one.control_after),
        cost_cents: one.cost_cents,
        benefit_cents: one.benefit_cents,
        benefit_model: one.benefit_model.clone(),
        lift: effect,
        create_time: Some(to_timestamp(stored.create_time)),
    }
}
