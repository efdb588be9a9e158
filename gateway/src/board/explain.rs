//! The rows behind one figure (GR-22).

use steward_kit::error::Violations;
use steward_kit::metric::{metric, wire};
use steward_proto::gateway::v1::{ExplainMetricRequest, ExplainMetricResponse};
use steward_proto::metric::v1 as pb;
use tonic::Status;

use super::figures::{owner_of, read};
use crate::aggregate::{Caller, Services};

impl Services {
    /// One call for the definitions of the estate's own plan, one for the households of a rate that is of them, one to the
    /// service that owns the facts.
    pub(super) async fn explain(&self, caller: &Caller, request: ExplainMetricRequest) -> Result<ExplainMetricResponse, Status> {
        let mut bad = Violations::of(&request);
        let asked = wire::period(&mut bad, request.period.as_ref());
        super::definitions::check_ids(std::slice::from_ref(&request.metric_id), &mut bad);
        let asked = bad.build(|| asked)?;

        let estates = [request.estate_id];
        let meant = self.definitions(caller, &request.plan_code, &estates).await?;
        let definitions = meant.into_iter().next().map(|(definitions, _)| definitions).unwrap_or_default();
        let source = wire::source(request.source);
        let of_source = |definition: &&pb::MetricDefinition| {
            let defined = metric(&definition.metric_id, wire::source(definition.source));
            definition.metric_id == request.metric_id && (source.is_none() || defined.is_some_and(|metric| Some(metric.source) == source))
        };
        let definition = definitions.metrics.iter().find(of_source).cloned();
        let owner = definition
            .as_ref()
            .and_then(|definition| metric(&definition.metric_id, wire::source(definition.source)))
            .and_then(|metric| owner_of(metric.owner).map(|owner| (metric.owner, owner)));
        let (Some(definition), Some((facts, owner))) = (definition, owner) else {
            let detail = "the plan does not define it, or it rests on the plan's own tables alone";
            return Err(steward_kit::Error::invalid("metric_id", "METRIC_NOT_DEFINED", detail).into());
        };
        let read = read(&definitions, facts, std::slice::from_ref(&request.metric_id))?;
        let household_bases = self.household_bases(caller, &read, &estates, asked).await?;
        let [estate_id] = estates;
        let question = pb::ExplainMetricRequest {
            estate_id,
            period: request.period,
            plan_code: definitions.plan_code,
            metric_id: request.metric_id,
            page_size: request.page_size,
            page_token: request.page_token,
            definition: Some(definition),
            household_bases,
        };
        let answer = self.metrics_of(owner)?.explain_metric(caller.ask(question)).await?.into_inner();
        Ok(ExplainMetricResponse { value: answer.value, rows: answer.rows, next_page_token: answer.next_page_token })
    }
}
