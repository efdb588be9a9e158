//! Figures beside the targets that plans set, and who is behind a miss.

use steward_proto::metric::v1 as metric;
use steward_proto::work_order::v1::CallbackOutcome;

use crate::metrics::defined;
use crate::world::{World, at};

fn at_least(percent: i64) -> Option<metric::MetricTarget> {
    Some(metric::MetricTarget { direction: metric::MetricDirection::AtLeast.into(), numerator: percent, denominator: 100 })
}

/// WO-33: of twelve complaints whose result was due one was late: 91.7 %, below the 100 % of the plan, and the list names it.
#[tokio::test]
async fn one_late_complaint_is_named_behind_the_figure() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for _ in 0..12 {
        ids.push(world.create(world.complaint()).await.id);
    }
    for id in &ids[1..] {
        world.work_off(id).await;
    }
    // Long after every due time of the month: the first one is worked off late.
    world.clock.set(at("2026-03-28T02:00:00Z"));
    world.work_off(&ids[0]).await;
    let definition = metric::MetricDefinition { target: at_least(100), ..defined("complaint_timely_rate") };
    let value = world.figure(definition.clone()).await;
    assert_eq!((value.numerator, value.denominator), (11, 12));
    assert_eq!(value.verdict(), metric::MetricVerdict::Missed);
    let explained = world.explained(definition).await;
    let late: Vec<&str> = explained.rows.iter().filter(|row| row.reason_code == "late").map(|row| row.subject_id.as_str()).collect();
    assert_eq!(late, [ids[0].as_str()]);
}

/// WO-34: nine of ten who had a repair are satisfied: 90.0 % meets the 90 % of the plan; a tenth dissatisfied one would not.
#[tokio::test]
async fn nine_of_ten_satisfied_with_a_repair_meet_ninety_per_cent() {
    let world = World::new().await;
    let definition = metric::MetricDefinition { target: at_least(90), ..defined("repair_csat_rate") };
    for turn in 0..11 {
        // One answer counts a household: each has a unit of its own.
        let unit = world.another_unit().await;
        let mut report = world.burst_pipe();
        report.unit_id = unit.to_string();
        let id = world.create(report).await.id;
        world.work_off(&id).await;
        let score = if turn == 9 || turn == 10 { 3 } else { 5 };
        world.call_back(&id, CallbackOutcome::Reached, score).await;
        if turn == 9 {
            let value = world.figure(definition.clone()).await;
            assert_eq!((value.numerator, value.denominator, value.verdict()), (9, 10, metric::MetricVerdict::Met));
        }
    }
    let value = world.figure(definition).await;
    assert_eq!((value.numerator, value.denominator, value.verdict()), (9, 11, metric::MetricVerdict::Missed));
}
