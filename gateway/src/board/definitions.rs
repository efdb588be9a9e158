//! Which definitions a board goes by.

use std::collections::{BTreeMap, HashSet};

use prost::Message as _;
use steward_kit::error::Violations;
use steward_kit::metric::has_metric;
use steward_proto::metric::v1::MetricDefinition;
use steward_proto::plan::v1::{CostTable, MetricPolicy, PolicyKind, PolicyVersion, ResolvePolicyRequest, policy_document::Document};
use tonic::Status;

use crate::aggregate::{Caller, Services};
use crate::methods::Owner;

/// What a plan, or an estate's own layers, say about figures.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Definitions {
    /// Code of the plan; of the most specific layer, where the estate's own are meant.
    pub(super) plan_code: String,
    pub(super) metrics: Vec<MetricDefinition>,
    pub(super) cost: Option<CostTable>,
}

/// Notes ids that the catalogue does not have.
pub(super) fn check_ids(ids: &[String], bad: &mut Violations) {
    for (at, id) in ids.iter().enumerate() {
        if !has_metric(id) {
            bad.add(format!("metric_ids[{at}]"), "METRIC_UNKNOWN", "is not in the catalogue");
        }
    }
}

impl Services {
    /// The definitions meant, each with the estates that go by it: one for a plan that is named; otherwise as many as the
    /// estates' own differ. One call to customer for each estate, and none for a named plan.
    pub(super) async fn definitions(
        &self,
        caller: &Caller,
        plan_code: &str,
        estates: &[String],
    ) -> Result<Vec<(Definitions, Vec<String>)>, Status> {
        if !plan_code.is_empty() {
            let plan = self.plans.get(plan_code)?;
            let policy = plan.metrics.clone().unwrap_or_default();
            let definitions = Definitions { plan_code: plan.code.clone(), metrics: policy.metrics, cost: policy.cost };
            return Ok(vec![(definitions, estates.to_vec())]);
        }
        let mut by_content: BTreeMap<Vec<u8>, (Definitions, Vec<String>)> = BTreeMap::new();
        for estate in estates {
            let own = self.own_definitions(caller, estate).await?;
            let content = MetricPolicy { metrics: own.metrics.clone(), reports: Vec::new(), cost: own.cost.clone() }.encode_to_vec();
            by_content.entry(content).or_insert_with(|| (own, Vec::new())).1.push(estate.clone());
        }
        Ok(by_content.into_values().collect())
    }

    /// What an estate's own layers say.
    async fn own_definitions(&self, caller: &Caller, estate: &str) -> Result<Definitions, Status> {
        let client = self.policies.get(&Owner::Customer).cloned();
        let mut owner = client.ok_or_else(|| steward_kit::Error::bug("customer keeps no policies"))?;
        let question = ResolvePolicyRequest { estate_id: estate.to_owned(), kind: PolicyKind::Metrics.into() };
        let layers = owner.resolve_policy(caller.ask(question)).await?.into_inner().layers;
        Ok(laid(layers))
    }
}

/// Layers laid over each other: for each pair of metric and source the first that defines it, and the first cost table.
fn laid(layers: Vec<PolicyVersion>) -> Definitions {
    let mut laid =
        Definitions { plan_code: layers.first().map(|layer| layer.plan_code.clone()).unwrap_or_default(), ..Definitions::default() };
    let mut defined = HashSet::new();
    for layer in layers {
        let Some(Document::Metrics(policy)) = layer.document.and_then(|document| document.document) else { continue };
        for metric in policy.metrics {
            if defined.insert((metric.metric_id.clone(), metric.source)) {
                laid.metrics.push(metric);
            }
        }
        laid.cost = laid.cost.or(policy.cost);
    }
    laid
}

#[cfg(test)]
mod tests {
    use steward_proto::metric::v1::MetricSource;
    use steward_proto::plan::v1::PolicyDocument;

    use super::*;

    fn layer(code: &str, metrics: &[(&str, MetricSource, &str)], survey_wave: i64) -> PolicyVersion {
        let definition = |(id, source, method): &(&str, MetricSource, &str)| MetricDefinition {
            metric_id: (*id).to_owned(),
            source: (*source).into(),
            method: (*method).to_owned(),
            ..MetricDefinition::default()
        };
        let policy = MetricPolicy {
            metrics: metrics.iter().map(definition).collect(),
            reports: Vec::new(),
            cost: Some(CostTable { survey_wave, ..CostTable::default() }),
        };
        let document = Some(PolicyDocument { document: Some(Document::Metrics(policy)) });
        PolicyVersion { plan_code: code.to_owned(), document, ..PolicyVersion::default() }
    }

    /// C-02: one metric from two sources is two figures.
    #[test]
    fn the_most_specific_layer_decides_for_each_metric_and_source() {
        let estate = layer("estate", &[("complaint_rate", MetricSource::Survey, "near")], 1);
        let group =
            layer("group", &[("complaint_rate", MetricSource::Survey, "far"), ("complaint_rate", MetricSource::Operational, "far")], 2);
        let laid = laid(vec![estate, group]);
        let methods: Vec<_> = laid.metrics.iter().map(|metric| (metric.source(), metric.method.as_str())).collect();
        assert_eq!(methods, [(MetricSource::Survey, "near"), (MetricSource::Operational, "far")]);
        assert_eq!((laid.plan_code.as_str(), laid.cost.map(|cost| cost.survey_wave)), ("estate", Some(1)));
    }

    #[test]
    fn nothing_laid_defines_nothing() {
        assert_eq!(laid(Vec::new()), Definitions::default());
    }
}
