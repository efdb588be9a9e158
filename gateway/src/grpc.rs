//! The gateway's own RPCs: decode, ask, encode.

use steward_kit::auth::Access;
use steward_proto::gateway::v1::{
    GetCustomer360Request, GetCustomer360Response, LookupCallerRequest, LookupCallerResponse, SubmitReportRequest, SubmitReportResponse,
    customer360_service_server::Customer360Service, intake_service_server::IntakeService,
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
