//! The edge-case matrix of `metrics.md` §10.1, played through the public RPCs.

use steward_proto::common::v1 as common;
use steward_proto::metric::v1 as metric;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::{CallbackOutcome, CloseCode};

use crate::metrics::{defined, month};
use crate::world::{World, at, request_id};

/// F-07, F-07b: confirmed, by silence, opposed, withdrawn, open; as of the plan's cut-off (C-15).
#[tokio::test]
async fn a_case_is_resolved_as_of_the_cut_off() {
    let world = World::new().await;
    world.clock.set(at("2026-03-30T02:00:00Z"));
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(world.create(world.complaint()).await.id);
    }
    for id in &ids[..4] {
        world.work_off(id).await;
    }
    world.advance(60);
    world.call_back(&ids[0], CallbackOutcome::Reached, 4).await;
    world.close(&ids[0], CloseCode::Resolved).await;
    world.close(&ids[1], CloseCode::UnresolvedExplained).await;
    // Reopened by its bad score, and worked off again after the cut-off.
    world.call_back(&ids[2], CallbackOutcome::Reached, 1).await;
    world.cancel(&ids[4], CloseCode::Withdrawn).await;
    // ids[3] closes by silence, seven days after completion; ids[5] stays open.
    world.clock.set(at("2026-04-20T02:00:00Z"));
    world.work_off(&ids[2]).await;
    world.call_back(&ids[2], CallbackOutcome::Reached, 5).await;
    world.close(&ids[2], CloseCode::Resolved).await;
    crate::world::eventually("the silence ends", || async { (world.get(&ids[3]).await.state() == pb::State::Closed).then_some(()) }).await;

    // 3 working days and 7 days after March: 12 April 24:00. The holiday of 5 April lies between.
    let span = |value, unit: common::Unit, calendar: &str| common::Span { value, unit: unit.into(), calendar: calendar.to_owned() };
    let definition = metric::MetricDefinition {
        parameters: Some(metric::MetricParameters {
            grace: vec![span(3, common::Unit::WorkingDay, "working"), span(7, common::Unit::Day, "civil")],
            ..Default::default()
        }),
        ..defined("resolution_rate")
    };
    let value = world.figure(definition.clone()).await;
    assert_eq!((value.numerator, value.denominator), (2, 5), "confirmed and silent of five; the withdrawn one in neither");
    let part = |code: &str| value.parts.iter().find(|part| part.code == code).map(|part| part.numerator);
    assert_eq!((part("confirmed"), part("auto_closed"), part("withdrawn")), (Some(1), Some(1), Some(1)));
    let explained = world.explained(definition).await;
    let reason = |id: &String| explained.rows.iter().find(|row| row.subject_id == *id).map(|row| row.reason_code.clone()).unwrap();
    let reasons: Vec<String> = ids.iter().map(reason).collect();
    assert_eq!(reasons, ["confirmed", "unresolved", "unresolved", "auto_closed", "withdrawn", "unresolved"]);
    // Handled counts every close but an invalid one, as of now.
    assert_eq!(world.counted("handled_rate").await, (5, 6));
}

/// F-06, F-17, F-01, WO-31: one late cycle makes the case late; the last cycle's score is the case's.
#[tokio::test]
async fn a_reopened_case_is_timely_only_if_every_cycle_is() {
    let world = World::new().await;
    let once = world.create(world.burst_pipe()).await.id;
    let twice = world.create(world.burst_pipe()).await.id;
    for id in [&once, &twice] {
        world.work_off(id).await;
    }
    world.advance(60);
    world.call_back(&once, CallbackOutcome::Reached, 5).await;
    world.call_back(&twice, CallbackOutcome::Reached, 2).await;
    assert_eq!(world.counted("timely_rate.arrive").await, (2, 2), "the second cycle is not due yet");
    world.advance(31);
    assert_eq!(world.counted("timely_rate.arrive").await, (1, 2), "nobody came within its half hour");
    world.work_off(&twice).await;
    world.call_back(&twice, CallbackOutcome::Refused, 0).await;
    assert_eq!(world.counted("repair_csat_rate").await, (1, 2), "a refusal to answer is no new score");
    assert_eq!(world.counted("callback_coverage").await, (3, 3), "and has reached the customer; one is due in each cycle");
    for id in [&once, &twice] {
        world.close(id, CloseCode::Resolved).await;
    }
    assert_eq!(world.counted("reopen_rate").await, (1, 2));
    assert_eq!(world.counted("timely_rate.arrive").await, (1, 2), "what was late stays late");
}

/// F-06, withdrawn and invalid: milestones due before stay, those after are gone; first responses are owed to invalid ones.
#[tokio::test]
async fn what_ends_before_it_is_due_is_left_out() {
    let world = World::new().await;
    let before = world.create(world.burst_pipe()).await.id;
    world.advance(5);
    world.cancel(&before, CloseCode::Withdrawn).await;
    let after = world.create(world.burst_pipe()).await.id;
    world.advance(20);
    world.cancel(&after, CloseCode::Withdrawn).await;
    assert_eq!(world.counted("timely_rate.first_response").await, (0, 1), "only the one that was overdue");
    assert_eq!(world.counted("timely_rate.arrive").await, (0, 0));
    let invalid = world.create(world.burst_pipe()).await.id;
    world.answer(&invalid).await;
    world.cancel(&invalid, CloseCode::Invalid).await;
    assert_eq!(world.counted("timely_rate.first_response").await, (1, 2));
    let reasons: Vec<String> = world.explained(defined("timely_rate.push")).await.rows.into_iter().map(|row| row.reason_code).collect();
    assert!(reasons.contains(&"invalid".to_owned()) && reasons.contains(&"in_time".to_owned()), "{reasons:?}");
}

/// F-07c, WO-43, WO-64: the mean from receipt to close, less what the work stood still.
#[tokio::test]
async fn handling_time_leaves_out_suspensions() {
    let world = World::new().await;
    let id = world.create(world.complaint()).await.id;
    world.assign(&id, "wang").await.unwrap();
    let suspend = pb::SuspendWorkOrderRequest {
        work_order_id: id.clone(),
        request_id: request_id(),
        reason: common::SuspensionReason::Customer.into(),
        ..Default::default()
    };
    world.orders().suspend_work_order(world.wang().asks(suspend)).await.unwrap();
    world.advance(24 * 60);
    let resume = pb::ResumeWorkOrderRequest { work_order_id: id.clone(), request_id: request_id(), etag: String::new() };
    world.orders().resume_work_order(world.wang().asks(resume)).await.unwrap();
    world.advance(36 * 60);
    world.work_off(&id).await;
    world.close(&id, CloseCode::Resolved).await;
    let value = world.figure(defined("mean_handling_time")).await;
    assert_eq!((value.numerator, value.denominator, value.display.as_str()), (36 * 3600, 1, "1.5"));
    assert_eq!(value.display_unit, "d");
}

/// F-05a, XC-63: a paper entry of April counts in March, where it happened, and is marked.
#[tokio::test]
async fn a_late_entry_counts_where_it_happened_and_is_marked() {
    let world = World::new().await;
    world.clock.set(at("2026-04-02T02:00:00Z"));
    let occur_time = Some(steward_kit::proto::to_timestamp(at("2026-03-20T02:00:00Z")));
    world.create(pb::CreateWorkOrderRequest { occur_time, ..world.complaint() }).await;
    let value = world.figure(defined("complaint_count")).await;
    assert_eq!((value.display.as_str(), value.late_entry_count), ("1", 1));
    let mut request = world.asks_for(vec![defined("complaint_count")]);
    request.period = month("2026-04-01", "2026-04-30");
    assert_eq!(world.compute(request).await.unwrap()[0].display, "0");
}

/// XC-20: what is due in a year that is not announced is left out, and said.
#[tokio::test]
async fn a_provisional_deadline_is_left_out_and_counted_apart() {
    let world = World::new().await;
    world.clock.set(at("2026-12-30T02:00:00Z"));
    // The jump over months makes partitions anew; what is written at that instant is told to come again.
    let report = world.complaint();
    let create = || async { world.orders().create_work_order(world.desk().asks(report.clone())).await.ok() };
    crate::world::eventually("the report is taken in", create).await;
    let mut request = world.asks_for(vec![defined("timely_rate.result")]);
    request.period = month("2027-01-01", "2027-01-31");
    world.clock.set(at("2027-01-31T02:00:00Z"));
    let value = world.compute(request).await.unwrap().swap_remove(0);
    assert_eq!((value.denominator, value.provisional_count), (0, 1));
}

/// F-17, F-18, F-19, F-20, WO-56: the same matter again, first contacts, suggestions, peaks.
#[tokio::test]
async fn repeats_first_contacts_suggestions_and_peaks_are_counted() {
    let world = World::new().await;
    // 09:00 in Shanghai.
    world.clock.set(at("2026-03-02T01:00:00Z"));
    let first = world.create(world.burst_pipe()).await.id;
    world.work_off(&first).await;
    world.close(&first, CloseCode::Resolved).await;
    assert_eq!(world.counted("first_contact_resolution").await, (0, 0), "the time to come again is not over");
    world.clock.set(at("2026-03-12T04:00:00Z"));
    world.create(world.burst_pipe()).await;
    assert_eq!(world.counted("repeat_rate").await, (1, 1), "the same household and category within 30 days");
    assert_eq!(world.counted("first_contact_resolution").await, (1, 1), "ten days later is another contact");
    assert_eq!(world.counted("peak_share").await, (1, 2));
    let other = world.another_unit().await;
    for days in [13, 14] {
        world.clock.set(at(&format!("2026-03-{days}T04:00:00Z")));
        world.create(pb::CreateWorkOrderRequest { unit_id: other.to_string(), ..world.burst_pipe() }).await;
    }
    world.clock.set(at("2026-03-20T04:00:00Z"));
    assert_eq!(world.counted("first_contact_resolution").await, (2, 3), "one household came again the next day");

    let suggestion = || pb::CreateWorkOrderRequest { kind: common::WorkOrderKind::Suggestion.into(), ..world.complaint() };
    let adopted = world.create(suggestion()).await.id;
    world.create(suggestion()).await;
    let assess = pb::AssessWorkOrderRequest {
        work_order_id: adopted.clone(),
        request_id: request_id(),
        plan: "we will".to_owned(),
        customer_informed: true,
        ..Default::default()
    };
    world.orders().assess_work_order(world.wang().asks(assess)).await.unwrap();
    world.work_off(&adopted).await;
    world.close(&adopted, CloseCode::Resolved).await;
    world.clock.set(at("2026-03-29T04:00:00Z"));
    assert_eq!(world.counted("suggestion_adoption_rate").await, (1, 1));
    assert_eq!(world.counted("collation_rate").await, (1, 2), "one lay for more than a week");
}
