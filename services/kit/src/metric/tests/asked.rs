//! Requests for figures: all faults at once, each with its place, and no figure of another service.

use std::sync::Arc;

use steward_proto::metric::v1 as pb;

use super::super::*;
use super::definitions::definition;
use crate::crypto::{FieldCipher, Keyring};
use crate::error::{Error, Result};
use crate::paging::PageTokens;

fn faults<T>(read: Result<T>) -> Vec<(String, &'static str)> {
    match read {
        Err(Error::Invalid(bad)) => bad.iter().map(|violation| (violation.field.clone(), violation.reason)).collect(),
        Err(other) => panic!("is no violation: {other}"),
        Ok(_) => Vec::new(),
    }
}

fn march() -> Option<pb::MetricPeriod> {
    Some(pb::MetricPeriod { from_date: "2026-03-01".into(), to_date: "2026-03-31".into() })
}

fn explain(metric_id: &str, defined: &str) -> pb::ExplainMetricRequest {
    pb::ExplainMetricRequest {
        estate_id: crate::ids::EstateId::new().to_string(),
        period: march(),
        metric_id: metric_id.into(),
        definition: Some(definition(defined)),
        ..pb::ExplainMetricRequest::default()
    }
}

#[test]
fn a_service_computes_its_own_of_the_figures_that_a_plan_defines() {
    let request = pb::ComputeMetricsRequest {
        estate_ids: vec![crate::ids::EstateId::new().to_string()],
        period: march(),
        definitions: vec![definition("nps"), definition("resolution_rate")],
        ..pb::ComputeMetricsRequest::default()
    };
    let ids = |owner| Asked::of(owner, request.clone()).unwrap().definitions.iter().map(|one| one.metric.id).collect::<Vec<_>>();
    assert_eq!((ids(Owner::Survey), ids(Owner::WorkOrder)), (vec!["nps"], vec!["resolution_rate"]));
    let bad = pb::ComputeMetricsRequest { estate_ids: vec!["here".into()], period: None, metric_ids: vec!["luck".into()], ..request };
    let found = faults(Asked::of(Owner::Survey, bad));
    for place in ["estate_ids[0]", "period", "metric_ids[0]"] {
        assert!(found.iter().any(|(field, _)| field == place), "{place} is not told: {found:?}");
    }
}

#[test]
fn only_the_figure_that_is_defined_and_ones_own_is_explained() {
    let pages = PageTokens::new(FieldCipher::new(Arc::new(Keyring::parse(&Keyring::generate_text()).unwrap())));
    let read = |owner, request| faults(AskedRows::<i64>::of(owner, request, &pages));
    let unknown = [("metric_id".to_owned(), "METRIC_UNKNOWN")];
    assert_eq!(read(Owner::Survey, explain("nps", "nps")), []);
    assert_eq!(read(Owner::Care, explain("nps", "nps")), unknown);
    assert_eq!(read(Owner::Survey, explain("nps", "csat_rate")), unknown);
}

#[test]
fn the_pages_of_an_explanation_follow_each_other_and_belong_to_one_figure() {
    let pages = PageTokens::new(FieldCipher::new(Arc::new(Keyring::parse(&Keyring::generate_text()).unwrap())));
    let request = pb::ExplainMetricRequest { page_size: 2, ..explain("nps", "nps") };
    let first = AskedRows::<i64>::of(Owner::Survey, request.clone(), &pages).unwrap();
    let rows = (1..=3).map(|at| (at, pb::MetricRow { value: at, ..pb::MetricRow::default() })).collect();
    let answer = first.answer(&pages, (pb::MetricValue::default(), rows)).unwrap();
    assert_eq!(answer.rows.iter().map(|row| row.value).collect::<Vec<_>>(), [1, 2]);
    let next = pb::ExplainMetricRequest { page_token: answer.next_page_token, ..request };
    assert_eq!(AskedRows::<i64>::of(Owner::Survey, next.clone(), &pages).unwrap().page.after, Some(2));
    let other = pb::ExplainMetricRequest { plan_code: "another".into(), ..next };
    assert_eq!(faults(AskedRows::<i64>::of(Owner::Survey, other, &pages)), [("page_token".to_owned(), "page_token")]);
}
