//! Facts of households: what is declared, what orders tell, what days bring.

use anyhow::{Context, Result};
use jiff::Timestamp;
use steward_kit::ids::{EstateId, WorkOrderId};
use steward_kit::predicate::ask;
use steward_kit_store::outbox::Relay;
use steward_kit_store::redis_link::RedisLink;
use steward_kit_store::{Db, Effects, NewEvent};
use steward_proto::customer::v1 as pb;
use steward_proto::work_order::v1 as orders;
use tonic::Code;

use crate::audiences::{exclusion, list, survey};
use crate::world::{Caller, World, eventually, refusal, request_id, violations};

async fn declare(ops: &Caller, unit: &pb::Unit, days: (&str, &str)) -> Result<pb::Renovation, tonic::Status> {
    let request = pb::DeclareRenovationRequest {
        request_id: request_id(),
        unit_id: unit.id.clone(),
        planned_from_date: days.0.into(),
        planned_to_date: days.1.into(),
        contractor: "好装修".into(),
        permit: String::new(),
    };
    Ok(ops.renovations().declare_renovation(ops.ask(request)).await?.into_inner().renovation.unwrap_or_default())
}

/// CP-18, CA-12, CA-38
#[tokio::test]
async fn a_household_is_left_in_peace_while_it_renovates() -> Result<()> {
    let world = World::new().await?;
    let (ops, survey) = (world.operations(), survey(&world));
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "101").await?;
    let left_out = async || -> Result<usize> {
        let renovating = exclusion("renovation", ask::is_true("household.is_renovating"));
        Ok(list(&survey, &estate, None, vec![renovating]).await?.excluded.len())
    };
    let reversed = declare(&ops, &unit, ("2026-08-31", "2026-06-01")).await.expect_err("refused");
    assert_eq!(violations(&reversed), [("planned_to_date".to_owned(), "RENOVATION_DATES_REVERSED".to_owned())]);
    let declared = declare(&ops, &unit, ("2026-06-01", "2026-08-31")).await?;
    assert_eq!(left_out().await?, 0);
    let second = declare(&ops, &unit, ("2026-09-01", "2026-09-30")).await.expect_err("refused");
    assert_eq!(refusal(&second), (Code::FailedPrecondition, "RENOVATION_OPEN".into()));

    let start = pb::StartRenovationRequest { request_id: request_id(), renovation_id: declared.id.clone(), ..Default::default() };
    let started = ops.renovations().start_renovation(ops.ask(start.clone())).await?.into_inner().renovation.unwrap_or_default();
    assert_eq!((started.state(), started.start_date.as_str()), (pb::RenovationState::Active, "2026-06-10"));
    let again = ops.renovations().start_renovation(ops.ask(start)).await?.into_inner().renovation.unwrap_or_default();
    assert_eq!(again, started, "the same request gets the same answer");
    assert_eq!(left_out().await?, 1);
    let cancel = pb::CancelRenovationRequest { request_id: request_id(), renovation_id: declared.id.clone(), ..Default::default() };
    let refused = ops.renovations().cancel_renovation(ops.ask(cancel)).await.expect_err("refused");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "RENOVATION_STATE_FORBIDS".into()));

    let finish = |etag: &str| pb::FinishRenovationRequest {
        request_id: request_id(),
        renovation_id: declared.id.clone(),
        etag: etag.into(),
        ..Default::default()
    };
    let stale = ops.renovations().finish_renovation(ops.ask(finish("1"))).await.expect_err("refused");
    assert_eq!(refusal(&stale), (Code::Aborted, "STALE_ETAG".into()));
    ops.renovations().finish_renovation(ops.ask(finish("2"))).await?;
    assert_eq!(left_out().await?, 0);
    let request = pb::ListRenovationsRequest { estate_id: estate.id.clone(), unit_id: unit.id, ..Default::default() };
    let found = ops.renovations().list_renovations(ops.ask(request)).await?.into_inner().renovations;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].state(), pb::RenovationState::Finished);
    Ok(())
}

/// CP-17, CP-09
#[tokio::test]
async fn moving_in_is_recorded_with_its_day_and_moves_the_stage() -> Result<()> {
    let world = World::new().await?;
    let (ops, survey) = (world.operations(), survey(&world));
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "101").await?;
    let owner = ops.person(&estate, "王芳", "19900000001").await?;
    ops.tenure(&unit, &owner, pb::TenureRole::Owner, ("2026-05-01", "")).await?;
    let update = pb::UpdateUnitRequest {
        request_id: request_id(),
        unit_id: unit.id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["delivery_date".into()] }),
        delivery_date: "2026-05-20".into(),
        ..Default::default()
    };
    ops.units().update_unit(ops.ask(update)).await?;
    let stage = async || -> Result<String> {
        let found = list(&survey, &estate, None, vec![]).await?;
        Ok(found.members[0].facts.get("customer.journey_stage").cloned().unwrap_or_default())
    };
    assert_eq!(stage().await?, "welcome_home");
    let record = |day: &str| pb::RecordOccupancyRequest {
        request_id: request_id(),
        unit_id: unit.id.clone(),
        occupancy: pb::Occupancy::Occupied.into(),
        from_date: day.into(),
        source: "visit".into(),
        ..Default::default()
    };
    let ahead = ops.renovations().record_occupancy(ops.ask(record("2026-06-11"))).await.expect_err("refused");
    assert_eq!(violations(&ahead), [("from_date".to_owned(), "OCCUPANCY_DATE_INVALID".to_owned())]);
    ops.renovations().record_occupancy(ops.ask(record("2026-06-01"))).await?;
    assert_eq!(stage().await?, "settling_in");
    let moved_in = ask::within_last("household.moved_in_date", 9, steward_proto::common::v1::Unit::Day);
    assert_eq!(list(&survey, &estate, Some(moved_in), vec![]).await?.members.len(), 1);
    let request = pb::ListOccupancyPeriodsRequest { unit_id: unit.id.clone(), ..Default::default() };
    let periods = ops.renovations().list_occupancy_periods(ops.ask(request)).await?.into_inner().periods;
    let told: Vec<_> = periods.iter().map(|p| (p.occupancy(), p.from_date.as_str(), p.to_date.as_str(), p.source.as_str())).collect();
    assert_eq!(told, [(pb::Occupancy::Occupied, "2026-06-01", "", "visit")]);

    // Three months after handover the next stage begins, without anybody writing.
    world.clock.set("2026-08-20T00:00:01+08:00".parse()?);
    assert_eq!(stage().await?, "taking_responsibility");
    Ok(())
}

/// CP-40, CA-37, CA-91
#[tokio::test]
async fn a_major_complaint_stands_until_it_is_cleared_and_orders_count_as_uses() -> Result<()> {
    let world = World::new().await?;
    let (ops, survey) = (world.operations(), survey(&world));
    let estate = ops.estate("JX").await?;
    let (unit, other) = (ops.unit(&estate, "101").await?, ops.unit(&estate, "102").await?);
    let now: Timestamp = crate::world::NOW.parse()?;
    let estate_id = EstateId::parse(&estate.id).context("an id")?;
    let redis = RedisLink::new(&steward_harness::TestRedis::shared()?.url().into())?;
    let db = Db::new(world.database.pool("work_order").await?, redis, "work_order")?;
    let tell = async |events: Vec<NewEvent>| -> Result<()> {
        let effects = Effects { events, ..Effects::none() };
        let mut tx = db.begin().await?;
        effects.write(&db, &mut tx, now).await?;
        tx.commit().await?;
        db.wake(&effects);
        Ok(())
    };
    let (kit_clock, _) = steward_kit::clock::Clock::manual(now);
    let stop = tokio_util::sync::CancellationToken::new();
    let relay = tokio::task::JoinSet::from_iter([Relay::new(db.clone(), kit_clock).run(stop.clone())]);

    let order = WorkOrderId::new();
    let facts = |id: WorkOrderId| orders::OrderFacts {
        work_order_id: id.to_string(),
        estate_id: estate.id.clone(),
        unit_id: unit.id.clone(),
        kind: steward_proto::common::v1::WorkOrderKind::Repair.into(),
        ..Default::default()
    };
    let flagged = orders::MajorComplaintFlagged { order: Some(facts(order)), reason_codes: vec!["media".into()], ..Default::default() };
    let repairs = (0..3).map(|_| {
        let id = WorkOrderId::new();
        NewEvent::new(id, estate_id, now, &orders::WorkOrderCreated { order: Some(facts(id)), ..Default::default() })
    });
    tell(repairs.chain([NewEvent::new(order, estate_id, now, &flagged)]).collect()).await?;
    let standing = async || -> Result<Vec<String>> {
        let found = list(&survey, &estate, Some(ask::is_true("household.has_major_complaint")), vec![]).await?;
        Ok(found.members.into_iter().map(|member| member.unit_id).collect())
    };
    let found = eventually("the flag", || async { Ok(Some(standing().await?).filter(|found| !found.is_empty())) }).await?;
    assert_eq!(found, [unit.id.as_str()]);
    let repaired = eventually("three repairs", || async {
        let often = list(&survey, &estate, Some(ask::at_least("service.repair_use_60d", 3)), vec![]).await?;
        Ok(Some(often.members).filter(|members| !members.is_empty()))
    })
    .await?;
    assert_eq!(repaired[0].unit_id, unit.id);
    let seldom = list(&survey, &estate, Some(ask::not(ask::at_least("service.repair_use_60d", 1))), vec![]).await?;
    assert_eq!(seldom.members[0].unit_id, other.id, "no use is none, not unknown");

    let cleared = orders::MajorComplaintCleared { order: Some(facts(order)), clear_time: None };
    tell(vec![NewEvent::new(order, estate_id, now, &cleared)]).await?;
    eventually("the end of it", || async { Ok(Some(()).filter(|()| true).zip(Some(standing().await?).filter(Vec::is_empty))) }).await?;
    stop.cancel();
    drop(relay);
    Ok(())
}

/// M4: whoever cares hears that facts changed, and which.
#[tokio::test]
async fn a_change_of_facts_is_told_by_field_and_never_by_value() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "101").await?;
    let pool = world.database.superuser().await?;
    let told = async || -> Result<Vec<Vec<String>>> {
        let sql = "SELECT payload FROM customer.outbox WHERE type = 'steward.customer.v1.HouseholdFactsChanged' ORDER BY id";
        let payloads: Vec<Vec<u8>> = sqlx::query_scalar(sql).fetch_all(&pool).await?;
        let facts = payloads.iter().map(|bytes| <pb::HouseholdFactsChanged as prost::Message>::decode(bytes.as_slice()));
        Ok(facts.map(|fact| fact.map(|fact| fact.fields)).collect::<Result<_, _>>()?)
    };
    eventually("the first", || async { Ok(Some(told().await?).filter(|told| !told.is_empty())) }).await?;
    let renovation = declare(&ops, &unit, ("2026-06-10", "2026-08-31")).await?;
    let start = pb::StartRenovationRequest { request_id: request_id(), renovation_id: renovation.id, ..Default::default() };
    ops.renovations().start_renovation(ops.ask(start)).await?;
    let fields = eventually("the second", || async {
        let told = told().await?;
        Ok(told.into_iter().skip(1).flatten().find(|field| field == "household.is_renovating"))
    })
    .await?;
    assert_eq!(fields, "household.is_renovating");
    Ok(())
}
