//! Definitions of a plan: what is refused with its place named, and what a figure becomes under two plans.

use jiff::civil::date;
use steward_proto::common::v1 as common;
use steward_proto::metric::v1 as pb;
use steward_proto::plan::v1 as plan;

use super::super::*;
use crate::error::Violations;

pub(super) fn definition(metric_id: &str) -> pb::MetricDefinition {
    pb::MetricDefinition { metric_id: metric_id.into(), ..pb::MetricDefinition::default() }
}

fn faults(metrics: Vec<pb::MetricDefinition>) -> Vec<(String, &'static str)> {
    let mut bad = Violations::new();
    check_policy(&plan::MetricPolicy { metrics, ..plan::MetricPolicy::default() }, &mut bad);
    bad.iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
}

#[test]
fn an_unknown_metric_method_source_or_parameter_is_refused_with_its_place() {
    let mut method = definition("complaint_callback_coverage");
    method.method = "sometimes".into();
    let mut source = definition("resolution_rate");
    source.source = pb::MetricSource::Survey.into();
    let mut parameter = definition("nps");
    parameter.parameters = Some(pb::MetricParameters { clocks: vec!["arrive".into()], ..pb::MetricParameters::default() });
    let found = faults(vec![definition("happiness"), method, source, parameter, definition("csat_rate"), definition("csat_rate")]);
    assert_eq!(
        found,
        [
            ("metrics[0].metric_id".into(), "METRIC_UNKNOWN"),
            ("metrics[1].method".into(), "METHOD_UNKNOWN"),
            ("metrics[2].source".into(), "METHOD_UNKNOWN"),
            ("metrics[3].parameters.clocks".into(), "PARAMETER_INVALID"),
            ("metrics[5].metric_id".into(), "DUPLICATE"),
        ]
    );
}

/// P-5
#[test]
fn a_span_without_a_calendar_that_suits_it_is_refused() {
    let mut resolution = definition("resolution_rate");
    let span = common::Span { value: 3, unit: common::Unit::WorkingDay.into(), calendar: "24x7".into() };
    resolution.parameters = Some(pb::MetricParameters { grace: vec![span], ..pb::MetricParameters::default() });
    assert_eq!(faults(vec![resolution]), [("metrics[0].parameters.grace[0]".into(), "CALENDAR_UNKNOWN")]);
}

/// C-01, P-4: the same figure is judged by each plan's own target.
#[test]
fn two_plans_judge_the_same_figure_differently() {
    let march = Period::new(date(2026, 3, 1), date(2026, 3, 31)).unwrap();
    let judged = |per_cent| {
        let mut message = definition("csat_rate");
        message.target = Some(pb::MetricTarget { direction: 0, numerator: per_cent, denominator: 100 });
        let mut bad = Violations::new();
        let definition = Definition::read(&message, "definition", &mut bad).unwrap();
        let value = definition.value(&Figure::rate(263, 300), march, "some-plan", "", "2026-04-01T00:00:00Z".parse().unwrap());
        (value.verdict(), value.display, value.target.unwrap().direction())
    };
    let at_least = pb::MetricDirection::AtLeast;
    assert_eq!(judged(90), (pb::MetricVerdict::Missed, "87.7".into(), at_least));
    assert_eq!(judged(85), (pb::MetricVerdict::Met, "87.7".into(), at_least));
}

/// F-05a: a monthly target does not judge a quarter, because complaining households add up.
#[test]
fn a_figure_that_grows_with_time_is_judged_by_its_own_period_only() {
    let mut message = definition("complaint_rate");
    message.target = Some(pb::MetricTarget { direction: 0, numerator: 5, denominator: 100 });
    let mut bad = Violations::new();
    let definition = Definition::read(&message, "definition", &mut bad).unwrap();
    let figure = complaint_rate(&ComplaintCounts { households: 40, ..ComplaintCounts::default() }, Some(Ratio::whole(1000)));
    let days = |from: i8, to: i8, last| Period::new(date(2026, from, 1), date(2026, to, last)).unwrap();
    assert_eq!(definition.verdict(&figure, days(3, 3, 31)), Verdict::Met);
    assert_eq!(definition.verdict(&figure, days(1, 3, 31)), Verdict::NotJudged);
}

/// P-6: no data, no target and not defined are three different things, and none is a number.
#[test]
fn what_is_not_there_is_never_shown_as_zero() {
    let march = Period::new(date(2026, 3, 1), date(2026, 3, 31)).unwrap();
    let now = "2026-04-01T00:00:00Z".parse().unwrap();
    let metric = metric("suggestions_count", None).unwrap();
    let defined = Definition::of(metric);
    let forty = defined.value(&Figure::count(40), march, "lifecycle-butler", "", now);
    assert_eq!((forty.verdict(), forty.display.as_str(), forty.is_small_sample), (pb::MetricVerdict::NoTarget, "40", false));
    let none = defined.value(&Figure::no_data(), march, "lifecycle-butler", "", now);
    assert_eq!((none.verdict(), none.display.as_str(), none.denominator), (pb::MetricVerdict::NoData, "", 0));
    let unset = wire::not_defined(metric, march, "service-uplift", "", now);
    assert_eq!((unset.verdict(), unset.display.as_str(), unset.denominator), (pb::MetricVerdict::NotDefined, "", 0));
}

/// metrics.md, conventions: below 30 a figure is marked.
#[test]
fn twenty_nine_cases_are_a_small_sample_and_thirty_are_not() {
    let march = Period::new(date(2026, 3, 1), date(2026, 3, 31)).unwrap();
    let defined = Definition::of(metric("csat_rate", None).unwrap());
    let small = |n| defined.value(&Figure::rate(n, n), march, "", "", "2026-04-01T00:00:00Z".parse().unwrap()).is_small_sample;
    assert!(small(29) && !small(30) && !small(0));
}

#[test]
fn a_window_of_the_day_may_pass_midnight() {
    let at = |hour, minute| jiff::civil::time(hour, minute, 0, 0);
    let night = DayWindow { from: at(22, 0), to: at(6, 0) };
    assert!(night.contains(at(23, 0)) && night.contains(at(5, 59)) && !night.contains(at(6, 0)) && !night.contains(at(12, 0)));
}

/// P-1: what the presets define is what the catalogue has.
#[test]
fn every_preset_defines_metrics_of_the_catalogue() {
    let presets = [
        include_str!("../../../../../gateway/plans/base.yaml"),
        include_str!("../../../../../gateway/plans/process-template.yaml"),
        include_str!("../../../../../gateway/plans/care-315.yaml"),
        include_str!("../../../../../gateway/plans/service-management.yaml"),
        include_str!("../../../../../gateway/plans/service-uplift.yaml"),
        include_str!("../../../../../gateway/plans/lifecycle-butler.yaml"),
    ];
    for yaml in presets {
        let plan = crate::plan::read_plan("gateway/plans", yaml).unwrap();
        let mut bad = Violations::new();
        check_policy(&plan.metrics.unwrap_or_default(), &mut bad);
        assert!(bad.is_empty(), "{}: {bad:?}", plan.code);
    }
}
