//! SV-32: reports that are owed by a day of the year.

use jiff::SignedDuration;
use steward_proto::common::v1 as common;
use steward_proto::plan::v1 as plan;
use steward_proto::survey::v1 as pb;

use crate::words::time;
use crate::world::{World, eventually, request_id};

/// SV-32, SV-33
#[tokio::test]
async fn on_its_day_the_draft_of_a_report_is_there_once_with_what_is_late() {
    let world = World::of(0).await;
    let due = common::Span { value: 10, unit: common::Unit::Day.into(), calendar: "civil".to_owned() };
    let term = plan::SurveyReportTerm { report: plan::SurveyReport::MidYear.into(), month: 7, day: 10, due: Some(due) };
    world.estate_policy(plan::SurveyPolicy { reports: vec![term], ..Default::default() }).await;
    let measure = pb::Measure {
        code: "train".to_owned(),
        text: "培训".to_owned(),
        owner: "x".to_owned(),
        due_date: "2026-07-05".to_owned(),
        ..Default::default()
    };
    let create = pb::CreateImprovementPlanRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        title: "t".to_owned(),
        owner: "x".to_owned(),
        document_ref: "d".to_owned(),
        measures: vec![measure],
        ..Default::default()
    };
    let manager = world.manager();
    let plan = world.improvements().create_improvement_plan(manager.asks(create)).await.unwrap().into_inner().improvement_plan.unwrap();
    let submit = pb::SubmitImprovementPlanRequest { request_id: request_id(), improvement_plan_id: plan.id.clone(), etag: String::new() };
    world.improvements().submit_improvement_plan(manager.asks(submit)).await.unwrap();

    let list = async || {
        let list = pb::ListReportsRequest { estate_id: world.estate.to_string(), ..Default::default() };
        world.reports().list_reports(manager.asks(list)).await.unwrap().into_inner().reports
    };
    assert!(list().await.is_empty());
    world.clock.advance(SignedDuration::from_hours(24 * 10));
    let report = eventually("the draft", || async { list().await.into_iter().next() }).await;
    assert_eq!((report.kind(), report.state(), report.is_late), (pb::ReportKind::MidYear, pb::ReportState::Draft, false));
    assert_eq!(time(report.due_time.as_ref()).to_string(), "2026-07-20T16:00:00Z");
    assert_eq!(report.overdue_measures[0].measure_code, "train");
    world.advance(3);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!((list().await.len(), world.facts("ReportDue").await), (1, 1), "it is made once");

    let submit = pb::SubmitReportRequest {
        request_id: request_id(),
        report_id: report.id.clone(),
        etag: report.etag.clone(),
        document_ref: "doc/monitoring".to_owned(),
    };
    let submitted = world.reports().submit_report(manager.asks(submit)).await.unwrap().into_inner().report.unwrap();
    assert_eq!((submitted.state(), submitted.is_late), (pb::ReportState::Submitted, false));
}
