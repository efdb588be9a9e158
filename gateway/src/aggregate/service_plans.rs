//! The plans to look at. No call goes out: they ship with the gateway.

use steward_kit::{
    Error, Result,
    error::Violations,
    paging::PageSize,
    plan::{documents_of, kind_of},
};
use steward_proto::{
    gateway::v1::{GetServicePlanRequest, ListServicePlansRequest, ListServicePlansResponse, ServicePlanSummary},
    plan::v1::ServicePlan,
};

use super::Services;

impl Services {
    /// The plans by code. A page's token is the last code on it: plans are no secret.
    pub(crate) fn list_service_plans(&self, request: &ListServicePlansRequest) -> Result<ListServicePlansResponse> {
        Violations::of(request).finish()?;
        let size = PageSize::of(request.page_size)?.rows();
        let token = &request.page_token;
        if !token.is_empty() && self.plans.get(token).is_err() {
            return Err(Error::invalid("page_token", "page_token", "must be a token that this list gave out"));
        }
        let mut plans: Vec<&ServicePlan> = self.plans.iter().filter(|plan| plan.code > *token).collect();
        let more = plans.len() > size;
        plans.truncate(size);
        let next_page_token = plans.last().filter(|_| more).map(|plan| plan.code.clone()).unwrap_or_default();
        Ok(ListServicePlansResponse { service_plans: plans.into_iter().map(summary).collect(), next_page_token })
    }

    /// One plan.
    pub(crate) fn get_service_plan(&self, request: &GetServicePlanRequest) -> Result<ServicePlan> {
        Violations::of(request).finish()?;
        self.plans.get(&request.plan_code).cloned()
    }
}

fn summary(plan: &ServicePlan) -> ServicePlanSummary {
    ServicePlanSummary {
        plan_code: plan.code.clone(),
        name_zh: plan.name_zh.clone(),
        name_en: plan.name_en.clone(),
        kinds: documents_of(plan).iter().map(|document| kind_of(document).into()).collect(),
    }
}
