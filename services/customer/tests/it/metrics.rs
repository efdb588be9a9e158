//! The figures that customer owns, and the rows behind them.

use anyhow::{Context, Result};
use steward_harness::Claims;
use steward_proto::customer::v1 as pb;
use steward_proto::metric::v1 as metric;
use tonic::{Code, Status};

use crate::world::{Caller, World, person, refusal, request_id, violations};
use pb::TenureRole::{Owner, Tenant};

const DUPLICATES: &str = "data_quality_dup_rate";
const COMPLETENESS: &str = "data_quality_completeness";

fn definition(metric_id: &str) -> metric::MetricDefinition {
    metric::MetricDefinition { metric_id: metric_id.to_owned(), version: 1, ..Default::default() }
}

fn days(from: &str, to: &str) -> Option<metric::MetricPeriod> {
    Some(metric::MetricPeriod { from_date: from.to_owned(), to_date: to.to_owned() })
}

fn june() -> Option<metric::MetricPeriod> {
    days("2026-06-01", "2026-06-30")
}

async fn compute(caller: &Caller, estates: &[&pb::Estate], ids: &[&str]) -> Result<Vec<metric::MetricValue>, Status> {
    let request = metric::ComputeMetricsRequest {
        estate_ids: estates.iter().map(|estate| estate.id.clone()).collect(),
        period: june(),
        plan_code: "process-template".into(),
        definitions: ids.iter().map(|id| definition(id)).collect(),
        ..Default::default()
    };
    Ok(caller.metrics().compute_metrics(caller.ask(request)).await?.into_inner().values)
}

fn explain(estate: &pb::Estate, metric_id: &str, page_size: i32, page_token: &str) -> metric::ExplainMetricRequest {
    metric::ExplainMetricRequest {
        estate_id: estate.id.clone(),
        period: june(),
        metric_id: metric_id.to_owned(),
        definition: Some(definition(metric_id)),
        page_size,
        page_token: page_token.to_owned(),
        ..Default::default()
    }
}

/// Every row behind a figure, page by page.
async fn rows(caller: &Caller, estate: &pb::Estate, metric_id: &str) -> Result<Vec<metric::MetricRow>, Status> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let answer = caller.metrics().explain_metric(caller.ask(explain(estate, metric_id, 40, &token))).await?.into_inner();
        all.extend(answer.rows);
        token = answer.next_page_token;
        if token.is_empty() {
            return Ok(all);
        }
    }
}

async fn erase(world: &World, customer: &pb::Customer) -> Result<()> {
    let officer = world.privacy_officer();
    let request = pb::EraseCustomerRequest {
        request_id: request_id(),
        customer_id: customer.id.clone(),
        basis: pb::ErasureBasis::PersonRequest.into(),
        reason: "asked to be forgotten".into(),
        ..Default::default()
    };
    officer.customers().erase_customer(officer.ask(request)).await?;
    Ok(())
}

/// CP-02: 100 customers, 4 duplicates → 4.0 %. Who was erased counts nowhere, and the same phone in another estate is no
/// duplicate. The rows explain the figure.
#[tokio::test]
async fn four_of_a_hundred_records_are_duplicates() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let (estate, other) = (ops.estate("JX").await?, ops.estate("BJ").await?);
    for n in 0..100 {
        ops.person(&estate, "王芳", &format!("199000{:05}", n % 96)).await?;
    }
    ops.person(&other, "李雷", "19900000000").await?;
    let forgotten = ops.person(&estate, "韩梅", "19900000001").await?;
    erase(&world, &forgotten).await?;

    let values = compute(&ops, &[&estate, &other], &[DUPLICATES]).await?;
    let shown: Vec<_> = values.iter().map(|value| (value.numerator, value.denominator, value.display.as_str())).collect();
    assert_eq!(shown, [(4, 100, "4.0"), (0, 1, "0.0"), (4, 101, "4.0")], "each estate, and all of them");
    assert_eq!((values[0].estate_id.as_str(), values[2].estate_id.as_str()), (estate.id.as_str(), ""));
    assert_eq!(values[0].parts.iter().find(|part| part.code == "erased").map(|part| part.numerator), Some(1));

    let rows = rows(&ops, &estate, DUPLICATES).await?;
    assert_eq!(rows.len(), 101);
    assert_eq!(rows.iter().filter(|row| row.in_numerator && row.reason_code == "same_phone").count(), 4);
    assert_eq!(rows.iter().filter(|row| row.in_denominator).count(), 100);
    let out = rows.iter().find(|row| !row.in_denominator).context("the erased one")?;
    assert_eq!((&out.subject_id, &out.subject_number, out.reason_code.as_str()), (&forgotten.id, &forgotten.number, "erased"));
    Ok(())
}

/// CP-02, CP-53: a household's file has an owner and somebody who can be reached; tenures count on the period's last day.
#[tokio::test]
async fn a_file_without_a_living_contact_is_incomplete() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let mut units = Vec::new();
    for code in ["101", "102", "103", "104", "105"] {
        units.push(ops.unit(&estate, code).await?);
    }
    let (owner, tenant) = (ops.person(&estate, "王芳", "19900000001").await?, ops.person(&estate, "李雷", "19900000002").await?);
    let silent = ops.customers().create_customer(ops.ask(person(&estate, "韩梅"))).await?.into_inner().customer.context("a customer")?;
    ops.tenure(&units[0], &owner, Owner, ("2020-01-01", "")).await?;
    ops.tenure(&units[1], &tenant, Tenant, ("2020-01-01", "")).await?;
    ops.tenure(&units[2], &silent, Owner, ("2020-01-01", "")).await?;
    ops.tenure(&units[3], &owner, Owner, ("2020-01-01", "2026-06-09")).await?;
    let ahead = pb::UpdateUnitRequest {
        request_id: request_id(),
        unit_id: units[4].id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["delivery_date".into()] }),
        delivery_date: "2026-12-01".into(),
        ..Default::default()
    };
    ops.units().update_unit(ops.ask(ahead)).await?;

    let values = compute(&ops, &[&estate], &[COMPLETENESS]).await?;
    assert_eq!((values[0].numerator, values[0].denominator, values[0].display.as_str()), (1, 4, "25.0"));
    let mut reasons: Vec<_> =
        rows(&ops, &estate, COMPLETENESS).await?.into_iter().map(|row| (row.subject_number, row.reason_code)).collect();
    reasons.sort();
    let told: Vec<_> = reasons.iter().map(|(number, reason)| (number.as_str(), reason.as_str())).collect();
    let wanted = ["complete", "no_owner", "unreachable", "no_member", "not_delivered"];
    let expected: Vec<_> = units.iter().map(|unit| unit.full_code.as_str()).zip(wanted).collect();
    assert_eq!(told, expected);
    Ok(())
}

/// F-13a, F-13b: nobody was there when the year began, which is no data, never 0. GR-20
#[tokio::test]
async fn churn_of_nobody_is_no_data() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let values = compute(&ops, &[&estate], &["estate_churn", "churn_rate", DUPLICATES, COMPLETENESS]).await?;
    assert_eq!(values.len(), 8);
    for value in &values {
        let seen = (value.verdict(), value.n, value.denominator, value.display.as_str());
        assert_eq!(seen, (metric::MetricVerdict::NoData, 0, 0, ""), "{}", value.metric_id);
    }
    assert!(rows(&ops, &estate, "churn_rate").await?.is_empty());
    Ok(())
}

/// XC-30, CP-47: figures, and the households that rates are of, stay within the estates of the caller's own token.
#[tokio::test]
async fn figures_stay_within_the_callers_estates() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let (estate, other) = (ops.estate("JX").await?, ops.estate("BJ").await?);
    let manager = world.caller(Claims::staff("zhang").role("estate_manager").estate(&estate.id));
    assert_eq!(compute(&manager, &[&estate], &[DUPLICATES]).await?.len(), 2);
    let refused = compute(&manager, &[&estate, &other], &[DUPLICATES]).await.expect_err("refused");
    assert_eq!(refusal(&refused), (Code::NotFound, "ESTATE_NOT_FOUND".into()));
    let refused = rows(&manager, &other, DUPLICATES).await.expect_err("refused");
    assert_eq!(refused.code(), Code::NotFound);
    let foreign = explain(&estate, "csat_rate", 0, "");
    let refused = manager.metrics().explain_metric(manager.ask(foreign)).await.expect_err("refused");
    assert_eq!(violations(&refused), [("metric_id".to_owned(), "METRIC_UNKNOWN".to_owned())]);

    let base = |estate: &pb::Estate| pb::GetHouseholdBaseRequest {
        estate_ids: vec![estate.id.clone()],
        from_date: "2026-06-01".into(),
        to_date: "2026-06-30".into(),
    };
    assert_eq!(manager.audiences().get_household_base(manager.ask(base(&estate))).await?.into_inner().bases.len(), 4);
    let refused = manager.audiences().get_household_base(manager.ask(base(&other))).await.expect_err("refused");
    assert_eq!(refused.code(), Code::NotFound);
    let steward = world.caller(Claims::staff("li").role("steward").estate(&estate.id));
    let refused = steward.audiences().get_household_base(steward.ask(base(&estate))).await.expect_err("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = compute(&steward, &[&estate], &[DUPLICATES]).await.expect_err("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    Ok(())
}
