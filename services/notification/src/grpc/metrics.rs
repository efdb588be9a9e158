//! The RPCs of `MetricService`, for the figures that this service owns.

use std::sync::Arc;

use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::metric::{Definition, Owner, definitions_of, wire};
use steward_kit::paging::{PageTokens, Query};
use steward_proto::metric::v1 as pb;
use steward_proto::metric::v1::metric_service_server::MetricService;
use tonic::{Request, Response};

use super::Answer;
use super::request::received;
use crate::app::{App, Figures};

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
    async fn compute_metrics(&self, request: Request<pb::ComputeMetricsRequest>) -> Answer<pb::ComputeMetricsResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estates = bad.ids("estate_ids", &request.estate_ids);
        let period = wire::period(&mut bad, request.period.as_ref());
        let definitions = definitions_of(Owner::Notification, &request.definitions, &request.metric_ids, &mut bad);
        let asked = bad.build(|| Some(Figures { estates, period: period?, plan_code: request.plan_code, definitions }))?;
        let values = self.app.compute_metrics(&access, &asked).await?;
        Ok(Response::new(pb::ComputeMetricsResponse { values }))
    }

    async fn explain_metric(&self, request: Request<pb::ExplainMetricRequest>) -> Answer<pb::ExplainMetricResponse> {
        let (access, mut request) = received(request)?;
        let asked = question(&request)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ExplainMetric", &request);
        let page = self.pages.request(&query, size, &token)?;
        let (value, rows) = self.app.explain_metric(&access, &asked, &page).await?;
        let page = self.pages.page(&query, page.size, rows, |(key, _)| *key)?;
        Ok(Response::new(pb::ExplainMetricResponse {
            value: Some(value),
            rows: page.rows.into_iter().map(|(_, row)| row).collect(),
            next_page_token: page.next_page_token,
        }))
    }
}

fn question(request: &pb::ExplainMetricRequest) -> Result<Figures> {
    let mut bad = Violations::of(request);
    let estate = bad.id("estate_id", &request.estate_id);
    let period = wire::period(&mut bad, request.period.as_ref());
    let definition =
        bad.required("definition", request.definition.as_ref()).and_then(|message| Definition::read(message, "definition", &mut bad));
    let is_ours = |one: &Definition| one.metric.owner == Owner::Notification && one.metric.id == request.metric_id;
    if definition.as_ref().is_some_and(|one| !is_ours(one)) {
        bad.add("metric_id", "METRIC_UNKNOWN", "is no figure of this service, or not the one that is defined");
    }
    let plan_code = request.plan_code.clone();
    bad.build(|| Some(Figures { estates: vec![estate?], period: period?, plan_code, definitions: vec![definition?] }))
}
