//! The RPCs of `AnnualPlanService`.

use steward_kit::error::Violations;
use steward_kit::proto::{to_date, to_timestamp};
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::annual_plan_service_server::AnnualPlanService;
use tonic::{Request, Response};

use super::request::{call, id, page, received, target};
use super::{Answer, Edge};
use crate::app::{Part315, Standing315};
use crate::domain::annual_plan::{AnnualPlan, Item, Plan315};
use crate::domain::base::Stored;
use crate::domain::ids::PlanItemId;
use crate::store::documents::Place;

#[tonic::async_trait]
impl AnnualPlanService for Edge {
    async fn create_annual_plan(&self, request: Request<pb::CreateAnnualPlanRequest>) -> Answer<pb::CreateAnnualPlanResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateAnnualPlan", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let subject = call.subject().to_owned();
        let items = request.items.iter().enumerate().map(|(at, item)| decode_item(item, &format!("items[{at}]"), &subject, &mut bad));
        let items = items.collect::<Option<Vec<_>>>();
        let (estate, items) = bad.build(|| Some((estate?, items?)))?;
        let answer = |row: &Stored<AnnualPlan>| pb::CreateAnnualPlanResponse { annual_plan: Some(encode(row)) };
        Ok(Response::new(self.app.create_annual_plan(&call, estate, request.year, items, answer).await?))
    }

    async fn put_annual_plan_item(&self, request: Request<pb::PutAnnualPlanItemRequest>) -> Answer<pb::PutAnnualPlanItemResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "PutAnnualPlanItem", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "annual_plan_id", &request.annual_plan_id, &request.etag);
        let item = bad.required("item", request.item.as_ref());
        let item = item.and_then(|item| decode_item(item, "item", call.subject(), &mut bad));
        let (target, item) = bad.build(|| Some((target?, item?)))?;
        let answer = |row: &Stored<AnnualPlan>| pb::PutAnnualPlanItemResponse { annual_plan: Some(encode(row)) };
        Ok(Response::new(self.app.put_annual_plan_item(&call, target, item, answer).await?))
    }

    async fn approve_annual_plan(&self, request: Request<pb::ApproveAnnualPlanRequest>) -> Answer<pb::ApproveAnnualPlanResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "ApproveAnnualPlan", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "annual_plan_id", &request.annual_plan_id, &request.etag);
        let review = bad.optional_date("review_date", &request.review_date);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<AnnualPlan>| pb::ApproveAnnualPlanResponse { annual_plan: Some(encode(row)) };
        Ok(Response::new(self.app.approve_annual_plan(&call, target, review, answer).await?))
    }

    async fn get_annual_plan(&self, request: Request<pb::GetAnnualPlanRequest>) -> Answer<pb::GetAnnualPlanResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "annual_plan_id", &request.annual_plan_id);
        let row = self.app.annual_plan(&access, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetAnnualPlanResponse { annual_plan: Some(encode(&row)) }))
    }

    async fn list_annual_plans(&self, request: Request<pb::ListAnnualPlansRequest>) -> Answer<pb::ListAnnualPlansResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        let page = page!(self, "ListAnnualPlans", request, |page| self.app.list_annual_plans(&access, estate, &page), Place::of);
        let annual_plans = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListAnnualPlansResponse { annual_plans, next_page_token: page.next_page_token }))
    }

    async fn start_plan315(&self, request: Request<pb::StartPlan315Request>) -> Answer<pb::StartPlan315Response> {
        let (access, request) = received(request)?;
        let call = call(&access, "StartPlan315", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let (estate, from) = (bad.id("estate_id", &request.estate_id), bad.date("from_date", &request.from_date));
        let (estate, from) = bad.build(|| Some((estate?, from?)))?;
        let answer = |plan: &Plan315| pb::StartPlan315Response { plan: Some(encode_315(plan, estate)) };
        Ok(Response::new(self.app.start_plan_315(&call, estate, from, answer).await?))
    }

    async fn record_plan315_progress(
        &self,
        request: Request<pb::RecordPlan315ProgressRequest>,
    ) -> Answer<pb::RecordPlan315ProgressResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RecordPlan315Progress", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let part = match request.part() {
            pb::Plan315Part::InterviewRound => Some(Part315::Interview),
            pb::Plan315Part::Improvement => Some(Part315::Improvement),
            pb::Plan315Part::Unspecified => None,
        };
        let (estate, part) = bad.build(|| Some((estate?, part?)))?;
        let answer = |plan: &Plan315| pb::RecordPlan315ProgressResponse { plan: Some(encode_315(plan, estate)) };
        Ok(Response::new(self.app.record_plan_315_progress(&call, estate, part, &request.reference, answer).await?))
    }

    async fn get_plan315(&self, request: Request<pb::GetPlan315Request>) -> Answer<pb::GetPlan315Response> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        let Standing315 { plan, covered, eligible, is_over } = self.app.plan_315(&access, estate).await?;
        let encoded = pb::Plan315 {
            covered_count: covered,
            eligible_count: eligible,
            is_green: plan.is_green(covered, eligible),
            is_over,
            ..encode_315(&plan, estate)
        };
        Ok(Response::new(pb::GetPlan315Response { plan: Some(encoded) }))
    }
}

fn decode_item(item: &pb::AnnualPlanItem, at: &str, subject: &str, bad: &mut Violations) -> Option<Item> {
    let id = bad.optional_id::<PlanItemId>(&format!("{at}.item_id"), &item.item_id);
    Some(Item {
        id: id.unwrap_or_else(PlanItemId::new),
        title: item.title.clone(),
        club: item.club.clone(),
        month: u8::try_from(item.month).ok()?,
        budget_cents: item.budget_cents,
        progress_percent: u8::try_from(item.progress_percent).ok()?,
        actor_subject: subject.to_owned(),
    })
}

fn encode(row: &Stored<AnnualPlan>) -> pb::AnnualPlan {
    let one = &row.value;
    let item = |item: &Item| pb::AnnualPlanItem {
        item_id: item.id.to_string(),
        title: item.title.clone(),
        club: item.club.clone(),
        month: item.month.into(),
        budget_cents: item.budget_cents,
        progress_percent: item.progress_percent.into(),
        actor_subject: item.actor_subject.clone(),
    };
    pb::AnnualPlan {
        id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        year: one.year,
        is_approved: one.is_approved,
        items: one.items.iter().map(item).collect(),
        author_subject: one.author_subject.clone(),
        approver_subject: one.approver_subject.clone(),
        review_date: one.review_date.map(to_date).unwrap_or_default(),
        budget_cents: one.items.iter().map(|item| item.budget_cents).sum(),
        etag: row.row_version.to_string(),
        create_time: Some(to_timestamp(row.create_time)),
    }
}

fn encode_315(plan: &Plan315, estate: steward_kit::ids::EstateId) -> pb::Plan315 {
    let count = |done: &[String]| i32::try_from(done.len()).unwrap_or(i32::MAX);
    let target = |target: u32| i32::try_from(target).unwrap_or(i32::MAX);
    pb::Plan315 {
        estate_id: estate.to_string(),
        from_date: to_date(plan.from_date),
        to_date: to_date(plan.to_date),
        covered_count: 0,
        eligible_count: 0,
        interview_count: count(&plan.interviews),
        interview_target: target(plan.interview_target),
        improvement_count: count(&plan.improvements),
        improvement_target: target(plan.improvement_target),
        is_green: false,
        is_over: false,
    }
}
