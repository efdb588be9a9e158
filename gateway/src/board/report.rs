//! The monthly service evaluation of an estate (GR-05, SV-51).

use std::collections::BTreeMap;

use futures::future::try_join;
use jiff::civil::Date;
use steward_kit::error::Violations;
use steward_kit::metric::{Owner, Period, PeriodKind, metric};
use steward_kit::proto::to_timestamp;
use steward_proto::gateway::v1::{GetServiceReportRequest, ReportIndicator, ReportLine, ServiceReport};
use steward_proto::metric::v1::{MetricSource, MetricValue, MetricVerdict};
use tonic::Status;

use super::figures::Question;
use crate::aggregate::{Caller, Services, Unavailable};

/// The three indicators of service evaluation, each with the metric that answers it.
const INDICATORS: [(&str, &str, MetricSource); 3] = [
    ("response_time", "first_response_hours", MetricSource::Operational),
    ("resolution", "resolution_rate", MetricSource::Operational),
    ("satisfaction", "csat_rate", MetricSource::Survey),
];

impl Services {
    /// The figures of a month beside those of the month before: two boards of one estate, both at once. One call for the
    /// estate's own plan, and for each board one for each period of households and one to each service.
    pub(super) async fn report(&self, caller: &Caller, request: GetServiceReportRequest) -> Result<ServiceReport, Status> {
        let mut bad = Violations::of(&request);
        let month = months(&request.month);
        if month.is_none() && bad.is_empty() {
            bad.add("month", "PERIOD_INVALID", "must be a month, as in 2026-03");
        }
        let (month, before) = bad.build(|| month)?;
        let as_of = self.clock.now();
        let estates = [request.estate_id];
        let meant = self.definitions(caller, &request.plan_code, &estates).await?;
        let definitions = meant.into_iter().next().map(|(definitions, _)| definitions).unwrap_or_default();
        let question = |asked| Question { definitions: &definitions, estates: &estates, asked, only: &[] };
        let (month, before) = (question(month), question(before));
        let (now, past) = try_join(self.figures(caller, &month, as_of), self.figures(caller, &before, as_of)).await?;

        let missing = now.missing.into_iter().chain(past.missing).collect();
        let of_estate =
            |values: Vec<MetricValue>| values.into_iter().filter(|value| value.estate_id == estates[0] || is_of_the_plan(value));
        let mut past: BTreeMap<(String, i32), MetricValue> =
            of_estate(past.values).map(|value| ((value.metric_id.clone(), value.source), value)).collect();
        let now: Vec<MetricValue> = of_estate(now.values).collect();
        let indicators = INDICATORS.map(|(code, id, source)| ReportIndicator {
            code: code.to_owned(),
            value: now.iter().find(|value| value.metric_id == id && value.source() == source).cloned(),
        });
        let lines = now
            .iter()
            .filter(|value| value.verdict() != MetricVerdict::NotDefined)
            .map(|value| ReportLine { value: Some(value.clone()), before: past.remove(&(value.metric_id.clone(), value.source)) });
        let lines = lines.collect();
        let [estate_id] = estates;
        Ok(ServiceReport {
            estate_id,
            month: request.month,
            plan_code: request.plan_code,
            indicators: indicators.into(),
            lines,
            unavailable_services: Unavailable::listed(missing),
            as_of_time: Some(to_timestamp(as_of)),
        })
    }
}

/// What rests on the plan's own tables is of no estate, and belongs to the report of each (F-15, GR-11).
fn is_of_the_plan(value: &MetricValue) -> bool {
    metric(&value.metric_id, None).is_some_and(|metric| metric.owner == Owner::Gateway)
}

/// A month by its name, and the one before.
fn months(name: &str) -> Option<(Period, Period)> {
    let first: Date = format!("{name}-01").parse().ok()?;
    let before = first.yesterday().ok()?;
    Some((Period::around(PeriodKind::Month, first)?, Period::around(PeriodKind::Month, before)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GR-05
    #[test]
    fn a_month_is_named_and_has_one_before() {
        let (month, before) = months("2026-03").unwrap();
        assert_eq!((month.from.to_string(), month.to.to_string()), ("2026-03-01".to_owned(), "2026-03-31".to_owned()));
        assert_eq!((before.from.to_string(), before.to.to_string()), ("2026-02-01".to_owned(), "2026-02-28".to_owned()));
        assert!(months("2026-13").is_none() && months("march").is_none());
    }
}
