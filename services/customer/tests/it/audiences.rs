//! Who belongs to an audience, over the facts that the register makes.

use anyhow::Result;
use steward_harness::Claims;
use steward_kit::predicate::ask;
use steward_proto::common::v1 as common;
use steward_proto::customer::v1 as pb;
use tonic::Code;
use uuid::Uuid;

use crate::world::{Caller, World, refusal, request_id, violations};
use pb::AudienceVerdict::{Excluded, Member, NotMember, UnknownHousehold};
use pb::TenureRole::{Owner, Tenant};

pub(crate) fn survey(world: &World) -> Caller {
    world.caller(Claims::service("survey").role("service.survey").every_estate())
}

async fn deliver(ops: &Caller, unit: &pb::Unit, day: &str, occupancy: pb::Occupancy) -> Result<()> {
    let request = pb::UpdateUnitRequest {
        request_id: request_id(),
        unit_id: unit.id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["delivery_date".into(), "occupancy".into()] }),
        delivery_date: day.into(),
        occupancy: occupancy.into(),
        ..pb::UpdateUnitRequest::default()
    };
    ops.units().update_unit(ops.ask(request)).await?;
    Ok(())
}

pub(crate) async fn list(
    caller: &Caller,
    estate: &pb::Estate,
    predicate: Option<common::Predicate>,
    exclusions: Vec<pb::AudienceExclusion>,
) -> Result<pb::ListAudienceMembersResponse, tonic::Status> {
    let request = pb::ListAudienceMembersRequest {
        estate_id: estate.id.clone(),
        predicate,
        exclusions,
        fact_fields: vec!["household.occupancy".into(), "customer.journey_stage".into(), "tenure.role".into()],
        ..pb::ListAudienceMembersRequest::default()
    };
    Ok(caller.audiences().list_audience_members(caller.ask(request)).await?.into_inner())
}

pub(crate) fn exclusion(code: &str, predicate: common::Predicate) -> pb::AudienceExclusion {
    pb::AudienceExclusion { code: code.into(), predicate: Some(predicate) }
}

impl World {
    /// The household that a unit has by itself.
    async fn household(&self, unit: &pb::Unit) -> Result<String> {
        let household = sqlx::query_scalar("SELECT household_id::text FROM customer.units WHERE id = $1::uuid");
        Ok(household.bind(&unit.id).fetch_one(&self.database.superuser().await?).await?)
    }
}

/// F-09: homes that a day finds not handed over, of several estates, page by page; whatever became of them since.
#[tokio::test]
async fn homes_that_were_not_handed_over_are_listed_for_many_estates_at_once() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let care = world.caller(Claims::service("care").role("service.care").every_estate());
    let (here, there) = (ops.estate("JX").await?, ops.estate("TJ").await?);
    let dated = [("101", "2026-05-31", pb::Occupancy::Unspecified), ("102", "2026-06-01", pb::Occupancy::Unspecified)];
    let undated = [("103", "", pb::Occupancy::Occupied), ("104", "", pb::Occupancy::Undelivered)];
    let mut homes = Vec::new();
    for (code, day, occupancy) in dated.into_iter().chain(undated) {
        let unit = ops.unit(&here, code).await?;
        deliver(&ops, &unit, day, occupancy).await?;
        homes.push((here.id.clone(), world.household(&unit).await?));
    }
    homes.push((there.id.clone(), world.household(&ops.unit(&there, "101").await?).await?));
    let ask = async |day: &str| -> Result<Vec<(String, String)>> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = pb::ListUndeliveredHouseholdsRequest {
                estate_ids: vec![here.id.clone(), there.id.clone()],
                as_of_date: day.to_owned(),
                page_size: 2,
                page_token,
            };
            let page = care.audiences().list_undelivered_households(care.ask(request)).await?.into_inner();
            assert!(page.households.len() <= 2);
            all.extend(page.households.into_iter().map(|one| (one.estate_id, one.household_id)));
            if page.next_page_token.is_empty() {
                all.sort();
                return Ok(all);
            }
            page_token = page.next_page_token;
        }
    };
    let of = |places: &[usize]| {
        let mut some: Vec<_> = places.iter().map(|at| homes[*at].clone()).collect();
        some.sort();
        some
    };
    assert_eq!(ask("2026-05-30").await?, of(&[0, 1, 3, 4]));
    assert_eq!(ask("2026-05-31").await?, of(&[1, 3, 4]), "handed over on the day is handed over by its end");
    assert_eq!(ask("2026-06-01").await?, of(&[3, 4]), "without a day it goes by what is recorded");

    let asked = pb::ListUndeliveredHouseholdsRequest { estate_ids: vec![here.id.clone()], as_of_date: "soon".into(), ..Default::default() };
    let refused = care.audiences().list_undelivered_households(care.ask(asked)).await.expect_err("no date");
    assert_eq!(refused.code(), Code::InvalidArgument);
    Ok(())
}

/// SV-39, CA-39, CP-09
#[tokio::test]
async fn an_audience_sees_at_once_what_was_written_and_names_who_is_left_out() -> Result<()> {
    let world = World::new().await?;
    let (ops, survey) = (world.operations(), survey(&world));
    let estate = ops.estate("JX").await?;
    let (lived_in, empty, ahead) = (ops.unit(&estate, "101").await?, ops.unit(&estate, "102").await?, ops.unit(&estate, "103").await?);
    let (owner, tenant) = (ops.person(&estate, "王芳", "19900000001").await?, ops.person(&estate, "李雷", "19900000002").await?);
    ops.tenure(&lived_in, &owner, Owner, ("2026-01-01", "")).await?;
    ops.tenure(&lived_in, &tenant, Tenant, ("2026-05-01", "")).await?;
    deliver(&ops, &lived_in, "2026-01-01", pb::Occupancy::Leased).await?;
    deliver(&ops, &empty, "2026-01-01", pb::Occupancy::DeliveredNotMovedIn).await?;
    deliver(&ops, &ahead, "2026-12-01", pb::Occupancy::Undelivered).await?;

    let everybody = list(&survey, &estate, None, vec![]).await?;
    assert_eq!(everybody.members.len(), 3);
    let delivered = ask::is_true("household.is_delivered");
    let not_moved_in = exclusion("not_moved_in", ask::not(ask::equals("household.occupancy", ["occupied", "leased"])));
    let found = list(&survey, &estate, Some(delivered.clone()), vec![not_moved_in.clone()]).await?;
    assert_eq!(found.members.len(), 1);
    let member = &found.members[0];
    assert_eq!((&member.unit_id, &member.customer_id), (&lived_in.id, &tenant.id), "who lives there is turned to first");
    let facts: Vec<_> = member.facts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(facts, [("customer.journey_stage", "settling_in"), ("household.occupancy", "leased"), ("tenure.role", "tenant")]);
    let left_out: Vec<_> = found.excluded.iter().map(|out| (&out.unit_id, out.code.as_str())).collect();
    assert_eq!(left_out, [(&empty.id, "not_moved_in")]);
    assert_eq!(found.excluded[0].reasons[0].fact, "delivered");

    let household_ids = vec![
        everybody.members[2].household_id.clone(),
        member.household_id.clone(),
        found.excluded[0].household_id.clone(),
        Uuid::now_v7().to_string(),
    ];
    let request = pb::CheckAudienceRequest {
        estate_id: estate.id.clone(),
        household_ids,
        predicate: Some(delivered),
        exclusions: vec![not_moved_in],
        as_of_date: String::new(),
    };
    let checks = survey.audiences().check_audience(survey.ask(request)).await?.into_inner().checks;
    assert_eq!(checks.iter().map(pb::AudienceCheck::verdict).collect::<Vec<_>>(), [NotMember, Member, Excluded, UnknownHousehold]);
    assert_eq!(checks[0].reasons[0].field, "household.is_delivered");
    assert_eq!(checks[2].exclusion_code, "not_moved_in");

    // Somebody moves in: read at once, on the day that follows as on this one.
    deliver(&ops, &empty, "2026-01-01", pb::Occupancy::Occupied).await?;
    let moved =
        ask::all([ask::equals("household.occupancy", ["occupied"]), ask::within_last("household.moved_in_date", 6, common::Unit::Month)]);
    assert_eq!(list(&survey, &estate, Some(moved), vec![]).await?.members.len(), 1);
    world.clock.set("2026-12-01T00:00:00+08:00".parse()?);
    let delivered = list(&survey, &estate, Some(ask::is_true("household.is_delivered")), vec![]).await?;
    assert_eq!(delivered.members.len(), 3, "a day that ended changes facts without a write");
    Ok(())
}

#[tokio::test]
async fn an_audience_is_paged_by_household_and_a_bad_predicate_is_refused_at_its_place() -> Result<()> {
    let world = World::new().await?;
    let (ops, survey) = (world.operations(), survey(&world));
    let estate = ops.estate("JX").await?;
    for code in ["101", "102", "103", "104", "105"] {
        ops.unit(&estate, code).await?;
    }
    let mut seen = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListAudienceMembersRequest { estate_id: estate.id.clone(), page_size: 2, page_token, ..Default::default() };
        let page = survey.audiences().list_audience_members(survey.ask(request)).await?.into_inner();
        seen.extend(page.members.into_iter().map(|member| member.household_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted());

    let wrong = ask::all([ask::equals("household.occupancy", ["let"]), ask::is_true("household.colour")]);
    let refused = list(&survey, &estate, Some(wrong.clone()), vec![exclusion("x", wrong)]).await.expect_err("refused");
    let at = |place: &str, reason: &str| (place.to_owned(), reason.to_owned());
    assert_eq!(
        violations(&refused),
        [
            at("predicate.all_of.predicates[0].condition.values[0]", "PREDICATE_CODE_UNKNOWN"),
            at("predicate.all_of.predicates[1].condition.field", "PREDICATE_FIELD_UNKNOWN"),
            at("exclusions[0].predicate.all_of.predicates[0].condition.values[0]", "PREDICATE_CODE_UNKNOWN"),
            at("exclusions[0].predicate.all_of.predicates[1].condition.field", "PREDICATE_FIELD_UNKNOWN"),
        ]
    );
    let nowhere = pb::Estate { id: Uuid::now_v7().to_string(), ..estate.clone() };
    let refused = list(&survey, &nowhere, None, vec![]).await.expect_err("refused");
    assert_eq!(refused.code(), Code::NotFound);
    let steward = world.caller(Claims::staff("li").role("steward").estate(&estate.id));
    let refused = list(&steward, &estate, None, vec![]).await.expect_err("refused");
    assert_eq!(refusal(&refused).0, Code::PermissionDenied);
    Ok(())
}

/// CP-47
#[tokio::test]
async fn ten_units_delivered_on_the_eleventh_are_six_and_two_thirds_over_the_month() -> Result<()> {
    let world = World::new().await?;
    let (ops, survey) = (world.operations(), survey(&world));
    let estate = ops.estate("JX").await?;
    let old = ops.unit(&estate, "1").await?;
    deliver(&ops, &old, "2020-01-01", pb::Occupancy::Occupied).await?;
    for code in 10..20 {
        let unit = ops.unit(&estate, &code.to_string()).await?;
        deliver(&ops, &unit, "2026-06-11", pb::Occupancy::Undelivered).await?;
    }
    let base = async || -> Result<(i64, i32, i32)> {
        let request = pb::GetHouseholdBaseRequest {
            estate_ids: vec![estate.id.clone()],
            from_date: "2026-06-01".into(),
            to_date: "2026-06-30".into(),
        };
        let bases = survey.audiences().get_household_base(survey.ask(request)).await?.into_inner().bases;
        assert_eq!(bases.len(), 4);
        let delivered = bases.iter().find(|base| base.kind() == pb::HouseholdBaseKind::Delivered).expect("a base");
        Ok((delivered.count_sum, delivered.day_count, delivered.derived_day_count))
    };
    // 30 of the old unit and 20 × 10: over 30 days 6.67 more. Ahead of time from the register.
    assert_eq!(base().await?, (30 + 200, 30, 30));
    for day in ["2026-06-11", "2026-06-12", "2026-06-20", "2026-07-01"] {
        world.clock.set(format!("{day}T00:00:01+08:00").parse()?);
        base().await?;
    }
    // Afterwards from the days that were closed, 10 June being the first: the same sum.
    assert_eq!(base().await?, (230, 30, 9));
    // A closed day stays as it was; the nine before the register began follow its dates.
    deliver(&ops, &old, "2026-06-30", pb::Occupancy::Occupied).await?;
    assert_eq!(base().await?, (221, 30, 9));
    Ok(())
}
