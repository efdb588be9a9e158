//! The lines of the edge-case matrix (`metrics.md` §10.1) that only a live service can get wrong: what verbs leave behind in the
//! facts that figures are counted from.

use steward_proto::common::v1 as common;
use steward_proto::metric::v1 as metric;
use steward_proto::plan::v1::PolicyScopeLevel;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::{CallbackOutcome, ClockState, CloseCode};
use tonic::Code;
use uuid::Uuid;

use crate::metrics::{defined, households, march, month};
use crate::words::clock;
use crate::world::{MANAGEMENT, World, at, refused, request_id, time};

/// Numerator and denominator of a figure of the estate in a month.
async fn counted_in(world: &World, metric_id: &str, period: Option<metric::MetricPeriod>) -> (i64, i64) {
    let request = metric::ComputeMetricsRequest { period, ..world.asks_for(vec![defined(metric_id)]) };
    let value = world.compute(request).await.unwrap().swap_remove(0);
    (value.numerator, value.denominator)
}

fn april() -> Option<metric::MetricPeriod> {
    month("2026-04-01", "2026-04-30")
}

async fn converted(world: &World, id: &str, kind: common::WorkOrderKind) -> pb::WorkOrder {
    let request = pb::ClassifyWorkOrderRequest {
        work_order_id: id.to_owned(),
        request_id: request_id(),
        etag: String::new(),
        category: "cleaning.poor_cleaning".to_owned(),
        urgency: common::Urgency::L2.into(),
        reason: "the caller complains".to_owned(),
        kind: kind.into(),
        ..Default::default()
    };
    world.orders().classify_work_order(world.desk().asks(request)).await.unwrap().into_inner().work_order.unwrap()
}

/// WO-39, merged duplicate: three reports of one matter are one complaint of one household; each reporter is owed an answer and a
/// callback, and each score counts; the result is owed once.
#[tokio::test]
async fn of_three_reports_of_one_matter_one_counts_and_three_are_called_back() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.create(world.complaint()).await.id);
    }
    for id in &ids {
        world.answer(id).await;
    }
    for id in &ids[1..] {
        world.cancel(id, CloseCode::Duplicate).await;
        let order = world.get(id).await;
        assert_eq!(clock(&order, "callback", 1).state(), ClockState::Running, "owed from the merging on");
        assert_eq!(clock(&order, "result_feedback", 1).state(), ClockState::Void);
    }
    world.work_off(&ids[0]).await;
    world.advance(60);
    for (id, score) in ids.iter().zip([5, 4, 2]) {
        world.call_back(id, CallbackOutcome::Reached, score).await;
    }
    assert_eq!(world.get(&ids[2]).await.state(), pb::State::Cancelled, "a bad score reopens no merged report");

    let mut request = world.asks_for(vec![defined("complaint_rate"), defined("complaint_count")]);
    request.household_bases = vec![households(&world, march().as_ref(), 50)];
    let values = world.compute(request).await.unwrap();
    let of = |id: &str| values.iter().find(|value| value.metric_id == id).unwrap();
    assert_eq!((of("complaint_rate").display.as_str(), of("complaint_count").display.as_str()), ("2.0", "1"), "one of fifty");
    assert_eq!(world.counted("complaint_callback_coverage").await, (3, 3));
    assert_eq!(world.counted("timely_rate.first_response").await, (3, 3));
    assert_eq!(world.counted("complaint_timely_rate").await, (1, 1), "the rest follows the parent");
    assert_eq!(world.counted("complaint_csat_rate").await, (2, 3), "each reporter's score");
    assert_eq!(world.counted("handled_rate").await, (0, 1));
}

/// Invalid and out of scope: an explanation is owed and called for; the report counts nowhere else but for its first answer and
/// its score. Withdrawn: a callback is a courtesy, and what is said at it counts.
#[tokio::test]
async fn who_is_told_that_it_is_none_of_ours_is_owed_a_call() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for close_code in [CloseCode::Invalid, CloseCode::OutOfScope, CloseCode::Withdrawn] {
        let id = world.create(world.complaint()).await.id;
        world.answer(&id).await;
        world.cancel(&id, close_code).await;
        ids.push(id);
    }
    assert_eq!(world.counted("complaint_callback_coverage").await, (0, 0), "not due yet");
    world.advance(60);
    world.call_back(&ids[0], CallbackOutcome::Refused, 0).await;
    world.call_back(&ids[2], CallbackOutcome::Reached, 1).await;
    world.advance(24 * 60);
    assert_eq!(world.counted("complaint_callback_coverage").await, (1, 2), "the withdrawn one is none, the other was missed");
    assert_eq!(world.counted("complaint_csat_rate").await, (0, 1), "only what the withdrawing customer said");
    assert_eq!(world.get(&ids[2]).await.state(), pb::State::Cancelled);
    assert_eq!(world.counted("timely_rate.first_response").await, (3, 3));
    assert_eq!(world.counted("complaint_count").await.0, 1, "dissatisfaction was voiced by the one that was withdrawn");
    let value = world.figure(defined("resolution_rate")).await;
    let part = |code: &str| value.parts.iter().find(|part| part.code == code).map(|part| part.numerator);
    assert_eq!((value.denominator, part("withdrawn")), (0, Some(1)));
    // A callback moves no end: what was late when it was withdrawn is what it was.
    assert_eq!(world.counted("complaint_timely_rate").await, (0, 0));
}

/// WO-07, converted: an inquiry of 31 March that turns out to be a complaint on 1 April is a complaint of April, timed from the
/// conversion; when it was reported stays.
#[tokio::test]
async fn an_inquiry_that_becomes_a_complaint_counts_from_the_conversion() {
    let world = World::new().await;
    // 23:00 in Shanghai on the last of March.
    world.clock.set(at("2026-03-31T15:00:00Z"));
    let inquiry = || pb::CreateWorkOrderRequest { kind: common::WorkOrderKind::Inquiry.into(), ..world.complaint() };
    let create = || {
        let request = inquiry();
        async { world.orders().create_work_order(world.desk().asks(request)).await.ok() }
    };
    let order = crate::world::eventually("the report is taken in", create).await.into_inner().work_order.unwrap();
    let id = order.id.clone();
    assert_eq!(clock(&order, "first_response", 1).due_time.as_ref().map(|due| time(Some(due))), Some(at("2026-03-31T15:30:00Z")));
    // 10:00 the next morning, the inquiry unanswered.
    world.clock.set(at("2026-04-01T02:00:00Z"));
    let order = converted(&world, &id, common::WorkOrderKind::Complaint).await;
    assert_eq!((order.kind(), time(order.receive_time.as_ref())), (common::WorkOrderKind::Complaint, at("2026-03-31T15:00:00Z")));
    let response = clock(&order, "first_response", 1);
    assert_eq!((response.state(), time(response.due_time.as_ref())), (ClockState::Running, at("2026-04-01T02:30:00Z")));
    assert_eq!(time(clock(&order, "result_feedback", 1).start_time.as_ref()), at("2026-04-01T02:00:00Z"));

    world.advance(20);
    world.answer(&id).await;
    world.work_off(&id).await;
    world.advance(60);
    world.call_back(&id, CallbackOutcome::Reached, 4).await;
    world.close(&id, CloseCode::Resolved).await;
    // Past the limit of the result, as of which it is resolved or not.
    world.clock.set(at("2026-04-25T02:00:00Z"));
    for (metric_id, of_april) in [
        ("complaint_count", (1, 1)),
        ("timely_rate.first_response", (1, 1)),
        ("complaint_timely_rate", (1, 1)),
        ("resolution_rate", (1, 1)),
        ("complaint_callback_coverage", (1, 1)),
        ("complaint_csat_rate", (1, 1)),
    ] {
        assert_eq!(counted_in(&world, metric_id, april()).await, of_april, "{metric_id} of April");
        assert_eq!(counted_in(&world, metric_id, march()).await.0, 0, "{metric_id} of March");
    }
    let hours = counted_in(&world, "first_response_hours", april()).await;
    assert_eq!(hours, (20 * 60, 1), "seconds from the conversion to the answer");
    let entry = world.history(&id).await.into_iter().find(|entry| entry.action == "classify").unwrap();
    assert_eq!((entry.detail["kind"].as_str(), entry.detail["kind_before"].as_str()), ("complaint", "inquiry"));

    // What is over is not made another kind.
    let again = pb::ClassifyWorkOrderRequest {
        work_order_id: id,
        request_id: request_id(),
        category: "cleaning".to_owned(),
        urgency: common::Urgency::L3.into(),
        reason: "no".to_owned(),
        kind: common::WorkOrderKind::Inquiry.into(),
        ..Default::default()
    };
    refused(world.orders().classify_work_order(world.desk().asks(again)).await, Code::FailedPrecondition, "STATE_FORBIDS");
}

/// Suspended: the clock that is named for the reason moves and is kept; the other runs on and is late.
#[tokio::test]
async fn a_suspension_moves_the_deadlines_that_it_is_named_for_only() {
    let world = World::new().await;
    let id = world.create(pb::CreateWorkOrderRequest { description: "水龙头漏水".to_owned(), ..world.burst_pipe() }).await.id;
    world.assign(&id, "wang").await.unwrap();
    let reason = common::SuspensionReason::Customer.into();
    let suspend = pb::SuspendWorkOrderRequest { work_order_id: id.clone(), request_id: request_id(), reason, ..Default::default() };
    world.orders().suspend_work_order(world.wang().asks(suspend)).await.unwrap();
    world.advance(5 * 60);
    let resume = pb::ResumeWorkOrderRequest { work_order_id: id.clone(), request_id: request_id(), etag: String::new() };
    world.orders().resume_work_order(world.wang().asks(resume)).await.unwrap();
    world.advance(60);
    world.work_off(&id).await;
    assert_eq!(world.counted("timely_rate.arrive").await, (1, 1), "two hours of work, five of waiting");
    assert_eq!(world.counted("timely_rate.contact").await, (0, 1), "a call needs nobody at home");
}

/// Policy changed: what was born under 15 minutes is judged by them, whatever the estate's plan is by then.
#[tokio::test]
async fn a_deadline_is_judged_by_the_plan_of_its_birth() {
    let world = World::new().await;
    let kept = world.create(world.burst_pipe()).await.id;
    let late = world.create(world.burst_pipe()).await.id;
    world.advance(1);
    world.load_plan(MANAGEMENT, PolicyScopeLevel::Estate, &world.estate.to_string()).await;
    world.create(world.burst_pipe()).await;
    world.advance(14);
    world.answer(&kept).await;
    world.advance(1);
    world.answer(&late).await;
    assert_eq!(world.counted("timely_rate.first_response").await, (1, 2), "002 gives repairs no such limit");
    assert_eq!(world.counted("timely_rate.push").await, (2, 2));
}

/// Staff or system-generated: a device's case is internal, out of everything but the internal deadlines; once a customer stands
/// behind it, it is a case like any other.
#[tokio::test]
async fn a_device_complains_for_nobody() {
    let world = World::new().await;
    let of_device = || pb::CreateWorkOrderRequest { channel: common::Channel::Device.into(), ..world.complaint() };
    let silent = pb::CreateWorkOrderRequest { customer_id: String::new(), ..of_device() };
    let silent = world.create(silent).await.id;
    let voiced = world.create(of_device()).await.id;
    for id in [&silent, &voiced] {
        world.answer(id).await;
        world.work_off(id).await;
        world.close(id, CloseCode::Resolved).await;
    }
    world.call_back(&voiced, CallbackOutcome::Reached, 5).await;
    world.clock.set(at("2026-03-12T02:00:00Z"));
    assert_eq!(world.counted("complaint_count").await.0, 1);
    assert_eq!(world.counted("timely_rate.first_response").await, (2, 2), "internal deadlines count");
    assert_eq!(world.counted("resolution_rate").await, (1, 1));
    assert_eq!(world.counted("handled_rate").await, (1, 1));
    assert_eq!(world.counted("complaint_callback_coverage").await, (1, 1));
    assert_eq!(world.counted("complaint_csat_rate").await, (1, 1));
}

/// Anonymous: volume only; it is resolved without anybody's word, and nobody is called back.
#[tokio::test]
async fn an_anonymous_complaint_is_of_no_household_and_called_back_to_nobody() {
    let world = World::new().await;
    let anonymous = pb::CreateWorkOrderRequest { unit_id: String::new(), customer_id: String::new(), ..world.complaint() };
    let id = world.create(anonymous).await.id;
    world.work_off(&id).await;
    world.close(&id, CloseCode::Resolved).await;
    world.clock.set(at("2026-03-20T02:00:00Z"));
    let mut request = world.asks_for(vec![defined("complaint_rate"), defined("complaints_per_1000hh"), defined("resolution_rate")]);
    request.household_bases = vec![households(&world, march().as_ref(), 50)];
    let values = world.compute(request).await.unwrap();
    let shown = |id: &str| values.iter().find(|value| value.metric_id == id).unwrap().display.clone();
    assert_eq!((shown("complaint_rate").as_str(), shown("complaints_per_1000hh").as_str()), ("0.0", "20.0"));
    assert_eq!(shown("resolution_rate"), "100.0");
    assert_eq!(world.counted("complaint_callback_coverage").await, (0, 0));
}

/// Estate leaves: what is handed over is out of timeliness from then on, and of resolution; what was late before stays late.
#[tokio::test]
async fn what_is_handed_over_with_an_estate_is_timed_until_then() {
    let world = World::new().await;
    let overdue = world.create(world.complaint()).await.id;
    world.advance(45);
    let fresh = world.create(world.complaint()).await.id;
    world.advance(5);
    for id in [&overdue, &fresh] {
        world.cancel(id, CloseCode::Transferred).await;
    }
    world.clock.set(at("2026-03-20T02:00:00Z"));
    assert_eq!(world.counted("timely_rate.first_response").await, (0, 1));
    assert_eq!(world.counted("complaint_timely_rate").await, (0, 0));
    assert_eq!(world.counted("resolution_rate").await, (0, 0));
    assert_eq!(world.counted("complaint_callback_coverage").await, (0, 0));
    assert_eq!(world.counted("complaint_count").await.0, 2);
}

/// Customer with several estates: who complains about common parts of two is counted in each, and once in both together.
#[tokio::test]
async fn a_customer_of_two_estates_is_counted_in_each_and_once_in_the_group() {
    let world = World::new().await;
    let other = Uuid::now_v7();
    world.register_estate(other).await;
    let report = |estate: Uuid| pb::CreateWorkOrderRequest { estate_id: estate.to_string(), unit_id: String::new(), ..world.complaint() };
    for estate in [world.estate, other] {
        world.orders().create_work_order(world.operations().asks(report(estate))).await.unwrap();
    }
    let base = |estate: Uuid| metric::HouseholdBase { estate_id: estate.to_string(), ..households(&world, march().as_ref(), 50) };
    let mut request = world.asks_for(vec![defined("complaint_rate")]);
    request.estate_ids.push(other.to_string());
    request.household_bases = vec![base(world.estate), base(other)];
    let values = world.compute(request).await.unwrap();
    let shown: Vec<_> = values.iter().map(|value| value.display.as_str()).collect();
    assert_eq!(shown, ["2.0", "2.0", "1.0"], "1 of 50, 1 of 50, 1 of 100");
}
