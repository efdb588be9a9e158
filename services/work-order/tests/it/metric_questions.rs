//! Who may ask for figures, and what is answered and refused.

use steward_proto::metric::v1 as metric;
use steward_proto::work_order::v1::CallbackOutcome;
use tonic::Code;
use uuid::Uuid;

use crate::metrics::{defined, march};
use crate::words::reason;
use crate::world::World;

/// GR-03, GR-24: figures of an estate are for its staff; a resident has none, another estate does not exist.
#[tokio::test]
async fn figures_are_for_the_staff_of_the_estate() {
    let world = World::new().await;
    let request = world.asks_for(vec![defined("handled_rate")]);
    let refused = world.metrics().compute_metrics(world.resident().asks(request.clone())).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let elsewhere = metric::ComputeMetricsRequest { estate_ids: vec![Uuid::now_v7().to_string()], ..request };
    let manager = world.staff("manager-1", "estate_manager");
    let refused = world.metrics().compute_metrics(manager.asks(elsewhere)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "ESTATE_NOT_FOUND"));
}

#[tokio::test]
async fn what_cannot_be_counted_is_refused_with_its_place() {
    let world = World::new().await;
    let mut request = world.asks_for(vec![defined("happiness"), defined("handled_rate")]);
    request.period = Some(metric::MetricPeriod { from_date: "2026-03-31".to_owned(), to_date: "2026-03-01".to_owned() });
    let refused = world.compute(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    use tonic_types::StatusExt;
    let details = refused.get_error_details();
    let fields: Vec<_> =
        details.bad_request().unwrap().field_violations.iter().map(|bad| (bad.field.as_str(), bad.reason.as_str())).collect();
    assert_eq!(fields, [("period.to_date", "PERIOD_INVALID"), ("definitions[0].metric_id", "METRIC_UNKNOWN")]);
    // Figures of other services are theirs.
    assert_eq!(world.compute(world.asks_for(vec![defined("nps")])).await.unwrap(), []);
}

/// GR-22: every row of a figure, in pages, and the figure with it.
#[tokio::test]
async fn an_explanation_has_every_row_once() {
    let world = World::new().await;
    for _ in 0..5 {
        let id = world.create(world.burst_pipe()).await.id;
        world.work_off(&id).await;
        world.call_back(&id, CallbackOutcome::Reached, 5).await;
    }
    let mut request = metric::ExplainMetricRequest {
        estate_id: world.estate.to_string(),
        period: march(),
        metric_id: "repair_csat_rate".to_owned(),
        definition: Some(defined("repair_csat_rate")),
        page_size: 2,
        ..Default::default()
    };
    let mut rows = Vec::new();
    loop {
        let answer = world.metrics().explain_metric(world.operations().asks(request.clone())).await.unwrap().into_inner();
        assert_eq!(answer.value.unwrap().display, "100.0");
        rows.extend(answer.rows);
        if answer.next_page_token.is_empty() {
            break;
        }
        request.page_token = answer.next_page_token;
    }
    rows.sort_by(|one, other| one.subject_id.cmp(&other.subject_id));
    rows.dedup_by(|one, other| one.subject_id == other.subject_id);
    assert_eq!(rows.len(), 5);
    assert!(rows.iter().all(|row| row.in_numerator && row.reason_code == "satisfied" && row.value == 5));
    assert!(rows.iter().all(|row| row.subject_number.starts_with("WO-2026-") && row.event_time.is_some()));
}

/// One value for each estate, and one over all of them.
#[tokio::test]
async fn estates_are_counted_apart_and_together() {
    let world = World::new().await;
    let other = Uuid::now_v7();
    world.register_estate(other).await;
    world.create(world.burst_pipe()).await;
    let mut request = world.asks_for(vec![defined("handled_rate"), defined("peak_share")]);
    request.estate_ids.push(other.to_string());
    let values = world.compute(request).await.unwrap();
    let peaks: Vec<_> =
        values.iter().filter(|value| value.metric_id == "peak_share").map(|value| (value.estate_id.clone(), value.n)).collect();
    assert_eq!(peaks, [(world.estate.to_string(), 1), (other.to_string(), 0), (String::new(), 1)]);
}
