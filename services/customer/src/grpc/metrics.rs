//! The RPCs of `MetricService`, for the figures that this service owns.

use std::sync::Arc;

use steward_kit::metric::{Asked, AskedRows, Owner};
use steward_proto::metric::v1 as pb;
use steward_proto::metric::v1::metric_service_server::MetricService;
use tonic::{Request, Response, Status};

use super::received;
use crate::app::App;

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct Metrics(pub(super) Arc<App>);

#[tonic::async_trait]
impl MetricService for Metrics {
    async fn compute_metrics(&self, request: Request<pb::ComputeMetricsRequest>) -> Result<Response<pb::ComputeMetricsResponse>, Status> {
        let (access, request) = received(request)?;
        let values = self.0.compute_metrics(&access, &Asked::of(Owner::Customer, request)?).await?;
        Ok(Response::new(pb::ComputeMetricsResponse { values }))
    }

    async fn explain_metric(&self, request: Request<pb::ExplainMetricRequest>) -> Result<Response<pb::ExplainMetricResponse>, Status> {
        let (access, request) = received(request)?;
        let asked = AskedRows::of(Owner::Customer, request, &self.0.pages)?;
        let explained = self.0.explain_metric(&access, &asked).await?;
        Ok(Response::new(asked.answer(&self.0.pages, explained)?))
    }
}
