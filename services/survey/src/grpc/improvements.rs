//! The RPCs of `ImprovementService`.

use std::sync::Arc;

use jiff::tz::TimeZone;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::paging::{PageTokens, Query};
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::improvement_service_server::ImprovementService;
use tonic::{Request, Response};

use super::request::{Mask, call, id, received, target};
use super::{Answer, encode};
use crate::app::{App, PlanEdit, PlanText};
use crate::contract::Code;
use crate::domain::codes::PlanState;
use crate::domain::ids::ImprovementPlanId;
use crate::domain::{EffectTarget, ImprovementPlan, Measure, PlanSource};
use crate::store::records::{RecordFilter, RecordKey};

/// The service.
pub(crate) struct Improvements {
    app: Arc<App>,
    pages: PageTokens,
}

impl Improvements {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }

    /// The zone that a plan's days are cut in.
    async fn zone(&self, access: &Access, plan: uuid::Uuid) -> steward_kit::Result<TimeZone> {
        let plan: ImprovementPlan = self.app.load(access, plan).await?;
        self.app.zone_of(plan.estate_id).await
    }
}

fn sources(wire: &[pb::PlanSource]) -> Vec<PlanSource> {
    wire.iter().map(|source| PlanSource { kind: source.kind.clone(), reference: source.r#ref.clone() }).collect()
}

fn measures(bad: &mut Violations, wire: &[pb::Measure]) -> Vec<Measure> {
    let mut read: Vec<Measure> = Vec::with_capacity(wire.len());
    for (at, measure) in wire.iter().enumerate() {
        if read.iter().any(|other| other.code == measure.code) {
            bad.add(format!("measures[{at}].code"), "repeated.unique", "another measure has this code");
        }
        if let Some(due_date) = bad.date(&format!("measures[{at}].due_date"), &measure.due_date) {
            let (code, text, owner) = (measure.code.clone(), measure.text.clone(), measure.owner.clone());
            read.push(Measure { code, text, owner, due_date, progress_percent: 0, done_date: None });
        }
    }
    read
}

fn effect_target(bad: &mut Violations, wire: Option<&pb::EffectTarget>) -> Option<EffectTarget> {
    let wire = wire?;
    let from = bad.optional_date("target.baseline_from_date", &wire.baseline_from_date);
    let to = bad.optional_date("target.baseline_to_date", &wire.baseline_to_date);
    let (metric, baseline, goal) = (wire.metric_id.clone(), wire.baseline, wire.goal);
    Some(EffectTarget { metric, baseline, goal, baseline_window: from.zip(to) })
}

/// A verb on a plan.
macro_rules! verb {
    (
        $self:ident, $request:ident, $method:literal, $answer:ident,
        |$call:ident, $target:ident, $reply:ident| $do:expr
    ) => {{
        let (access, $request) = received($request)?;
        let call = call(&access, $method, &$request, &$request.request_id)?;
        let mut bad = Violations::of(&$request);
        let target = target(&mut bad, "improvement_plan_id", &$request.improvement_plan_id, &$request.etag);
        let $target = bad.build(|| target)?;
        let zone = $self.zone(&access, $target.id).await?;
        let now = $self.app.clock.now();
        let $call = &call;
        let $reply = |changed: &ImprovementPlan| pb::$answer { improvement_plan: Some(encode::plan(changed, &zone, now)) };
        Ok(Response::new($do.await?))
    }};
}

#[tonic::async_trait]
impl ImprovementService for Improvements {
    async fn create_improvement_plan(
        &self,
        request: Request<pb::CreateImprovementPlanRequest>,
    ) -> Answer<pb::CreateImprovementPlanResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateImprovementPlan", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let text = PlanText {
            title: request.title.clone(),
            sources: sources(&request.sources),
            owner: request.owner.clone(),
            document_ref: request.document_ref.clone(),
            measures: measures(&mut bad, &request.measures),
            target: effect_target(&mut bad, request.target.as_ref()),
        };
        let estate = bad.build(|| estate)?;
        access.scope.estate(estate)?;
        let (zone, now) = (self.app.zone_of(estate).await?, self.app.clock.now());
        let answer = |made: &ImprovementPlan| pb::CreateImprovementPlanResponse { improvement_plan: Some(encode::plan(made, &zone, now)) };
        Ok(Response::new(self.app.create_improvement_plan(&call, estate, text, answer).await?))
    }

    async fn update_improvement_plan(
        &self,
        request: Request<pb::UpdateImprovementPlanRequest>,
    ) -> Answer<pb::UpdateImprovementPlanResponse> {
        let edit = {
            let request = request.get_ref();
            let mut bad = Violations::of(request);
            let known = ["title", "sources", "owner", "document_ref", "measures", "target"];
            let mask = Mask::of(&mut bad, request.update_mask.as_ref(), &known);
            let edit = PlanEdit {
                title: if mask.has("title") { bad.text("title", &request.title) } else { None },
                sources: mask.take("sources", sources(&request.sources)),
                owner: mask.take("owner", request.owner.clone()),
                document_ref: mask.take("document_ref", request.document_ref.clone()),
                measures: if mask.has("measures") { Some(measures(&mut bad, &request.measures)) } else { None },
                target: if mask.has("target") { effect_target(&mut bad, request.target.as_ref()) } else { None },
            };
            bad.finish()?;
            edit
        };
        verb!(self, request, "UpdateImprovementPlan", UpdateImprovementPlanResponse, |call, target, reply| {
            self.app.update_improvement_plan(call, target, edit, reply)
        })
    }

    async fn submit_improvement_plan(
        &self,
        request: Request<pb::SubmitImprovementPlanRequest>,
    ) -> Answer<pb::SubmitImprovementPlanResponse> {
        verb!(self, request, "SubmitImprovementPlan", SubmitImprovementPlanResponse, |call, target, reply| {
            self.app.submit_improvement_plan(call, target, reply)
        })
    }

    async fn record_measure_progress(
        &self,
        request: Request<pb::RecordMeasureProgressRequest>,
    ) -> Answer<pb::RecordMeasureProgressResponse> {
        verb!(self, request, "RecordMeasureProgress", RecordMeasureProgressResponse, |call, target, reply| {
            self.app.record_progress(call, target, &request.measure_code, request.progress_percent, reply)
        })
    }

    async fn record_plan_effect(&self, request: Request<pb::RecordPlanEffectRequest>) -> Answer<pb::RecordPlanEffectResponse> {
        verb!(self, request, "RecordPlanEffect", RecordPlanEffectResponse, |call, target, reply| {
            self.app.record_effect(call, target, request.value, reply)
        })
    }

    async fn cancel_improvement_plan(
        &self,
        request: Request<pb::CancelImprovementPlanRequest>,
    ) -> Answer<pb::CancelImprovementPlanResponse> {
        verb!(self, request, "CancelImprovementPlan", CancelImprovementPlanResponse, |call, target, reply| {
            self.app.cancel_improvement_plan(call, target, reply)
        })
    }

    async fn get_improvement_plan(&self, request: Request<pb::GetImprovementPlanRequest>) -> Answer<pb::GetImprovementPlanResponse> {
        let (access, request) = received(request)?;
        let id: ImprovementPlanId = id(&request, "improvement_plan_id", &request.improvement_plan_id)?;
        let plan: ImprovementPlan = self.app.load(&access, id).await?;
        let zone = self.app.zone_of(plan.estate_id).await?;
        let improvement_plan = Some(encode::plan(&plan, &zone, self.app.clock.now()));
        Ok(Response::new(pb::GetImprovementPlanResponse { improvement_plan }))
    }

    async fn list_improvement_plans(&self, request: Request<pb::ListImprovementPlansRequest>) -> Answer<pb::ListImprovementPlansResponse> {
        let (access, mut request) = received(request)?;
        let estate = access.scope.estate(id(&request, "estate_id", &request.estate_id)?)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListImprovementPlans", &request);
        let page = self.pages.request(&query, size, &token)?;
        let filter = RecordFilter { state: PlanState::of_number(request.state).map(PlanState::as_str), parent: None };
        let rows: Vec<ImprovementPlan> = self.app.list(&access, estate, filter, &page).await?;
        let page = self.pages.page(&query, page.size, rows, RecordKey::of)?;
        let (zone, now) = (self.app.zone_of(estate.id()).await?, self.app.clock.now());
        let improvement_plans = page.rows.iter().map(|plan| encode::plan(plan, &zone, now)).collect();
        Ok(Response::new(pb::ListImprovementPlansResponse { improvement_plans, next_page_token: page.next_page_token }))
    }
}
