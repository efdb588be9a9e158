//! Promises to the second: warnings, breaches, escalation, pauses, and how a due time came about.

use steward_proto::common::v1 as common;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::{ClockIntervalKind, ClockState, Verdict};

use crate::world::{World, at, clock, eventually, request_id, time};

/// WO-12: reported at 02:00, unanswered: the breach is of 02:15:00, whenever it was noticed.
#[tokio::test]
async fn an_l1_order_at_0200_is_late_at_0215_exactly() {
    let world = World::new().await;
    let id = world.create(world.burst_pipe()).await.id;
    world.advance(15);
    let breach = eventually("the breach", || async { world.facts(&id).await.into_iter().find(|(kind, _)| kind == "ClockBreached") }).await;
    assert_eq!(breach.1, at("2026-03-01T18:15:00Z"));
    let order = world.get(&id).await;
    let response = clock(&order, "first_response", 1);
    assert_eq!((response.verdict(), response.state(), response.last_step_percent), (Verdict::Late, ClockState::Running, 100));
    // The warnings before it were told at their own times.
    let warned: Vec<_> = world.facts(&id).await.into_iter().filter(|(kind, _)| kind == "ClockWarned").map(|(_, time)| time).collect();
    assert!(warned.contains(&at("2026-03-01T18:07:30Z")) && warned.contains(&at("2026-03-01T18:12:00Z")), "{warned:?}");
}

/// WO-44: down from 99 % of the limit until long after it; each step is taken once, at its own time.
#[tokio::test]
async fn steps_missed_while_down_are_taken_once_after_the_restart() {
    let mut world = World::new().await;
    let id = world.create(world.burst_pipe()).await.id;
    world.advance(14);
    eventually("the warning of 80 %", || async { (world.count_facts(&id, "ClockWarned").await >= 2).then_some(()) }).await;
    world.stop().await;
    world.advance(20);
    world.start().await;
    eventually("the escalation of 150 %", || async {
        let escalated =
            world.facts(&id).await.into_iter().any(|(kind, time)| kind == "WorkOrderEscalated" && time == at("2026-03-01T18:22:30Z"));
        escalated.then_some(())
    })
    .await;
    // A second restart finds nothing left to do.
    world.stop().await;
    world.start().await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let facts = world.facts(&id).await;
    let times = |wanted: &str, at_time: &str| facts.iter().filter(|(kind, time)| kind == wanted && *time == at(at_time)).count();
    assert_eq!(times("ClockBreached", "2026-03-01T18:15:00Z"), 1, "{facts:?}");
    assert_eq!(times("WorkOrderEscalated", "2026-03-01T18:22:30Z"), 1, "{facts:?}");
}

/// WO-43: a suspension pauses the clocks that the policy names for its reason, and no other.
#[tokio::test]
async fn a_suspension_pauses_only_the_clocks_named_for_its_reason() {
    let world = World::new().await;
    let mut leak = world.burst_pipe();
    leak.description = "水龙头漏水".to_owned();
    let id = world.create(leak).await.id;
    world.assign(&id, "wang").await.unwrap();
    world.advance(10);
    let suspend = |reason: common::SuspensionReason| {
        let request = pb::SuspendWorkOrderRequest {
            work_order_id: id.clone(),
            request_id: request_id(),
            reason: reason.into(),
            ..Default::default()
        };
        let (mut orders, wang) = (world.orders(), world.wang());
        async move { orders.suspend_work_order(wang.asks(request)).await.unwrap().into_inner().work_order.unwrap() }
    };
    let resume = || {
        let request = pb::ResumeWorkOrderRequest { work_order_id: id.clone(), request_id: request_id(), etag: String::new() };
        let (mut orders, wang) = (world.orders(), world.wang());
        async move { orders.resume_work_order(wang.asks(request)).await.unwrap().into_inner().work_order.unwrap() }
    };
    // The plan's `arrive` waits for customers, not for parts.
    let order = suspend(common::SuspensionReason::Parts).await;
    assert!(order.suspension.is_some());
    assert_eq!(clock(&order, "arrive", 1).state(), ClockState::Running);
    world.advance(2);
    let order = resume().await;
    assert!(order.suspension.is_none());
    assert_eq!(time(clock(&order, "arrive", 1).due_time.as_ref()), at("2026-03-01T20:00:00Z"));

    let order = suspend(common::SuspensionReason::Customer).await;
    let arrive = clock(&order, "arrive", 1);
    assert_eq!((arrive.state(), arrive.due_time.as_ref()), (ClockState::Paused, None));
    assert_eq!(clock(&order, "contact_customer", 1).state(), ClockState::Running);
    world.advance(300);
    let order = resume().await;
    assert_eq!(time(clock(&order, "arrive", 1).due_time.as_ref()), at("2026-03-02T01:00:00Z"), "five hours later");

    let explain = pb::ExplainClockRequest { work_order_id: id.clone(), clock: "arrive".to_owned(), cycle: 0 };
    let answer = world.orders().explain_clock(world.desk().asks(explain)).await.unwrap().into_inner();
    let pause = answer.intervals.iter().find(|interval| interval.kind() == ClockIntervalKind::Paused).expect("the pause is shown");
    assert_eq!(time(pause.to_time.as_ref()).duration_since(time(pause.from_time.as_ref())).as_hours(), 5);
    for pair in answer.intervals.windows(2) {
        assert_eq!(pair[0].to_time, pair[1].from_time, "without gaps");
    }
    assert_eq!((answer.policy_scope.as_str(), answer.policy_version), ("estate", 1));
    assert_eq!(answer.steps.last().map(|step| step.percent), Some(150));
}

/// WO-73: L2 becomes L1 after 20 minutes: 15 minutes from the receipt are over.
#[tokio::test]
async fn a_reclassification_counts_from_the_receipt() {
    let world = World::new().await;
    let mut report = world.burst_pipe();
    report.description = "楼道打扫不干净".to_owned();
    let order = world.create(report).await;
    assert_eq!(order.urgency(), common::Urgency::L2);
    world.advance(20);
    let classify = pb::ClassifyWorkOrderRequest {
        work_order_id: order.id.clone(),
        request_id: request_id(),
        category: "plumbing.burst_pipe".to_owned(),
        urgency: common::Urgency::L1.into(),
        reason: "water_seen".to_owned(),
        ..Default::default()
    };
    let order = world.orders().classify_work_order(world.desk().asks(classify)).await.unwrap().into_inner().work_order.unwrap();
    let response = clock(&order, "first_response", 1);
    assert_eq!((response.verdict(), response.breach_reason.as_str()), (Verdict::Late, "reclassified"));
    assert_eq!(time(response.due_time.as_ref()), at("2026-03-01T18:15:00Z"));
}
