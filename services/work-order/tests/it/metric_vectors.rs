//! The vectors of `metrics.md` §10.2 that are about orders: in through the public RPCs, out as figures.

use steward_proto::metric::v1 as metric;
use steward_proto::metric::v1::{MetricDirection, MetricVerdict};
use steward_proto::work_order::v1::{CallbackOutcome, CloseCode};

use crate::metrics::{defined, households, march, month};
use crate::world::{World, at};

fn with_target(metric_id: &str, direction: MetricDirection, numerator: i64, denominator: i64) -> metric::MetricDefinition {
    let target = metric::MetricTarget { direction: direction.into(), numerator, denominator };
    metric::MetricDefinition { target: Some(target), ..defined(metric_id) }
}

/// F-06, vector 3: 120 due, 114 in time, 4 late, 2 open past due; what is received at 23:50 on 31 March belongs to April.
#[tokio::test]
async fn the_first_responses_of_march_are_95_per_cent() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for _ in 0..120 {
        ids.push(world.create(world.burst_pipe()).await.id);
    }
    world.advance(15);
    for id in &ids[..114] {
        world.answer(id).await;
    }
    world.advance(1);
    for id in &ids[114..118] {
        world.answer(id).await;
    }
    world.clock.set(at("2026-03-31T15:50:00Z"));
    let last = world.create(world.burst_pipe()).await.id;
    let definition = with_target("timely_rate.first_response", MetricDirection::AtLeast, 95, 100);
    let value = world.figure(definition.clone()).await;
    assert_eq!((value.numerator, value.denominator, value.n, value.display.as_str()), (114, 120, 120, "95.0"));
    assert_eq!((value.verdict(), value.formula.as_str(), value.is_small_sample), (MetricVerdict::Met, "F-06", false));
    assert!(value.interval.is_some_and(|interval| interval.low < 0.95 && 0.95 < interval.high));
    let part = |code: &str| value.parts.iter().find(|part| part.code == code).map(|part| part.numerator);
    assert_eq!((part("late"), part("open_late")), (Some(4), Some(2)));

    let april = month("2026-04-01", "2026-04-30");
    let of_april = async |world: &World| {
        let request = metric::ComputeMetricsRequest { period: april.clone(), ..world.asks_for(vec![definition.clone()]) };
        world.compute(request).await.unwrap().swap_remove(0)
    };
    let early = of_april(&world).await;
    assert_eq!((early.denominator, early.verdict(), early.display.as_str()), (0, MetricVerdict::NoData, ""), "not due yet");
    world.advance(10);
    world.answer(&last).await;
    let value = of_april(&world).await;
    assert_eq!((value.numerator, value.denominator, value.is_small_sample), (1, 1, true));
}

/// F-08, vector 4, WO-27, WO-30: 44 reached in time, 1 late, 4 exhausted, 1 never tried.
#[tokio::test]
async fn fifty_callbacks_are_88_per_cent_effective_and_96_attempted() {
    let world = World::new().await;
    // 20:00 in Shanghai: attempts of the evening and of the next morning lie within the 24 hours.
    world.clock.set(at("2026-03-02T12:00:00Z"));
    let mut ids = Vec::new();
    for _ in 0..50 {
        let id = world.create(world.complaint()).await.id;
        world.work_off(&id).await;
        ids.push(id);
    }
    world.advance(60);
    for id in &ids[..44] {
        world.call_back(id, CallbackOutcome::Reached, 4).await;
    }
    for id in &ids[45..49] {
        world.call_back(id, CallbackOutcome::NoAnswer, 0).await;
    }
    world.clock.set(at("2026-03-03T01:00:00Z"));
    for id in &ids[45..49] {
        world.call_back(id, CallbackOutcome::NoAnswer, 0).await;
        world.call_back(id, CallbackOutcome::NoAnswer, 0).await;
    }
    world.clock.set(at("2026-03-03T13:00:00Z"));
    world.call_back(&ids[44], CallbackOutcome::Reached, 5).await;
    let attempted = metric::MetricDefinition { method: "attempted_in_window".to_owned(), ..defined("complaint_callback_coverage") };
    let value = world.figure(attempted.clone()).await;
    assert_eq!((value.display.as_str(), value.n), ("96.0", 50));
    let beside = value.parts.iter().find(|part| part.code == "effective_in_window").unwrap();
    assert_eq!((beside.display.as_str(), beside.numerator), ("88.0", 44), "shown beside the headline");
    assert_eq!(world.figure(defined("complaint_callback_coverage")).await.display, "88.0");
    assert_eq!(world.counted("repair_callback_coverage").await, (0, 0), "no repair is called back");

    let explained = world.explained(attempted).await;
    let reasons = |reason: &str| explained.rows.iter().filter(|row| row.reason_code == reason).count();
    assert_eq!((reasons("reached_in_time"), reasons("reached_late"), reasons("exhausted_in_time"), reasons("missed")), (44, 1, 4, 1));
}

/// F-05a, vector of C-02 and WO-39: distinct households by managed ones; volume beside it.
#[tokio::test]
async fn complaining_households_are_counted_once() {
    let world = World::new().await;
    let other = world.another_unit().await;
    // Owner and tenant of one unit: one household. Another household, and a visitor without one.
    for _ in 0..2 {
        world.create(world.complaint()).await;
    }
    let of_other = || steward_proto::work_order::v1::CreateWorkOrderRequest { unit_id: other.to_string(), ..world.complaint() };
    world.create(of_other()).await;
    let visitor =
        steward_proto::work_order::v1::CreateWorkOrderRequest { unit_id: String::new(), customer_id: String::new(), ..world.complaint() };
    world.create(visitor).await;
    // A merged one brings its household and no case; a withdrawn one counts; an invalid one does not.
    let merged = world.create(of_other()).await.id;
    world.cancel(&merged, CloseCode::Duplicate).await;
    let withdrawn = world.create(of_other()).await.id;
    world.cancel(&withdrawn, CloseCode::Withdrawn).await;
    let invalid = world.create(world.complaint()).await.id;
    world.cancel(&invalid, CloseCode::Invalid).await;
    let strange = world.create(world.complaint()).await.id;
    world.cancel(&strange, CloseCode::OutOfScope).await;
    world.create(world.burst_pipe()).await;

    let definition = with_target("complaint_rate", MetricDirection::AtMost, 5, 100);
    let period = march();
    let mut request = world.asks_for(vec![definition, defined("complaint_count")]);
    request.household_bases = vec![households(&world, period.as_ref(), 50)];
    let values = world.compute(request.clone()).await.unwrap();
    let of = |id: &str| values.iter().find(|value| value.metric_id == id && !value.estate_id.is_empty()).unwrap();
    let rate = of("complaint_rate");
    assert_eq!((rate.display.as_str(), rate.verdict(), rate.n), ("4.0", MetricVerdict::Met, 50), "2 of 50");
    let part = |code: &str| rate.parts.iter().find(|part| part.code == code).map(|part| part.numerator);
    assert_eq!((part("cases"), part("without_household"), part("out_of_scope")), (Some(5), Some(1), Some(1)));
    assert_eq!(of("complaint_count").display, "5");

    request.household_bases.clear();
    let values = world.compute(request).await.unwrap();
    let rate = values.iter().find(|value| value.metric_id == "complaint_rate").unwrap();
    assert_eq!((rate.verdict(), rate.display.as_str()), (MetricVerdict::NoData, ""), "no households, no rate");
}
