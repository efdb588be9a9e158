//! Attributes, key dates, uses of services, and the tags that follow from them.

use anyhow::Result;
use steward_harness::Claims;
use steward_kit::predicate::ask;
use steward_proto::common::v1 as common;
use steward_proto::customer::v1 as pb;
use tonic::Code;
use uuid::Uuid;

use crate::audiences::survey;
use crate::world::{Caller, World, refusal, request_id, violations};
use pb::CustomerAttributeKind as Kind;
use pb::KeyDateKind::{Birthday, Signing};

async fn attribute(ops: &Caller, customer: &pb::Customer, kind: Kind, value: &str, consent: bool) -> Result<(), tonic::Status> {
    let request = pb::SetCustomerAttributeRequest {
        request_id: request_id(),
        customer_id: customer.id.clone(),
        kind: kind.into(),
        value: value.into(),
        source: "visit".into(),
        consent_id: if consent { Uuid::now_v7().to_string() } else { String::new() },
    };
    ops.profiles().set_customer_attribute(ops.ask(request)).await.map(drop)
}

fn birthday(customer: &pb::Customer, date: &str, is_lunar: bool) -> pb::SetKeyDateRequest {
    pb::SetKeyDateRequest {
        request_id: request_id(),
        customer_id: customer.id.clone(),
        kind: Birthday.into(),
        occur_date: date.into(),
        is_lunar,
        source: "visit".into(),
        consent_id: Uuid::now_v7().to_string(),
        ..Default::default()
    }
}

async fn tag(ops: &Caller, code: &str, rule: common::Predicate) -> Result<pb::Tag, tonic::Status> {
    let request = pb::CreateTagRequest {
        request_id: request_id(),
        code: code.into(),
        name_zh: "标签".into(),
        name_en: code.into(),
        predicate: Some(rule),
    };
    Ok(ops.tags().create_tag(ops.ask(request)).await?.into_inner().tag.unwrap_or_default())
}

async fn tags(ops: &Caller, customer: &pb::Customer) -> Result<Vec<pb::CustomerTag>> {
    let request = pb::ListCustomerTagsRequest { customer_id: customer.id.clone(), ..Default::default() };
    Ok(ops.profiles().list_customer_tags(ops.ask(request)).await?.into_inner().tags)
}

async fn codes(ops: &Caller, customer: &pb::Customer) -> Result<Vec<String>> {
    Ok(tags(ops, customer).await?.into_iter().map(|tag| tag.code).collect())
}

async fn used(ops: &Caller, unit: &pb::Unit, customer: &pb::Customer, service: &str, count: i32) -> Result<String, tonic::Status> {
    let request = pb::RecordServiceUsageRequest {
        request_id: request_id(),
        unit_id: unit.id.clone(),
        customer_id: customer.id.clone(),
        service_code: service.into(),
        use_count: count,
        use_time: Some(prost_types::Timestamp { seconds: 1_781_053_200, nanos: 0 }),
    };
    Ok(ops.profiles().record_service_usage(ops.ask(request)).await?.into_inner().use_date)
}

/// CP-22, CP-27
#[tokio::test]
async fn elderly_is_sixty_alone_and_a_user_of_doorstep_payment_and_says_why() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "101").await?;
    let (elder, child) = (ops.person(&estate, "王芳", "19900000001").await?, ops.person(&estate, "王小明", "").await?);
    ops.tenure(&unit, &elder, pb::TenureRole::Owner, ("2020-01-01", "")).await?;
    ops.tenure(&unit, &child, pb::TenureRole::FamilyMember, ("2020-01-01", "")).await?;
    let rule = ask::all([
        ask::at_least("customer.age", 60),
        ask::equals("customer.family_structure", ["alone"]),
        ask::at_least("service.doorstep_payment_use_90d", 1),
    ]);
    let created = tag(&ops, "elderly", rule).await?;
    assert_eq!((created.version, created.state()), (1, pb::TagState::Active));
    assert_eq!(codes(&ops, &elder).await?, Vec::<String>::new());

    let refused = attribute(&ops, &elder, Kind::FamilyStructure, "alone", false).await.expect_err("refused");
    assert_eq!(violations(&refused), [("consent_id".to_owned(), "CONSENT_REQUIRED".to_owned())]);
    let refused = attribute(&ops, &elder, Kind::FamilyStructure, "lonely", true).await.expect_err("refused");
    assert_eq!(violations(&refused), [("value".to_owned(), "ATTRIBUTE_VALUE_UNKNOWN".to_owned())]);
    attribute(&ops, &elder, Kind::FamilyStructure, "alone", true).await?;
    ops.profiles().set_key_date(ops.ask(birthday(&elder, "1965-06-10", false))).await?;
    assert_eq!(used(&ops, &unit, &elder, "doorstep_payment", 1).await?, "2026-06-10");

    let found = tags(&ops, &elder).await?;
    let told: Vec<_> = found[0].reasons.iter().map(|reason| (reason.field.as_str(), reason.truth(), reason.fact.as_str())).collect();
    assert_eq!(
        told,
        [
            ("customer.age", common::Truth::True, "recorded"),
            ("customer.family_structure", common::Truth::True, "recorded"),
            ("service.doorstep_payment_use_90d", common::Truth::True, "1"),
        ]
    );
    assert_eq!((found[0].code.as_str(), found[0].version, codes(&ops, &child).await?.len()), ("elderly", 1, 0));

    // Ninety days later the use is too long ago: the tag goes by itself.
    world.clock.set("2026-09-09T08:00:00+08:00".parse()?);
    assert_eq!(codes(&ops, &elder).await?, Vec::<String>::new());
    world.clock.set("2026-06-10T10:00:00+08:00".parse()?);
    used(&ops, &unit, &elder, "doorstep_payment", 1).await?;
    attribute(&ops, &elder, Kind::HasOptedOutOfProfiling, "true", false).await?;
    assert_eq!(codes(&ops, &elder).await?, Vec::<String>::new(), "whoever wants no profile has no tag");
    Ok(())
}

/// CP-23, CP-24
#[tokio::test]
async fn young_professional_ends_at_thirty_six_and_a_changed_rule_is_a_new_version() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "101").await?;
    let tenant = ops.person(&estate, "李雷", "19900000002").await?;
    ops.tenure(&unit, &tenant, pb::TenureRole::Tenant, ("2025-01-01", "")).await?;
    ops.profiles().set_key_date(ops.ask(birthday(&tenant, "1990-06-11", false))).await?;
    used(&ops, &unit, &tenant, "parcel", 5).await?;
    let young = ask::all([
        ask::between("customer.age", 25, 35),
        ask::equals("tenure.role", ["tenant"]),
        ask::at_least("service.parcel_use_30d", 5),
    ]);
    let created = tag(&ops, "young_professional", young.clone()).await?;
    let business = ask::all([ask::is_true("customer.is_company_owner"), ask::at_least("service.meeting_room_use_90d", 3)]);
    tag(&ops, "business", business).await?;
    assert_eq!(codes(&ops, &tenant).await?, ["young_professional"]);
    used(&ops, &unit, &tenant, "meeting_room", 3).await?;
    attribute(&ops, &tenant, Kind::IsCompanyOwner, "true", true).await?;
    assert_eq!(codes(&ops, &tenant).await?, ["business", "young_professional"]);

    world.clock.set("2026-06-11T08:00:00+08:00".parse()?);
    assert_eq!(codes(&ops, &tenant).await?, ["business"], "thirty-six today");

    let update = |etag: &str, rule: common::Predicate| pb::UpdateTagRequest {
        request_id: request_id(),
        tag_id: created.id.clone(),
        etag: etag.into(),
        name_zh: "年轻白领".into(),
        name_en: "Young professional".into(),
        predicate: Some(rule),
    };
    let wider = ask::all([ask::between("customer.age", 25, 40), ask::equals("tenure.role", ["tenant"])]);
    let changed = ops.tags().update_tag(ops.ask(update("1", wider))).await?.into_inner().tag.unwrap_or_default();
    assert_eq!((changed.version, changed.etag.as_str()), (2, "2"));
    let found = tags(&ops, &tenant).await?;
    assert_eq!((found[1].code.as_str(), found[1].version), ("young_professional", 2));
    let stale = ops.tags().update_tag(ops.ask(update("1", young.clone()))).await.expect_err("refused");
    assert_eq!(refusal(&stale), (Code::Aborted, "STALE_ETAG".into()));
    let retire = || pb::RetireTagRequest { request_id: request_id(), tag_id: created.id.clone(), etag: String::new() };
    ops.tags().retire_tag(ops.ask(retire())).await?;
    assert_eq!(codes(&ops, &tenant).await?, ["business"]);
    let refused = ops.tags().retire_tag(ops.ask(retire())).await.expect_err("refused");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "TAG_STATE_FORBIDS".into()));

    let circular = tag(&ops, "circle", ask::has_any("tag", ["business"])).await.expect_err("refused");
    assert_eq!(violations(&circular), [("predicate.condition.field".to_owned(), "TAG_ASKS_TAGS".to_owned())]);
    let taken = tag(&ops, "business", young).await.expect_err("refused");
    assert_eq!(refusal(&taken), (Code::AlreadyExists, "TAG_CODE_TAKEN".into()));
    let request = pb::ListTagsRequest { state: pb::TagState::Active.into(), ..Default::default() };
    let listed = ops.tags().list_tags(ops.ask(request)).await?.into_inner().tags;
    assert_eq!(listed.iter().map(|tag| tag.code.as_str()).collect::<Vec<_>>(), ["business"]);
    Ok(())
}

/// CP-31, CA-28
#[tokio::test]
async fn a_lunar_birthday_falls_on_its_civil_day_of_each_year_and_is_never_shown_whole() -> Result<()> {
    let world = World::new().await?;
    let (ops, care) = (world.operations(), survey(&world));
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "101").await?;
    let elder = ops.person(&estate, "王芳", "19900000001").await?;
    ops.tenure(&unit, &elder, pb::TenureRole::Owner, ("2020-01-01", "")).await?;
    let without = pb::SetKeyDateRequest { consent_id: String::new(), ..birthday(&elder, "1950-02-17", true) };
    let refused = ops.profiles().set_key_date(ops.ask(without)).await.expect_err("refused");
    assert_eq!(violations(&refused), [("consent_id".to_owned(), "CONSENT_REQUIRED".to_owned())]);
    // 17 February 1950 was the first day of its lunar year.
    let request = birthday(&elder, "1950-02-17", true);
    let set = ops.profiles().set_key_date(ops.ask(request.clone())).await?.into_inner().key_date.unwrap_or_default();
    assert_eq!((set.masked_date.as_str(), set.next_date.as_str(), set.is_lunar), ("****-02-17", "2027-02-06", true));
    let again = ops.profiles().set_key_date(ops.ask(request)).await?.into_inner().key_date.unwrap_or_default();
    assert_eq!(again, set);

    let falls = async |from: &str, to: &str| -> Result<Vec<(String, String)>> {
        let request = pb::ListKeyDateOccurrencesRequest {
            estate_id: estate.id.clone(),
            from_date: from.into(),
            to_date: to.into(),
            kinds: vec!["birthday".into()],
            ..Default::default()
        };
        let found = care.audiences().list_key_date_occurrences(care.ask(request)).await?.into_inner().occurrences;
        Ok(found.into_iter().map(|date| (date.customer_id, date.occur_date)).collect())
    };
    assert_eq!(falls("2026-02-01", "2026-02-28").await?, [(elder.id.clone(), "2026-02-17".to_owned())]);
    assert_eq!(falls("2027-02-01", "2027-02-28").await?, [(elder.id.clone(), "2027-02-06".to_owned())]);
    assert_eq!(falls("2026-06-01", "2026-07-31").await?, []);
    let pool = world.database.superuser().await?;
    let sealed: Vec<u8> = sqlx::query_scalar("SELECT sealed FROM customer.key_dates").fetch_one(&pool).await?;
    assert!(!sealed.windows(4).any(|bytes| bytes == b"1950"));

    // A contract belongs to a unit; a birthday to nobody but the person.
    let signing = |unit_id: &str| pb::SetKeyDateRequest {
        kind: Signing.into(),
        unit_id: unit_id.into(),
        consent_id: String::new(),
        ..birthday(&elder, "2019-01-01", false)
    };
    let refused = ops.profiles().set_key_date(ops.ask(signing(""))).await.expect_err("refused");
    assert_eq!(violations(&refused), [("unit_id".to_owned(), "KEY_DATE_UNSUITED".to_owned())]);
    ops.profiles().set_key_date(ops.ask(signing(&unit.id))).await?;
    let request = pb::ListKeyDatesRequest { customer_id: elder.id.clone(), ..Default::default() };
    let listed = ops.profiles().list_key_dates(ops.ask(request.clone())).await?.into_inner().key_dates;
    assert_eq!(listed.iter().map(|date| date.masked_date.as_str()).collect::<Vec<_>>(), ["****-02-17", "2019-01-01"]);
    let forget = |id: &str| pb::DeleteKeyDateRequest { request_id: request_id(), customer_id: elder.id.clone(), key_date_id: id.into() };
    ops.profiles().delete_key_date(ops.ask(forget(&set.id))).await?;
    let gone = ops.profiles().delete_key_date(ops.ask(forget(&set.id))).await.expect_err("refused");
    assert_eq!(refusal(&gone), (Code::NotFound, "KEY_DATE_NOT_FOUND".into()));
    assert_eq!(falls("2026-02-01", "2026-02-28").await?, []);
    Ok(())
}

/// CP-05, CP-06, CP-55
#[tokio::test]
async fn attributes_carry_source_and_consent_and_uses_count_per_member() -> Result<()> {
    let world = World::new().await?;
    let (ops, survey) = (world.operations(), survey(&world));
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "101").await?;
    let (owner, stranger) = (ops.person(&estate, "王芳", "19900000001").await?, ops.person(&estate, "李雷", "").await?);
    ops.tenure(&unit, &owner, pb::TenureRole::Owner, ("2020-01-01", "")).await?;
    attribute(&ops, &owner, Kind::Occupation, "retired", true).await?;
    attribute(&ops, &owner, Kind::Tier, "premium", false).await?;
    let request = pb::ListCustomerAttributesRequest { customer_id: owner.id.clone(), ..Default::default() };
    let listed = ops.profiles().list_customer_attributes(ops.ask(request)).await?.into_inner().attributes;
    let told: Vec<_> = listed.iter().map(|a| (a.kind(), a.value.as_str(), a.source.as_str(), a.consent_id.is_empty())).collect();
    assert_eq!(told, [(Kind::Occupation, "retired", "visit", false), (Kind::Tier, "premium", "visit", true)]);

    for _ in 0..5 {
        used(&ops, &unit, &owner, "parcel", 1).await?;
    }
    let refused = used(&ops, &unit, &stranger, "parcel", 1).await.expect_err("refused");
    assert_eq!(refusal(&refused).0, Code::NotFound);
    let request = pb::ListAudienceMembersRequest {
        estate_id: estate.id.clone(),
        predicate: Some(ask::equals("customer.tier", ["premium"])),
        fact_fields: vec!["service.parcel_use_30d".into(), "customer.contact_mode".into(), "customer.kind".into()],
        ..Default::default()
    };
    let found = survey.audiences().list_audience_members(survey.ask(request)).await?.into_inner().members;
    assert_eq!(found[0].facts.get("service.parcel_use_30d").map(String::as_str), Some("5"));
    assert_eq!(found[0].facts.get("customer.contact_mode").map(String::as_str), Some("online"));
    let technician = world.caller(Claims::staff("t").role("technician").estate(&estate.id));
    let refused = attribute(&technician, &owner, Kind::Tier, "premium", false).await.expect_err("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    Ok(())
}
