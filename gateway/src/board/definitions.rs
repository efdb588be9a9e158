//! Which definitions a board goes by.

use std::collections::{BTreeMap, HashSet};

use futures::{StreamExt as _, TryStreamExt as _};
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

impl Definitions {
    /// A table of costs defines the figure that rests on nothing else (F-15, GR-11): a plan that has one need not say so again.
    fn with_its_cost(mut self) -> Self {
        if self.cost.is_some() && self.metrics.iter().all(|metric| metric.metric_id != NET_BENEFIT) {
            self.metrics.push(MetricDefinition { metric_id: NET_BENEFIT.to_owned(), ..MetricDefinition::default() });
        }
        self
    }
}

/// The figure of a plan's own table of costs.
const NET_BENEFIT: &str = "net_benefit";

/// Estates whose own definitions are asked for at once: a board of the most estates it may have is 25 turns, and customer is
/// not flooded by one board.
const AT_ONCE: usize = 8;

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
    /// estates' own differ. No call for a named plan; otherwise one call to customer for each estate, [`AT_ONCE`] at a time.
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
            return Ok(vec![(definitions.with_its_cost(), estates.to_vec())]);
        }
        let asked: Vec<_> = estates.iter().map(|estate| self.own_definitions(caller, estate)).collect();
        let owned: Vec<Definitions> = futures::stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let mut by_content: BTreeMap<Vec<u8>, (Definitions, Vec<String>)> = BTreeMap::new();
        for (estate, own) in estates.iter().zip(owned) {
            let content = MetricPolicy { metrics: own.metrics.clone(), reports: Vec::new(), cost: own.cost.clone() }.encode_to_vec();
            by_content.entry(content).or_insert_with(|| (own, Vec::new())).1.push(estate.clone());
        }
        Ok(by_content.into_values().collect())
    }

    /// What an estate's own layers say. One call.
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
    laid.with_its_cost()
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
        let complaints = laid.metrics.iter().filter(|metric| metric.metric_id == "complaint_rate");
        let methods: Vec<_> = complaints.map(|metric| (metric.source(), metric.method.as_str())).collect();
        assert_eq!(methods, [(MetricSource::Survey, "near"), (MetricSource::Operational, "far")]);
        assert_eq!((laid.plan_code.as_str(), laid.cost.map(|cost| cost.survey_wave)), ("estate", Some(1)));
    }

    /// F-15, GR-11: once, and with the plan's own words for it where it has some.
    #[test]
    fn a_table_of_costs_defines_what_it_leaves() {
        let silent = laid(vec![layer("002", &[], 5_000)]);
        assert_eq!(silent.metrics.iter().map(|metric| metric.metric_id.as_str()).collect::<Vec<_>>(), ["net_benefit"]);
        let said = laid(vec![layer("002", &[("net_benefit", MetricSource::Unspecified, "planned_volumes")], 5_000)]);
        assert_eq!(said.metrics.iter().map(|metric| metric.method.as_str()).collect::<Vec<_>>(), ["planned_volumes"]);
    }

    #[test]
    fn nothing_laid_defines_nothing() {
        assert_eq!(laid(Vec::new()), Definitions::default());
    }
}
