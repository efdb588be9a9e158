//! The figures that notification owns, from messages that it sent, and the rows behind them.

use jiff::SignedDuration;
use steward_harness::Claims;
use steward_kit::ids::{EstateId, WorkOrderId};
use steward_kit_store::NewEvent;
use steward_proto::common::v1 as common;
use steward_proto::metric::v1 as pb;
use steward_proto::metric::v1::metric_service_client::MetricServiceClient;
use steward_proto::notification::v1 as notification;
use steward_proto::work_order::v1 as work_order;
use tonic::Code;
use tonic::transport::Channel;

use crate::consent::{advert, send_advert};
use crate::templates::{activate, create, send, template};
use crate::world::{Caller, World, refused, request_id};

pub(crate) fn metrics(world: &World) -> MetricServiceClient<Channel> {
    MetricServiceClient::new(world.channel())
}

/// A definition; a limit in minutes where the formula takes one.
pub(crate) fn definition(metric_id: &str) -> pb::MetricDefinition {
    let limit = ["message_timely_rate", "emergency_handover_rate"].contains(&metric_id).then(|| common::Span {
        value: 5,
        unit: common::Unit::Minute.into(),
        calendar: "24x7".to_owned(),
    });
    let parameters = Some(pb::MetricParameters { limit, ..Default::default() });
    pb::MetricDefinition { metric_id: metric_id.to_owned(), version: 1, parameters, ..Default::default() }
}

pub(crate) fn march() -> Option<pb::MetricPeriod> {
    Some(pb::MetricPeriod { from_date: "2026-03-01".to_owned(), to_date: "2026-03-31".to_owned() })
}

/// An order that came in so many seconds ago.
pub(crate) fn created(world: &World, seconds: i64) -> NewEvent {
    let order = WorkOrderId::new();
    let fact = work_order::WorkOrderCreated { order: Some(world.order(order)), ..Default::default() };
    NewEvent::new(order, world.estate, world.now() - SignedDuration::from_secs(seconds), &fact)
}

/// NT-18, NT-22, NT-36, NT-38, NT-39: four orders reach their customer, one of them is read, one came late; an offer is held back
/// for want of consent; an emergency goes at once. Each figure is shown by estate and over all, and its rows say why they count.
#[tokio::test]
async fn messages_are_counted_by_where_they_stand() {
    let world = World::new().await;
    world.publish("work_order", [10, 20, 30, 340].map(|ago| created(&world, ago)).into()).await;
    let items = world.items(&world.resident(), 4).await;
    let read = notification::MarkInboxItemsReadRequest { request_id: request_id(), message_ids: vec![items[0].message_id.clone()] };
    world.inbox().mark_inbox_items_read(world.resident().asks(read)).await.unwrap();
    advert(&world).await;
    assert_eq!(send_advert(&world).await.suppress_reason(), notification::SuppressReason::NoConsent);
    let version = create(&world, template("gas", notification::MessageClass::Emergency)).await;
    activate(&world, &version).await;
    let alarm = notification::SendEmergencyMessageRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        recipient: send(&world, "gas").recipient,
        template_key: "gas".to_owned(),
        variables: send(&world, "gas").variables,
        reason: "gas leak".to_owned(),
        ..Default::default()
    };
    world.ledger().send_emergency_message(world.manager().asks(alarm)).await.unwrap();

    let ids = [
        "message_reach_rate",
        "message_read_rate",
        "message_latency",
        "message_timely_rate",
        "emergency_handover_rate",
        "message_suppressed_rate",
    ];
    let request = |estate: EstateId| pb::ComputeMetricsRequest {
        estate_ids: vec![estate.to_string()],
        period: march(),
        plan_code: "service-uplift".to_owned(),
        definitions: ids.map(definition).into(),
        ..Default::default()
    };
    let values = metrics(&world).compute_metrics(world.operations().asks(request(world.estate))).await.unwrap().into_inner().values;
    assert_eq!(values.len(), 2 * ids.len(), "by estate, and over all");
    let of = |metric: &str| {
        let one = values.iter().find(|value| value.metric_id == metric && !value.estate_id.is_empty()).unwrap();
        let over_all = values.iter().find(|value| value.metric_id == metric && value.estate_id.is_empty()).unwrap();
        assert_eq!(one.display, over_all.display, "of one estate");
        (one.display.clone(), one.display_unit.clone(), one.n)
    };
    assert_eq!(of("message_reach_rate"), ("100.0".to_owned(), "%".to_owned(), 5));
    assert_eq!(of("message_read_rate"), ("20.0".to_owned(), "%".to_owned(), 5));
    // (10 + 20 + 30 + 340 + 0) / 5 seconds.
    assert_eq!(of("message_latency"), ("80.0".to_owned(), "s".to_owned(), 5));
    assert_eq!(of("message_timely_rate"), ("80.0".to_owned(), "%".to_owned(), 5));
    assert_eq!(of("emergency_handover_rate"), ("100.0".to_owned(), "%".to_owned(), 1));
    assert_eq!(of("message_suppressed_rate"), ("16.7".to_owned(), "%".to_owned(), 6));
    let suppressed = values.iter().find(|value| value.metric_id == "message_suppressed_rate").unwrap();
    assert_eq!(suppressed.parts.iter().map(|part| part.code.as_str()).collect::<Vec<_>>(), ["no_consent"]);

    let explain = |metric: &str, page_token: String| pb::ExplainMetricRequest {
        estate_id: world.estate.to_string(),
        period: march(),
        metric_id: metric.to_owned(),
        definition: Some(definition(metric)),
        page_size: 4,
        page_token,
        ..Default::default()
    };
    let first =
        metrics(&world).explain_metric(world.operations().asks(explain("message_timely_rate", String::new()))).await.unwrap().into_inner();
    let second = explain("message_timely_rate", first.next_page_token);
    let second = metrics(&world).explain_metric(world.operations().asks(second)).await.unwrap().into_inner();
    assert_eq!((first.rows.len(), second.rows.len(), second.next_page_token.as_str()), (4, 2, ""));
    let rows = [first.rows, second.rows].concat();
    let why = |reason: &str| rows.iter().filter(|row| row.reason_code == reason).count();
    assert_eq!((why("in_time"), why("late"), why("no_consent")), (4, 1, 1));
    assert_eq!(rows.iter().filter(|row| row.in_numerator).count(), 4);
    assert_eq!(rows.iter().filter(|row| row.in_denominator).count(), 5);
    let late = rows.iter().find(|row| row.reason_code == "late").unwrap();
    assert_eq!((late.subject_kind.as_str(), late.value), ("message", 340));

    // Outside of the caller's estates there is nothing to count.
    let elsewhere = Caller::new(&Claims::staff("manager-2").role("estate_manager").estate(EstateId::new()));
    assert_eq!(refused(metrics(&world).compute_metrics(elsewhere.asks(request(world.estate))).await).0, Code::NotFound);
}

/// NT-22, NT-28: a message that quiet hours held back is not late by that; its time begins when they end.
#[tokio::test]
async fn what_rules_hold_back_is_not_late() {
    let world = World::at(crate::world::NIGHT).await;
    advert(&world).await;
    crate::consent::agree(&world).await;
    let held = send_advert(&world).await;
    assert_eq!(held.state(), notification::MessageState::Deferred);
    let until = held.defer_until_time.as_ref().and_then(steward_kit::proto::timestamp).unwrap();
    world.clock.set(until + SignedDuration::from_secs(7));
    world.until_state(&held.id, notification::MessageState::Delivered).await;
    let request = pb::ComputeMetricsRequest {
        estate_ids: vec![world.estate.to_string()],
        period: march(),
        definitions: vec![definition("message_latency")],
        ..Default::default()
    };
    let values = metrics(&world).compute_metrics(world.operations().asks(request)).await.unwrap().into_inner().values;
    assert_eq!((values[0].display.as_str(), values[0].n), ("7.0", 1));
}
