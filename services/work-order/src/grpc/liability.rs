//! The RPC of `LiabilityService`.

use std::sync::Arc;

use steward_kit::Result;
use steward_kit::auth::Actor;
use steward_kit::error::Violations;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::liability_service_server::LiabilityService;
use tonic::{Request, Response, Status};

use super::decode::target;
use super::mutation::call;
use super::received;
use crate::app::{App, Target};
use crate::contract::required;
use crate::domain::SetLiability;

/// The service.
pub(crate) struct Liabilities {
    app: Arc<App>,
}

impl Liabilities {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl LiabilityService for Liabilities {
    async fn set_liability(&self, request: Request<pb::SetLiabilityRequest>) -> Result<Response<pb::SetLiabilityResponse>, Status> {
        let (access, request) = received(request)?;
        let (target, command) = decode(&request, Actor::of(&access.principal))?;
        Ok(Response::new(self.app.set_liability(&call(&access, &request)?, target, command).await?))
    }
}

fn decode(request: &pb::SetLiabilityRequest, actor: Actor) -> Result<(Target, SetLiability)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    let liability = required(&mut bad, "liability", request.liability);
    bad.build(|| Some((target?, SetLiability { actor, liability: liability?, reason: request.reason.clone() })))
}
