//! Vectors beside those of the page: F-05c, what a campaign is complained of, and F-13b, who is lost; the numbers are those of plan 001.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use steward_kit::predicate::ask;
use steward_proto::care::v1::audience::Kind as AudienceKind;
use steward_proto::common::v1::{Channel, WorkOrderKind};
use steward_proto::customer::v1::exit_service_client::ExitServiceClient;
use steward_proto::customer::v1::tenure_service_client::TenureServiceClient;
use steward_proto::customer::v1::{EndTenureRequest, ExitKind, Household, ListTenuresRequest, RecordExitRequest};
use steward_proto::gateway::v1::intake_service_client::IntakeServiceClient;
use steward_proto::gateway::v1::{Reporter, SubmitReportRequest};
use steward_proto::metric::v1::MetricVerdict;
use steward_proto::work_order::v1::CausedBy;
use steward_proto::work_order::v1::caused_by::Cause;

use super::care::{PLAN, SPRING, document, message};
use super::register::Homes;
use super::{Caller, Ground, each, heard, id, part, reasons};

const YEAR: (&str, &str) = ("2026-01-01", "2026-12-31");

impl Ground {
    /// A complaint of a home, by its owner, that names the campaign.
    async fn complains(&self, desk: &Caller, home: &Household, campaign: &str) -> Result<()> {
        let request = SubmitReportRequest {
            request_id: id(),
            channel: Channel::Hotline.into(),
            estate_id: home.estate_id.clone(),
            unit_id: home.unit_id.clone(),
            reporter: Some(Reporter { customer_id: home.main_contact_customer_id.clone(), ..Reporter::default() }),
            kind: WorkOrderKind::Complaint.into(),
            text: "装修期间一直推销建材".to_owned(),
            caused_by: Some(CausedBy { cause: Some(Cause::CampaignCode(campaign.to_owned())) }),
            ..SubmitReportRequest::default()
        };
        // The unit is on its way to work-order.
        let answer = heard(|| {
            let (mut intake, request) = (IntakeServiceClient::new(self.gateway.clone()), desk.asks(request.clone()));
            async move { intake.submit_report(request).await }
        });
        answer.await?;
        Ok(())
    }

    /// The owner of a home leaves on a day.
    async fn leaves(&self, desk: &Caller, home: &Household, day: &str, kind: ExitKind) -> Result<()> {
        let mut tenures = TenureServiceClient::new(self.gateway.clone());
        let list = ListTenuresRequest { unit_id: home.unit_id.clone(), ..Default::default() };
        let held = tenures.list_tenures(desk.asks(list)).await?.into_inner().tenures.into_iter().next().context("a tenure")?;
        let (to_date, exit_kind) = (day.to_owned(), kind.into());
        let end = EndTenureRequest { request_id: id(), tenure_id: held.id, etag: String::new(), to_date, exit_kind };
        tenures.end_tenure(desk.asks(end)).await?;
        Ok(())
    }
}

/// F-05c, WO-67: of 100 customers whom a campaign reached 23 complained of it, 23.0 %; another complaint of one of them, of somebody
/// whom it did not reach, and of another campaign add nothing. F-13b, CP-48: of 1,000 customers on record when the year began 23 were
/// lost, 2.3 %; 40 moved house or sold, which the plan does not count.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_three_of_a_hundred_complain_and_twenty_three_of_a_thousand_leave_on_the_board() -> Result<()> {
    let ground = Ground::open("2026-03-30T01:00:00Z").await?;
    let estate = ground.estate("JX-13", PLAN).await?;
    ground.import(&estate, &[Homes::lived_in(1, 100), Homes::lived_in(2, 900)], 0).await?;
    let readers = AudienceKind::Predicate(ask::equals("unit.building_code", ["1"]));
    ground.publish(&estate, "materials", document(message("service", readers))).await?;
    let households = ground.households(&estate).await?;
    let of_building = |building: &str| {
        let prefix = format!("{building}-");
        households.iter().filter(|household| household.unit_full_code.starts_with(&prefix)).collect::<Vec<_>>()
    };
    let (reached, others) = (of_building("1"), of_building("2"));
    ensure!((reached.len(), others.len()) == (100, 900), "{} and {} homes", reached.len(), others.len());
    let desks = ground.crowd("customer_service", &estate)?;

    ground.set("2026-04-01T01:00:00Z")?;
    let of_campaign = (PLAN, "campaign_complaint_rate");
    let value = ground.figure_when(&estate, SPRING, of_campaign, |value| value.denominator == 100).await?;
    assert_eq!((value.numerator, value.display.as_str()), (0, "0.0"), "reached, and nobody has complained");
    ground.advance(60);
    each(reached[..23].iter().enumerate(), |(at, home)| ground.complains(&desks[at % 40], home, "materials")).await?;
    for (home, campaign) in [(reached[0], "materials"), (others[0], "materials"), (reached[99], "spring-letter")] {
        ground.complains(&desks[0], home, campaign).await?;
    }
    let not_delivered = |value: &steward_proto::metric::v1::MetricValue| part(value, "not_delivered").map(|part| part.numerator);
    let value = ground.figure_when(&estate, SPRING, of_campaign, |value| value.numerator >= 23 && not_delivered(value) == Some(1)).await?;
    assert_eq!((value.numerator, value.denominator, value.n, value.display.as_str()), (23, 100, 100, "23.0"));
    assert_eq!((value.formula.as_str(), value.verdict()), ("F-05c", MetricVerdict::NoTarget));
    assert_eq!(value.reference, "alert at 23%", "001 tells it and sets no target");
    let (_, rows) = ground.rows(&estate, SPRING, PLAN, of_campaign.1).await?;
    assert_eq!((reasons(&rows, "complained"), reasons(&rows, "delivered"), reasons(&rows, "not_delivered")), (23, 77, 1));
    let complained: BTreeSet<&str> = rows.iter().filter(|row| row.reason_code == "complained").map(|row| row.subject_id.as_str()).collect();
    assert_eq!(complained, reached[..23].iter().map(|home| home.main_contact_customer_id.as_str()).collect());

    let kinds = [ExitKind::MovedOut, ExitKind::Sold, ExitKind::CommercialTenantLeft, ExitKind::CorporateClientLeft];
    let leavers = others[..53].iter().enumerate().map(|(at, home)| (at, home, kinds[usize::from(at >= 40) * 2 + at % 2]));
    each(leavers, |(at, home, kind)| ground.leaves(&desks[at % 40], home, "2026-03-31", kind)).await?;
    each(others[53..63].iter().enumerate(), |(at, home)| {
        let kind = if at % 2 == 0 { ExitKind::SubscriptionCancelled } else { ExitKind::ClubLapsed };
        let record = RecordExitRequest {
            request_id: id(),
            estate_id: estate.clone(),
            customer_id: home.main_contact_customer_id.clone(),
            kind: kind.into(),
            exit_date: "2026-03-31".to_owned(),
            cause_work_order_ids: Vec::new(),
        };
        let (mut exits, request) = (ExitServiceClient::new(ground.gateway.clone()), ground.operations.asks(record));
        async move { Ok(exits.record_exit(request).await?) }
    })
    .await?;
    let value = ground.figure(&estate, YEAR, PLAN, "churn_rate").await?;
    assert_eq!((value.numerator, value.denominator, value.n, value.display.as_str()), (23, 1000, 1000, "2.3"));
    assert_eq!((value.formula.as_str(), value.reference.as_str()), ("F-13b", "8.7% -> 2.3%"));
    assert_eq!(part(&value, "natural_exit").map(|part| part.numerator), Some(40));
    let (_, rows) = ground.rows(&estate, YEAR, PLAN, "churn_rate").await?;
    assert_eq!((reasons(&rows, "lost"), reasons(&rows, "natural_exit"), reasons(&rows, "active")), (23, 40, 937));
    ground.house.close().await
}
