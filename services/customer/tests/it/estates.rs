//! Estates, units, scopes, etags and repeated requests.

use anyhow::Result;
use steward_harness::Claims;
use steward_proto::customer::v1 as pb;
use tonic::Code;

use crate::world::{GROUP, World, refusal, request_id, same, violations};

/// CP-12
#[tokio::test]
async fn an_estate_grows_from_buildings_to_units() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    assert_eq!((estate.time_zone.as_str(), estate.unit_count, estate.etag.as_str()), ("Asia/Shanghai", 0, "1"));
    let unit = ops.unit(&estate, "1802").await?;
    ops.unit(&estate, "1803").await?;
    assert_eq!(unit.full_code, "1-1802");
    assert_eq!(unit.premises_type(), pb::PremisesType::Residential);

    let estate = ops.estates().get_estate(ops.ask(pb::GetEstateRequest { estate_id: estate.id.clone() })).await?.into_inner().estate;
    assert_eq!(estate.clone().map(|estate| estate.unit_count), Some(2));
    let request = pb::ListUnitsRequest {
        estate_id: estate.unwrap_or_default().id,
        page_size: 1,
        full_code_prefix: "1-".into(),
        ..pb::ListUnitsRequest::default()
    };
    let first = ops.units().list_units(ops.ask(request.clone())).await?.into_inner();
    let next = pb::ListUnitsRequest { page_token: first.next_page_token, ..request };
    let second = ops.units().list_units(ops.ask(next)).await?.into_inner();
    assert_eq!((first.units[0].code.as_str(), second.units[0].code.as_str()), ("1802", "1803"));
    assert_eq!(second.next_page_token, "");
    Ok(())
}

/// CP-12
#[tokio::test]
async fn codes_are_taken_once() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "101").await?;
    let again = ops.estate("JX").await.expect_err("refused").downcast::<tonic::Status>()?;
    assert_eq!(refusal(&again), (Code::AlreadyExists, "ESTATE_CODE_TAKEN".into()));
    let request = pb::CreateUnitRequest {
        request_id: request_id(),
        building_id: unit.building_id,
        code: "101".into(),
        ..pb::CreateUnitRequest::default()
    };
    let again = ops.units().create_unit(ops.ask(request)).await.expect_err("refused");
    assert_eq!(refusal(&again), (Code::AlreadyExists, "UNIT_CODE_TAKEN".into()));
    Ok(())
}

#[tokio::test]
async fn every_bad_field_is_told_at_once() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let request = pb::RegisterEstateRequest {
        request_id: request_id(),
        group_id: GROUP.into(),
        region_id: "nowhere".into(),
        name: " ".into(),
        code: "JX".into(),
        city_code: "33010x".into(),
        time_zone: "Asia/Hangzhou".into(),
        premises_type: 0,
    };
    let refused = ops.estates().register_estate(ops.ask(request)).await.expect_err("refused");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let fields: Vec<String> = violations(&refused).into_iter().map(|(field, _)| field).collect();
    for field in ["region_id", "name", "city_code", "time_zone", "premises_type"] {
        assert!(fields.iter().any(|told| told == field), "{field} of {fields:?}");
    }
    assert!(violations(&refused).contains(&("time_zone".into(), "TIME_ZONE_UNKNOWN".into())));
    Ok(())
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_and_another_body_is_refused() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let request = pb::RegisterEstateRequest {
        request_id: request_id(),
        group_id: GROUP.into(),
        region_id: request_id(),
        name: "锦绣花园".into(),
        code: "JX".into(),
        city_code: "330100".into(),
        time_zone: String::new(),
        premises_type: pb::PremisesType::Residential.into(),
    };
    let first = ops.estates().register_estate(ops.ask(request.clone())).await?.into_inner();
    let again = ops.estates().register_estate(ops.ask(request.clone())).await?.into_inner();
    assert!(same(&first, &again));
    let other = pb::RegisterEstateRequest { name: "别的花园".into(), code: "BD".into(), ..request };
    let refused = ops.estates().register_estate(ops.ask(other)).await.expect_err("refused");
    assert_eq!(refusal(&refused), (Code::AlreadyExists, "REQUEST_ID_REUSED".into()));
    let all = ops.estates().list_estates(ops.ask(pb::ListEstatesRequest::default())).await?.into_inner().estates;
    assert_eq!(all.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_stale_etag_changes_nothing() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let update = |etag: &str, name: &str| pb::UpdateEstateRequest {
        request_id: request_id(),
        estate_id: estate.id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["name".into()] }),
        etag: etag.into(),
        name: name.into(),
        ..pb::UpdateEstateRequest::default()
    };
    let changed = ops.estates().update_estate(ops.ask(update("1", "新锦绣"))).await?.into_inner().estate.unwrap_or_default();
    assert_eq!((changed.etag.as_str(), changed.name.as_str(), changed.code.as_str()), ("2", "新锦绣", "JX"));
    let stale = ops.estates().update_estate(ops.ask(update("1", "旧锦绣"))).await.expect_err("refused");
    assert_eq!(refusal(&stale), (Code::Aborted, "STALE_ETAG".into()));
    let without = ops.estates().update_estate(ops.ask(update("", "又一个"))).await?.into_inner().estate.unwrap_or_default();
    assert_eq!(without.etag, "3");
    let mut unknown = update("", "x");
    unknown.update_mask = Some(prost_types::FieldMask { paths: vec!["unit_count".into()] });
    let refused = ops.estates().update_estate(ops.ask(unknown)).await.expect_err("refused");
    assert_eq!(violations(&refused), [("update_mask".to_owned(), "MASK_INVALID".to_owned())]);
    Ok(())
}

/// XC-30
#[tokio::test]
async fn an_estate_outside_the_scope_is_not_there() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let (mine, other) = (ops.estate("A").await?, ops.estate("B").await?);
    let (unit, customer) = (ops.unit(&other, "101").await?, ops.person(&other, "王芳", "19900000001").await?);
    let steward = world.caller(Claims::staff("li").role("estate_manager").estate(&mine.id));

    let estates = steward.estates().list_estates(steward.ask(pb::ListEstatesRequest::default())).await?.into_inner().estates;
    assert_eq!(estates.iter().map(|estate| &estate.id).collect::<Vec<_>>(), [&mine.id]);
    let not_there = |status: tonic::Status, what: &str| assert_eq!(refusal(&status), (Code::NotFound, format!("{what}_NOT_FOUND")));
    let get = pb::GetEstateRequest { estate_id: other.id.clone() };
    not_there(steward.estates().get_estate(steward.ask(get)).await.expect_err("refused"), "ESTATE");
    let get = pb::GetUnitRequest { unit_id: unit.id.clone() };
    not_there(steward.units().get_unit(steward.ask(get)).await.expect_err("refused"), "UNIT");
    let get = pb::GetCustomerRequest { customer_id: customer.id.clone() };
    not_there(steward.customers().get_customer(steward.ask(get)).await.expect_err("refused"), "CUSTOMER");
    let create = crate::world::person(&other, "李雷");
    not_there(steward.customers().create_customer(steward.ask(create)).await.expect_err("refused"), "ESTATE");
    let household = pb::GetHouseholdRequest { unit_id: unit.id };
    not_there(steward.households().get_household(steward.ask(household)).await.expect_err("refused"), "UNIT");

    let technician = world.caller(Claims::staff("zhao").role("technician").estate(&mine.id));
    let get = pb::GetEstateRequest { estate_id: mine.id };
    let refused = technician.estates().get_estate(technician.ask(get)).await.expect_err("refused");
    assert_eq!(refusal(&refused), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
    Ok(())
}

#[tokio::test]
async fn without_a_token_that_holds_nothing_is_answered() -> Result<()> {
    let world = World::new().await?;
    let bare = tonic::Request::new(pb::ListEstatesRequest::default());
    let refused = world.operations().estates().list_estates(bare).await.expect_err("refused");
    assert_eq!(refused.code(), Code::Unauthenticated);
    let foreign = world.caller(Claims::staff("li").role("group_operations").every_estate().issued_by("https://elsewhere.example"));
    let refused = foreign.estates().list_estates(foreign.ask(pb::ListEstatesRequest::default())).await.expect_err("refused");
    assert_eq!(refusal(&refused), (Code::Unauthenticated, "UNAUTHENTICATED".into()));
    Ok(())
}
