//! The RPCs of `MetricService`, for the figures that this service owns.

use std::sync::Arc;

use steward_kit::metric::{Asked, AskedRows, Owner};
use steward_kit::paging::PageTokens;
use steward_proto::metric::v1 as pb;
use steward_proto::metric::v1::metric_service_server::MetricService;
use tonic::{Request, Response, Status};

use super::received;
use crate::app::App;

/// The service.
pub(crate) struct Metrics {
    app: Arc<App>,
    pages: PageTokens,
}

impl Metrics {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

#[tonic::async_trait]
impl MetricService for Metrics {
    async fn compute_metrics(&self, request: Request<pb::ComputeMetricsRequest>) -> Result<Response<pb::ComputeMetricsResponse>, Status> {
        let (access, request) = received(request)?;
        let values = self.app.compute_metrics(&access, &Asked::of(Owner::WorkOrder, request)?).await?;
        Ok(Response::new(pb::ComputeMetricsResponse { values }))
    }

    async fn explain_metric(&self, request: Request<pb::ExplainMetricRequest>) -> Result<Response<pb::ExplainMetricResponse>, Status> {
        let (access, request) = received(request)?;
        let asked = AskedRows::of(Owner::WorkOrder, request, &self.pages)?;
        let explained = self.app.explain_metric(&access, &asked).await?;
        Ok(Response::new(asked.answer(&self.pages, explained)?))
    }
}
