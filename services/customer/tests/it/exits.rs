//! Who left, and why; and the churn that is counted from it.

use anyhow::{Context, Result};
use jiff::Timestamp;
use steward_harness::Claims;
use steward_kit::ids::EstateId;
use steward_kit_store::outbox::Relay;
use steward_kit_store::redis_link::RedisLink;
use steward_kit_store::{Db, Effects, NewEvent};
use steward_proto::care::v1 as care;
use steward_proto::customer::v1 as pb;
use steward_proto::metric::v1 as metric;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::world::{Caller, World, eventually, refusal, request_id, violations};
use pb::ExitKind::{ClubLapsed, CommercialTenantLeft, ContractEnded, CorporateClientLeft, MovedOut, Sold, SubscriptionCancelled};
use pb::TenureRole::{Agent, Owner, Tenant};

pub(crate) fn record(estate: &pb::Estate, customer: &str, kind: pb::ExitKind, exit_date: &str) -> pb::RecordExitRequest {
    pb::RecordExitRequest {
        request_id: request_id(),
        estate_id: estate.id.clone(),
        customer_id: customer.to_owned(),
        kind: kind.into(),
        exit_date: exit_date.to_owned(),
        ..Default::default()
    }
}

pub(crate) fn end(tenure: &pb::Tenure, to_date: &str, kind: pb::ExitKind) -> pb::EndTenureRequest {
    pb::EndTenureRequest {
        request_id: request_id(),
        tenure_id: tenure.id.clone(),
        to_date: to_date.to_owned(),
        exit_kind: kind.into(),
        ..Default::default()
    }
}

async fn exits(caller: &Caller, estate: &pb::Estate) -> Result<Vec<pb::Exit>, Status> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListExitsRequest { estate_id: estate.id.clone(), page_size: 2, page_token };
        let answer = caller.exits().list_exits(caller.ask(request)).await?.into_inner();
        all.extend(answer.exits);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return Ok(all);
        }
    }
}

fn definition(id: &str, kinds: &[&str]) -> metric::MetricDefinition {
    let parameters = metric::MetricParameters { exit_kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(), ..Default::default() };
    metric::MetricDefinition { metric_id: id.to_owned(), version: 1, parameters: Some(parameters), ..Default::default() }
}

fn year(year: &str) -> Option<metric::MetricPeriod> {
    Some(metric::MetricPeriod { from_date: format!("{year}-01-01"), to_date: format!("{year}-12-31") })
}

async fn figures(
    caller: &Caller,
    estates: &[&pb::Estate],
    of: &str,
    asked: metric::MetricDefinition,
) -> Result<Vec<metric::MetricValue>, Status> {
    let request = metric::ComputeMetricsRequest {
        estate_ids: estates.iter().map(|estate| estate.id.clone()).collect(),
        period: year(of),
        plan_code: "care-315".into(),
        definitions: vec![asked],
        ..Default::default()
    };
    Ok(caller.metrics().compute_metrics(caller.ask(request)).await?.into_inner().values)
}

fn shown(values: &[metric::MetricValue]) -> Vec<(i64, i64)> {
    values.iter().map(|value| (value.numerator, value.denominator)).collect()
}

/// F-13b, CP-48: of seven who were there when the year began, three left by what the service is answerable for. Who moved house or sold
/// did not, unless the plan says so; who came later was not there; an agent is nobody of their own. In two estates one counts twice,
/// and once in the group. The rows explain the figure.
#[tokio::test]
async fn customers_are_lost_by_the_exits_that_a_plan_counts() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let (estate, other) = (ops.estate("JX").await?, ops.estate("BJ").await?);
    let mut here = Vec::new();
    for n in 0..8 {
        let (unit, customer) = (ops.unit(&estate, &format!("10{n}")).await?, ops.person(&estate, "王芳", "").await?);
        let from = if n == 7 { "2026-02-01" } else { "2020-01-01" };
        here.push((ops.tenure(&unit, &customer, Tenant, (from, "")).await?, customer));
    }
    let elsewhere = ops.unit(&other, "201").await?;
    ops.tenure(&elsewhere, &here[0].1, Owner, ("2020-01-01", "")).await?;
    let agent = ops.person(&estate, "李雷", "").await?;
    ops.tenure(&elsewhere, &agent, Agent, ("2020-01-01", "")).await?;

    // The shop closes, the subscription and the membership end; one moves, one sells; who came in February leaves in May.
    let leaves = async |n: usize, day: &str, kind| ops.tenures().end_tenure(ops.ask(end(&here[n].0, day, kind))).await;
    leaves(0, "2026-03-31", CommercialTenantLeft).await?;
    leaves(3, "2026-04-30", MovedOut).await?;
    leaves(4, "2026-05-31", Sold).await?;
    leaves(7, "2026-05-31", CorporateClientLeft).await?;
    for (n, kind) in [(1, SubscriptionCancelled), (2, ClubLapsed)] {
        ops.exits().record_exit(ops.ask(record(&estate, &here[n].1.id, kind, "2026-05-31"))).await?;
    }
    // What lies ahead has not happened, and what happened the year before is not of this one.
    ops.exits().record_exit(ops.ask(record(&estate, &here[5].1.id, ClubLapsed, "2026-12-31"))).await?;
    ops.exits().record_exit(ops.ask(record(&estate, &here[6].1.id, ClubLapsed, "2025-12-31"))).await?;
    ops.exits().record_exit(ops.ask(record(&other, &here[0].1.id, ClubLapsed, "2026-01-01"))).await?;

    let values = figures(&ops, &[&estate, &other], "2026", definition("churn_rate", &[])).await?;
    assert_eq!(shown(&values), [(3, 7), (1, 1), (3, 7)], "each estate, and the group: {values:?}");
    assert_eq!(values[0].display, "42.9");
    let part = |code: &str| values[0].parts.iter().find(|part| part.code == code).map(|part| part.numerator);
    assert_eq!((part("natural_exit"), part("not_active_at_start"), part("exit_not_chosen")), (Some(2), Some(1), Some(0)));
    let narrow = figures(&ops, &[&estate], "2026", definition("churn_rate", &["commercial_tenant_left", "moved_out"])).await?;
    assert_eq!(shown(&narrow[..1]), [(2, 7)]);
    let part = |code: &str| narrow[0].parts.iter().find(|part| part.code == code).map(|part| part.numerator);
    assert_eq!((part("natural_exit"), part("exit_not_chosen")), (Some(1), Some(2)));

    let question = metric::ExplainMetricRequest {
        estate_id: estate.id.clone(),
        period: year("2026"),
        metric_id: "churn_rate".into(),
        definition: Some(definition("churn_rate", &[])),
        page_size: 200,
        ..Default::default()
    };
    let rows = ops.metrics().explain_metric(ops.ask(question)).await?.into_inner().rows;
    let mut reasons: Vec<_> = rows.iter().map(|row| (row.reason_code.as_str(), row.in_numerator, row.in_denominator)).collect();
    reasons.sort_unstable();
    let lost = ("lost", true, true);
    let natural = ("natural_exit", false, true);
    let active = ("active", false, true);
    assert_eq!(reasons, [active, active, lost, lost, lost, natural, natural, ("not_active_at_start", false, false)]);
    Ok(())
}

/// CP-48, F-13a: the contract ends on 30 June: one estate of two is lost, and its homes stand beside it.
#[tokio::test]
async fn an_estate_whose_contract_ends_is_lost_with_its_homes() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let (kept, lost) = (ops.estate("JX").await?, ops.estate("BJ").await?);
    for (estate, codes) in [(&kept, &["101", "102", "103"][..]), (&lost, &["101"])] {
        for code in codes {
            ops.unit(estate, code).await?;
        }
    }
    world.clock.set("2027-07-01T02:00:00Z".parse::<Timestamp>()?);
    ops.exits().record_exit(ops.ask(record(&lost, "", ContractEnded, "2027-06-30"))).await?;
    let values = figures(&ops, &[&kept, &lost], "2027", definition("estate_churn", &[])).await?;
    assert_eq!(shown(&values), [(0, 1), (1, 1), (1, 2)]);
    let homes = values[2].parts.iter().find(|part| part.code == "by_households").context("homes")?;
    assert_eq!((homes.numerator * 4, homes.denominator), (homes.denominator, homes.denominator), "one of four: {homes:?}");
    let year_of_arrival = figures(&ops, &[&kept, &lost], "2026", definition("estate_churn", &[])).await?;
    assert_eq!(shown(&year_of_arrival), [(0, 0); 3], "nothing was there when 2026 began");
    world.clock.set("2028-01-02T02:00:00Z".parse::<Timestamp>()?);
    assert_eq!(shown(&figures(&ops, &[&kept, &lost], "2028", definition("estate_churn", &[])).await?), [(0, 1), (0, 0), (0, 1)]);
    Ok(())
}

/// CP-48: an exit moves with the last day of its tenure, is there once, and is of what leaves.
#[tokio::test]
async fn an_exit_is_a_fact_of_its_tenure() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let (unit, customer) = (ops.unit(&estate, "101").await?, ops.person(&estate, "王芳", "").await?);
    let tenure = ops.tenure(&unit, &customer, Tenant, ("2020-01-01", "")).await?;
    let unsuited = ops.tenures().end_tenure(ops.ask(end(&tenure, "2026-06-30", ClubLapsed))).await.expect_err("refused");
    assert_eq!(violations(&unsuited), [("exit_kind".to_owned(), "EXIT_KIND_UNSUITED".to_owned())]);
    for (day, kind) in [("2026-06-30", MovedOut), ("2026-07-31", CommercialTenantLeft), ("2026-08-31", pb::ExitKind::Unspecified)] {
        ops.tenures().end_tenure(ops.ask(end(&tenure, day, kind))).await?;
    }
    let found = exits(&ops, &estate).await?;
    let seen: Vec<_> = found.iter().map(|exit| (exit.kind(), exit.exit_date.as_str(), exit.source.as_str())).collect();
    assert_eq!(seen, [(CommercialTenantLeft, "2026-08-31", "tenure")]);
    assert_eq!((&found[0].tenure_id, &found[0].customer_id), (&tenure.id, &customer.id));

    let cause = Uuid::now_v7().to_string();
    let lapsed =
        pb::RecordExitRequest { cause_work_order_ids: vec![cause.clone()], ..record(&estate, &customer.id, ClubLapsed, "2026-05-31") };
    let first = ops.exits().record_exit(ops.ask(lapsed.clone())).await?.into_inner();
    assert_eq!(ops.exits().record_exit(ops.ask(lapsed)).await?.into_inner(), first, "the same request answers the same");
    assert_eq!(first.exit.map(|exit| exit.cause_work_order_ids), Some(vec![cause]));
    let refused = async |request| ops.exits().record_exit(ops.ask(request)).await.map(drop).expect_err("refused");
    let again = refused(record(&estate, &customer.id, ClubLapsed, "2026-05-31")).await;
    assert_eq!(refusal(&again), (Code::AlreadyExists, "EXIT_EXISTS".into()));
    for (whose, kind) in [("", ClubLapsed), (customer.id.as_str(), ContractEnded)] {
        let unsuited = refused(record(&estate, whose, kind, "2026-05-31")).await;
        assert_eq!(violations(&unsuited), [("kind".to_owned(), "EXIT_KIND_UNSUITED".to_owned())]);
    }
    let nobody = refused(record(&estate, &Uuid::now_v7().to_string(), ClubLapsed, "2026-05-31")).await;
    assert_eq!(refusal(&nobody), (Code::NotFound, "CUSTOMER_NOT_FOUND".into()));
    ops.exits().record_exit(ops.ask(record(&estate, &customer.id, ClubLapsed, "2026-05-30"))).await?;
    let days: Vec<_> = exits(&ops, &estate).await?.into_iter().map(|exit| exit.exit_date).collect();
    assert_eq!(days, ["2026-08-31", "2026-05-31", "2026-05-30"], "latest first, over pages");
    let stranger = world.caller(Claims::staff("zhang").role("estate_manager").estate(Uuid::now_v7().to_string()));
    let unseen = exits(&stranger, &estate).await.expect_err("refused");
    assert_eq!(refusal(&unseen), (Code::NotFound, "ESTATE_NOT_FOUND".into()));
    Ok(())
}

/// CP-48, CA-64: a package that is given up is an exit of its subscriber, told once however often care tells it.
#[tokio::test]
async fn a_cancelled_package_is_an_exit_of_its_subscriber() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let customer = ops.person(&estate, "王芳", "").await?;
    let now: Timestamp = crate::world::NOW.parse()?;
    let enrolment = care::EnrolmentFacts {
        enrolment_id: Uuid::now_v7().to_string(),
        estate_id: estate.id.clone(),
        household_id: Uuid::now_v7().to_string(),
        customer_id: customer.id.clone(),
        package_code: "elderly".into(),
        end_date: "2026-06-30".into(),
    };
    let nobody = care::EnrolmentFacts { customer_id: String::new(), ..enrolment.clone() };
    let estate_id = EstateId::parse(&estate.id).context("an id")?;
    let told = [nobody, enrolment.clone(), enrolment].map(|enrolment| {
        let cancelled = care::EnrolmentCancelled { enrolment: Some(enrolment) };
        NewEvent::new(EstateId::new(), estate_id, now, &cancelled)
    });
    let redis = RedisLink::new(&steward_harness::TestRedis::shared()?.url().into())?;
    let db = Db::new(world.database.pool("care").await?, redis, "care")?;
    let effects = Effects { events: told.to_vec(), ..Effects::none() };
    let mut tx = db.begin().await?;
    effects.write(&db, &mut tx, now).await?;
    tx.commit().await?;
    let (clock, _) = steward_kit::clock::Clock::manual(now);
    let relay = tokio::task::JoinSet::from_iter([Relay::new(db, clock).run(tokio_util::sync::CancellationToken::new())]);
    let found = eventually("three facts heard", || async {
        let heard: i64 = sqlx::query_scalar("SELECT count(*) FROM customer.inbox WHERE consumer LIKE '%exits'")
            .fetch_one(&world.database.superuser().await?)
            .await?;
        Ok(if heard == 3 { Some(exits(&ops, &estate).await?) } else { None })
    })
    .await?;
    drop(relay);
    let seen: Vec<_> = found.iter().map(|exit| (exit.kind(), exit.exit_date.as_str(), exit.source.as_str())).collect();
    assert_eq!(seen, [(SubscriptionCancelled, "2026-06-30", "care")]);
    assert_eq!(found[0].customer_id, customer.id);
    Ok(())
}
