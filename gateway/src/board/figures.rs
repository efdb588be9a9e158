//! Figures of one set of definitions: every owner is asked at once, each within its own deadline.

use std::collections::BTreeMap;

use futures::future::join_all;
use jiff::Timestamp;
use steward_kit::error::Violations;
use steward_kit::metric::{self, Costs, Definition, Metric, Period, Volumes, definitions_of, metrics, net_benefit, wire};
use steward_proto::gateway::v1::UnavailableReason;
use steward_proto::metric::v1::{ComputeMetricsRequest, HouseholdBase, MetricValue};
use steward_proto::plan::v1::CostTable;
use tonic::{Code, Status};

use super::definitions::Definitions;
use crate::aggregate::{Caller, Services, Unavailable, within};
use crate::methods::Owner;

/// Which figures.
pub(super) struct Question<'a> {
    pub(super) definitions: &'a Definitions,
    pub(super) estates: &'a [String],
    pub(super) asked: Period,
    /// Only these metrics; none means all.
    pub(super) only: &'a [String],
}

/// The figures, and who did not answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) values: Vec<MetricValue>,
    pub(super) missing: BTreeMap<Owner, UnavailableReason>,
}

/// The service of the suite that owns a metric's facts; `None` for what the gateway knows itself.
pub(super) fn owner_of(owner: metric::Owner) -> Option<Owner> {
    match owner {
        metric::Owner::Customer => Some(Owner::Customer),
        metric::Owner::WorkOrder => Some(Owner::WorkOrder),
        metric::Owner::Survey => Some(Owner::Survey),
        metric::Owner::Care => Some(Owner::Care),
        metric::Owner::Notification => Some(Owner::Notification),
        metric::Owner::Gateway => None,
    }
}

/// The definitions, read; a policy was checked when it was applied, so that one with a fault is a fault of ours.
pub(super) fn read(definitions: &Definitions, owner: metric::Owner, only: &[String]) -> Result<Vec<Definition>, Status> {
    let mut bad = Violations::new();
    let read = definitions_of(owner, &definitions.metrics, only, &mut bad);
    bad.finish()?;
    Ok(read)
}

impl Services {
    pub(super) async fn figures(&self, caller: &Caller, question: &Question<'_>, as_of: Timestamp) -> Result<Answer, Status> {
        let mut read_by_owner = BTreeMap::new();
        for service in
            [metric::Owner::Customer, metric::Owner::WorkOrder, metric::Owner::Survey, metric::Owner::Care, metric::Owner::Notification]
        {
            let read = read(question.definitions, service, question.only)?;
            if let Some(owner) = owner_of(service).filter(|_| !read.is_empty()) {
                read_by_owner.insert(owner, read);
            }
        }
        let all: Vec<Definition> = read_by_owner.values().flatten().cloned().collect();
        let mut answer = Answer::default();
        let bases = self.household_bases(caller, &all, question.estates, question.asked);
        let bases = match tokio::time::timeout(self.section_deadline, bases).await {
            Ok(Ok(bases)) => bases,
            // Whoever may not see an estate is told so; a register that does not answer costs the rates of households only.
            Ok(Err(status)) if status.code() == Code::NotFound => return Err(status),
            Ok(Err(status)) => {
                answer.missing.insert(Owner::Customer, Unavailable::reason(status.code()));
                Vec::new()
            }
            Err(_late) => {
                answer.missing.insert(Owner::Customer, UnavailableReason::Deadline);
                Vec::new()
            }
        };

        let asked_of = read_by_owner.into_keys().map(|owner| {
            let asking = within(self.section_deadline, self.ask(caller, owner, question, bases.clone()));
            async move { (owner, asking.await) }
        });
        for (owner, answered) in join_all(asked_of).await {
            match answered {
                Ok(answered) => answer.values.extend(answered.values),
                Err(status) if matches!(status.code(), Code::NotFound | Code::InvalidArgument) => return Err(status),
                Err(status) => {
                    answer.missing.insert(owner, Unavailable::reason(status.code()));
                }
            }
        }
        answer.values.extend(of_the_plan(question, as_of)?);
        answer.values.extend(not_defined(question, as_of));
        Ok(answer)
    }

    async fn ask(
        &self,
        caller: &Caller,
        owner: Owner,
        question: &Question<'_>,
        household_bases: Vec<HouseholdBase>,
    ) -> Result<tonic::Response<steward_proto::metric::v1::ComputeMetricsResponse>, Status> {
        let request = ComputeMetricsRequest {
            estate_ids: question.estates.to_vec(),
            period: Some(wire::to_period(question.asked)),
            plan_code: question.definitions.plan_code.clone(),
            metric_ids: question.only.to_vec(),
            definitions: question.definitions.metrics.clone(),
            household_bases,
        };
        self.metrics_of(owner)?.compute_metrics(caller.ask(request)).await
    }
}

fn is_wanted(metric: &Metric, only: &[String]) -> bool {
    only.is_empty() || only.iter().any(|id| id == metric.id)
}

/// What the plan's own tables say: F-15, from its costs and planned volumes, once for all estates.
fn of_the_plan(question: &Question<'_>, as_of: Timestamp) -> Result<Vec<MetricValue>, Status> {
    let Some(cost) = &question.definitions.cost else { return Ok(Vec::new()) };
    let read = read(question.definitions, metric::Owner::Gateway, question.only)?;
    let values = read.iter().map(|definition| {
        let counted = definition.period_for(question.asked);
        definition.value(&benefit(cost), counted, &question.definitions.plan_code, "", as_of)
    });
    Ok(values.collect())
}

fn benefit(cost: &CostTable) -> metric::Figure {
    const MONTHS: i64 = 12;
    let costs = Costs {
        survey_wave: cost.survey_wave,
        per_complaint: cost.per_complaint,
        per_callback: cost.per_callback,
        loss_avoided: cost.yearly_loss_avoided,
        new_revenue: cost.yearly_new_revenue,
    };
    let volumes = Volumes {
        survey_waves: cost.survey_waves_per_year,
        complaints: cost.complaints_per_month.saturating_mul(MONTHS),
        callbacks: cost.callbacks_per_month.saturating_mul(MONTHS),
    };
    net_benefit(&costs, &volumes)
}

/// Metrics of the catalogue that the plan leaves unset: shown as "not defined by this plan", never as 0 (P-6).
fn not_defined(question: &Question<'_>, as_of: Timestamp) -> Vec<MetricValue> {
    let defined = |metric: &Metric| {
        question.definitions.metrics.iter().any(|definition| {
            definition.metric_id == metric.id
                && metric::metric(metric.id, wire::source(definition.source)).is_some_and(|meant| meant.source == metric.source)
        })
    };
    let unset = metrics().iter().filter(|metric| is_wanted(metric, question.only) && !defined(metric));
    let plan = question.definitions.plan_code.as_str();
    unset
        .flat_map(|metric| question.estates.iter().map(move |estate| (metric, estate)))
        .map(|(metric, estate)| wire::not_defined(metric, question.asked, plan, estate, as_of))
        .collect()
}

#[cfg(test)]
mod tests {
    use steward_proto::metric::v1::{MetricDefinition, MetricVerdict};

    use super::*;

    fn question<'a>(definitions: &'a Definitions, estates: &'a [String]) -> Question<'a> {
        let asked = Period::new("2026-03-01".parse().unwrap(), "2026-03-31".parse().unwrap()).unwrap();
        Question { definitions, estates, asked, only: &[] }
    }

    /// P-6
    #[test]
    fn what_the_plan_leaves_unset_is_said_to_be_so() {
        let metrics = vec![MetricDefinition { metric_id: "resolution_rate".to_owned(), ..MetricDefinition::default() }];
        let definitions = Definitions { plan_code: "service-management".to_owned(), metrics, cost: None };
        let estates = ["an estate".to_owned()];
        let unset = not_defined(&question(&definitions, &estates), Timestamp::UNIX_EPOCH);
        assert!(unset.iter().all(|value| value.verdict() == MetricVerdict::NotDefined && value.display.is_empty()));
        assert!(unset.iter().any(|value| value.metric_id == "handled_rate"));
        assert!(!unset.iter().any(|value| value.metric_id == "resolution_rate"));
    }

    /// F-15, GR-11
    #[test]
    fn costs_and_benefits_of_a_year_are_computed_from_the_plan_alone() {
        let cost = CostTable {
            currency: "CNY".to_owned(),
            survey_wave: 5_000,
            survey_waves_per_year: 4,
            per_complaint: 100,
            complaints_per_month: 50,
            per_callback: 50,
            callbacks_per_month: 100,
            yearly_loss_avoided: 100_000,
            yearly_new_revenue: 200_000,
        };
        let metrics = vec![MetricDefinition { metric_id: "net_benefit".to_owned(), ..MetricDefinition::default() }];
        let definitions = Definitions { plan_code: "service-management".to_owned(), metrics, cost: Some(cost) };
        let values = of_the_plan(&question(&definitions, &[]), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(values.len(), 1);
        assert_eq!(values[0].display, "160000");
        let part = |code: &str| values[0].parts.iter().find(|part| part.code == code).unwrap().display.clone();
        assert_eq!((part("cost"), part("benefit")), ("140000".to_owned(), "300000".to_owned()));
    }
}
