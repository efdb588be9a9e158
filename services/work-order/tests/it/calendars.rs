//! Deadlines before anything exists, and official years as data.

use jiff::Timestamp;
use steward_proto::common::v1 as common;
use steward_proto::plan::v1 as plan;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::{CalendarYearState, ClockState};
use tonic::Code;

use crate::world::{World, at, eventually, new_version, refused, request_id, time};

pub(crate) fn span(value: u32, unit: common::Unit, calendar: &str) -> common::Span {
    common::Span { value, unit: unit.into(), calendar: calendar.to_owned() }
}

pub(crate) async fn due(world: &World, start: &str, span: common::Span) -> (Timestamp, Vec<i32>) {
    let start: jiff::Zoned = format!("{start}[Asia/Shanghai]").parse().unwrap();
    let request = pb::ComputeDueTimeRequest {
        estate_id: world.estate.to_string(),
        start_time: Some(steward_kit::proto::to_timestamp(start.timestamp())),
        span: Some(span),
    };
    let answer = world.orders().compute_due_time(world.desk().asks(request)).await.unwrap().into_inner();
    let first = answer.intervals.first().expect("intervals are given");
    let last = answer.intervals.last().expect("intervals are given");
    assert_eq!((time(first.from_time.as_ref()), &last.to_time), (start.timestamp(), &answer.due_time));
    (time(answer.due_time.as_ref()), answer.provisional_years)
}

/// XC-20, XC-21, XC-22, XC-23: every vector of the published calendar.
#[tokio::test]
async fn due_times_agree_with_every_published_vector() {
    let world = World::new().await;
    let (wd, day, month) = (common::Unit::WorkingDay, common::Unit::Day, common::Unit::Month);
    let end = |date: &str| format!("{date}T00:00[Asia/Shanghai]").parse::<jiff::Zoned>().unwrap().tomorrow().unwrap().timestamp();
    for (received, limit, last_day) in [
        ("2026-02-13T09:30", span(3, wd, "working"), "2026-02-25"),
        ("2026-02-14T23:59", span(3, wd, "working"), "2026-02-26"),
        ("2026-02-16T00:00", span(3, wd, "working"), "2026-02-26"),
        ("2026-02-24T12:00", span(5, wd, "working"), "2026-03-02"),
        ("2026-03-01T08:00", span(7, day, "civil"), "2026-03-08"),
        ("2025-11-30T10:00", span(3, month, "civil"), "2026-02-28"),
    ] {
        assert_eq!(due(&world, received, limit.clone()).await, (end(last_day), vec![]), "{received} {limit:?}");
    }
    // Minutes and hours run around the clock.
    let minutes = span(15, common::Unit::Minute, "24x7");
    assert_eq!(due(&world, "2026-02-16T23:50", minutes).await.0, at("2026-02-16T16:05:00Z"));
}

#[tokio::test]
async fn an_unknown_calendar_is_refused() {
    let world = World::new().await;
    let compute = |span| pb::ComputeDueTimeRequest { estate_id: world.estate.to_string(), start_time: None, span: Some(span) };
    for bad in [span(4, common::Unit::Hour, "business"), span(3, common::Unit::WorkingDay, "24x7")] {
        let answer = world.orders().compute_due_time(world.desk().asks(compute(bad))).await;
        refused(answer, Code::InvalidArgument, "CALENDAR_UNKNOWN");
    }
}

/// XC-20: a year not announced is a state; loading it recomputes what rested on the weekend rule.
#[tokio::test]
async fn loading_a_year_recomputes_provisional_deadlines() {
    let world = World::new().await;
    load_long_limit(&world).await;
    let order = world.create(world.burst_pipe()).await;
    let before = crate::world::clock(&order, "result_feedback", 1).clone();
    assert!(before.provisional && before.state() == ClockState::Running);

    let years = list(&world).await;
    let state = |year| years.iter().find(|known| known.year == year).map(pb::CalendarYear::state);
    assert_eq!(state(2026), Some(CalendarYearState::Announced));
    assert_eq!(state(2027), Some(CalendarYearState::NotAnnounced));
    assert_eq!(years.iter().find(|known| known.year == 2026).map(|known| known.working_day_count), Some(248));

    let load = pb::LoadCalendarYearRequest { request_id: request_id(), document_json: YEAR_2027.to_owned() };
    let loaded = world.calendars().load_calendar_year(world.operations().asks(load.clone())).await.unwrap().into_inner();
    assert_eq!(loaded.calendar_year.as_ref().map(pb::CalendarYear::state), Some(CalendarYearState::Announced));
    let again = world.calendars().load_calendar_year(world.operations().asks(load)).await.unwrap().into_inner();
    assert_eq!(loaded, again);
    let after = eventually("the recomputation", || async {
        let order = world.get(&order.id).await;
        Some(crate::world::clock(&order, "result_feedback", 1).clone()).filter(|clock| !clock.provisional)
    })
    .await;
    assert!(time(after.due_time.as_ref()) > time(before.due_time.as_ref()), "the holidays of 2027 do not count");
    assert_eq!(list(&world).await.last().map(|year| year.source.clone()), Some("loaded".to_owned()).filter(|_| true));
}

/// Every report of the estate gets a limit of 250 working days, which reaches into 2027.
pub(crate) async fn load_long_limit(world: &World) {
    let rule = plan::ClockRule {
        clock: "result_feedback".to_owned(),
        start_on: plan::Milestone::Received.into(),
        stop_on: vec![plan::Milestone::Completed.into()],
        limit: Some(span(250, common::Unit::WorkingDay, "working")),
        ..Default::default()
    };
    let sla = plan::SlaPolicy { clock_rules: vec![rule], ..Default::default() };
    let document = plan::policy_document::Document::Sla(sla);
    let version = new_version(plan::PolicyScopeLevel::Estate, &world.estate.to_string(), document, "");
    world.policies().create_policy_version(world.operations().asks(version)).await.unwrap();
}

/// A manager of one estate does not set the nation's calendar.
#[tokio::test]
async fn a_year_is_loaded_by_those_who_reach_every_estate() {
    let world = World::new().await;
    let load = |document: &str| pb::LoadCalendarYearRequest { request_id: request_id(), document_json: document.to_owned() };
    let manager = world.staff("li", "estate_manager");
    let answer = world.calendars().load_calendar_year(manager.asks(load(YEAR_2027))).await;
    refused(answer, Code::PermissionDenied, "PERMISSION_DENIED");
    let answer = world.calendars().load_calendar_year(world.operations().asks(load("{}"))).await;
    refused(answer, Code::InvalidArgument, "POLICY_INVALID");
}

pub(crate) async fn list(world: &World) -> Vec<pb::CalendarYear> {
    let request = pb::ListCalendarYearsRequest::default();
    world.calendars().list_calendar_years(world.desk().asks(request)).await.unwrap().into_inner().calendar_years
}

/// Made up for this test: the days by law, and no make-up days.
pub(crate) const YEAR_2027: &str = r#"{
  "year": 2027,
  "papers": ["https://example.org/notice-2027"],
  "days": [
    {"name": "元旦", "date": "2027-01-01", "isOffDay": true},
    {"name": "春节", "date": "2027-02-06", "isOffDay": true},
    {"name": "春节", "date": "2027-02-07", "isOffDay": true},
    {"name": "春节", "date": "2027-02-08", "isOffDay": true},
    {"name": "春节", "date": "2027-02-09", "isOffDay": true},
    {"name": "清明节", "date": "2027-04-05", "isOffDay": true},
    {"name": "劳动节", "date": "2027-05-01", "isOffDay": true},
    {"name": "端午节", "date": "2027-06-09", "isOffDay": true},
    {"name": "中秋节", "date": "2027-09-15", "isOffDay": true},
    {"name": "国庆节", "date": "2027-10-01", "isOffDay": true},
    {"name": "国庆节", "date": "2027-10-02", "isOffDay": true},
    {"name": "国庆节", "date": "2027-10-03", "isOffDay": true}
  ]
}"#;
