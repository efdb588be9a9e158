//! A year that is loaded again, and a year of a region: firm deadlines move too, and verdicts are corrected.

use steward_kit::calendar::{Calendars, YearState};
use steward_proto::common::v1 as common;
use steward_proto::plan::v1 as plan;
use steward_proto::plan::v1::policy_document::Document;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::Verdict;
use uuid::Uuid;

use crate::calendars::{list, span};
use crate::world::{World, at, clock, eventually, new_version, request_id, time};

/// 2026 as it ships, with one day off more.
pub(crate) fn year_with(date: &str, region: Option<Uuid>) -> pb::LoadCalendarYearRequest {
    let mut document = match Calendars::shipped().years().state(2026) {
        YearState::Announced(year) => year.to_json(),
        YearState::NotAnnounced => panic!("2026 ships"),
    };
    if let Some(region) = region {
        document["region"] = serde_json::json!(region.to_string());
    }
    document["days"].as_array_mut().unwrap().push(serde_json::json!({ "name": "加", "date": date, "isOffDay": true }));
    pb::LoadCalendarYearRequest { request_id: request_id(), document_json: document.to_string() }
}

/// Every report gets a limit of one working day for being assigned.
pub(crate) async fn one_working_day(world: &World) {
    let rule = plan::ClockRule {
        clock: "dispatch".to_owned(),
        start_on: plan::Milestone::Received.into(),
        stop_on: vec![plan::Milestone::Assigned.into()],
        limit: Some(span(1, common::Unit::WorkingDay, "working")),
        ..Default::default()
    };
    let sla = plan::SlaPolicy { clock_rules: vec![rule], ..Default::default() };
    let version = new_version(plan::PolicyScopeLevel::Estate, &world.estate.to_string(), Document::Sla(sla), "");
    world.policies().create_policy_version(world.operations().asks(version)).await.unwrap();
}

pub(crate) async fn dispatch(world: &World, order: &pb::WorkOrder) -> pb::Clock {
    clock(&world.get(&order.id).await, "dispatch", 1).clone()
}

/// XC-20: a correction of a year moves deadlines that were firm, and corrects the verdicts of clocks that have stopped.
#[tokio::test]
async fn a_year_loaded_again_moves_firm_deadlines_and_corrects_verdicts() {
    let world = World::new().await;
    one_working_day(&world).await;
    let (open, stopped) = (world.create(world.burst_pipe()).await, world.create(world.burst_pipe()).await);
    // Received on Monday: due at the end of Tuesday. Assigned on Wednesday at 10:00.
    assert_eq!(time(dispatch(&world, &open).await.due_time.as_ref()), at("2026-03-03T16:00:00Z"));
    world.advance(56 * 60);
    world.assign(&stopped.id, "wang").await.unwrap();
    assert_eq!(dispatch(&world, &stopped).await.verdict(), Verdict::Late);

    // Tuesday turns out to have been a holiday.
    world.calendars().load_calendar_year(world.operations().asks(year_with("2026-03-03", None))).await.unwrap();
    for order in [&open, &stopped] {
        eventually("the recomputation", || async {
            let clock = dispatch(&world, order).await;
            (time(clock.due_time.as_ref()) == at("2026-03-04T16:00:00Z")).then_some(())
        })
        .await;
    }
    assert_eq!(dispatch(&world, &stopped).await.verdict(), Verdict::Kept);
    assert_eq!(dispatch(&world, &open).await.verdict(), Verdict::Unspecified, "it can still be kept");
    let corrected = world.history(&stopped.id).await;
    assert_eq!(corrected.iter().filter(|entry| entry.action == "clock_corrected").count(), 1);
}

/// XC-20: a region's document is listed, and moves the deadlines of its estates only.
#[tokio::test]
async fn a_year_of_a_region_is_listed_and_moves_its_estates_only() {
    let world = World::new().await;
    one_working_day(&world).await;
    let order = world.create(world.burst_pipe()).await;
    let region: Uuid =
        sqlx::query_scalar("SELECT region_id FROM work_order.estates WHERE id = $1").bind(world.estate).fetch_one(&world.db).await.unwrap();
    let load = |region| world.operations().asks(year_with("2026-03-03", Some(region)));
    let elsewhere = Uuid::now_v7();
    world.calendars().load_calendar_year(load(elsewhere)).await.unwrap();
    let answer = world.calendars().load_calendar_year(load(region)).await.unwrap().into_inner().calendar_year.unwrap();
    assert_eq!((answer.region, answer.working_day_count), (region.to_string(), 247));
    eventually("the recomputation", || async {
        (time(dispatch(&world, &order).await.due_time.as_ref()) == at("2026-03-04T16:00:00Z")).then_some(())
    })
    .await;
    let recomputed = world.history(&order.id).await;
    assert_eq!(recomputed.iter().filter(|entry| entry.action == "clock_recomputed").count(), 1, "not for the other region");

    let years = list(&world).await;
    let of_2026: Vec<(&str, i32)> =
        years.iter().filter(|year| year.year == 2026).map(|year| (year.region.as_str(), year.working_day_count)).collect();
    let mut regions = [(elsewhere.to_string(), 247), (region.to_string(), 247)];
    regions.sort();
    let mut expected = vec![("", 248)];
    expected.extend(regions.iter().map(|(region, count)| (region.as_str(), *count)));
    assert_eq!(of_2026, expected);
}
