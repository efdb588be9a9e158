//! The gateway's own RPCs: decode, ask, encode.

use steward_kit::auth::Access;
use steward_proto::gateway::v1::{
    ApplyServicePlanRequest, ApplyServicePlanResponse, GetCustomer360Request, GetCustomer360Response, GetServicePlanRequest,
    GetServicePlanResponse, ListServicePlansRequest, ListServicePlansResponse, LookupCallerRequest, LookupCallerResponse,
    SubmitReportRequest, SubmitReportResponse, customer360_service_server::Customer360Service, intake_service_server::IntakeService,
    plan_service_server::PlanService,
};
use tonic::{Request, Response, Status};

use crate::aggregate::{Caller, Services};

#[tonic::async_trait]
impl IntakeService for Services {
    async fn submit_report(&self, request: Request<SubmitReportRequest>) -> Result<Response<SubmitReportResponse>, Status> {
        let (access, caller) = (Access::of(&request)?.clone(), Caller::of(&request)?);
        Ok(Response::new(Self::submit_report(self, &access, &caller, request.into_inner()).await?))
    }
}

#[tonic::async_trait]
impl Customer360Service for Services {
    async fn get_customer360(&self, request: Request<GetCustomer360Request>) -> Result<Response<GetCustomer360Response>, Status> {
        let caller = Caller::of(&request)?;
        // Five calls side by side make a large future; boxed, it does not weigh on every task that holds it.
        let picture = Box::pin(self.customer_360(&caller, request.into_inner())).await?;
        Ok(Response::new(GetCustomer360Response { customer360: Some(picture) }))
    }

    async fn lookup_caller(&self, request: Request<LookupCallerRequest>) -> Result<Response<LookupCallerResponse>, Status> {
        let caller = Caller::of(&request)?;
        let cards = Self::lookup_caller(self, &caller, request.into_inner()).await?;
        Ok(Response::new(LookupCallerResponse { cards }))
    }
}

#[tonic::async_trait]
impl PlanService for Services {
    async fn list_service_plans(&self, request: Request<ListServicePlansRequest>) -> Result<Response<ListServicePlansResponse>, Status> {
        Ok(Response::new(Self::list_service_plans(self, request.get_ref())?))
    }

    async fn get_service_plan(&self, request: Request<GetServicePlanRequest>) -> Result<Response<GetServicePlanResponse>, Status> {
        let plan = Self::get_service_plan(self, request.get_ref())?;
        Ok(Response::new(GetServicePlanResponse { service_plan: Some(plan) }))
    }

    async fn apply_service_plan(&self, request: Request<ApplyServicePlanRequest>) -> Result<Response<ApplyServicePlanResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(Self::apply_service_plan(self, &caller, request.into_inner()).await?))
    }
}
