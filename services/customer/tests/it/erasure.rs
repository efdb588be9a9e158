//! Persons who are erased: nothing of them opens or is found, what they did is counted still.

use anyhow::{Context, Result};
use serde_json::Value;
use sqlx::Row;
use steward_harness::Claims;
use steward_proto::customer::v1 as pb;
use tonic::{Code, Status};

use crate::imports::dump;
use crate::world::{Caller, World, eventually, person, refusal, request_id, violations};

const PHONE: &str = "19900001234";
const ID_NUMBER: &str = "11010519491231002X";

fn erasure(customer: &str) -> pb::EraseCustomerRequest {
    pb::EraseCustomerRequest {
        request_id: request_id(),
        customer_id: customer.to_owned(),
        etag: String::new(),
        basis: pb::ErasureBasis::PersonRequest.into(),
        reason: "asked for at the desk, form 12".into(),
    }
}

async fn erase(caller: &Caller, request: pb::EraseCustomerRequest) -> Result<pb::Customer, Status> {
    Ok(caller.customers().erase_customer(caller.ask(request)).await?.into_inner().customer.unwrap_or_default())
}

async fn full_person(ops: &Caller, estate: &pb::Estate) -> Result<pb::Customer> {
    let request = pb::CreateCustomerRequest {
        phone: PHONE.into(),
        email: "fang.wang@example.com".into(),
        id_number: ID_NUMBER.into(),
        address: "世纪大道100号".into(),
        ..person(estate, "王芳")
    };
    ops.customers().create_customer(ops.ask(request)).await?.into_inner().customer.context("a customer")
}

fn update(customer: &str, phone: &str) -> pb::UpdateCustomerRequest {
    pb::UpdateCustomerRequest {
        request_id: request_id(),
        customer_id: customer.to_owned(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["phone".into()] }),
        phone: phone.into(),
        ..Default::default()
    }
}

fn reveal(customer: &str) -> pb::RevealCustomerRequest {
    pb::RevealCustomerRequest {
        customer_id: customer.to_owned(),
        fields: vec![pb::CustomerField::Phone.into(), pb::CustomerField::Name.into()],
        purpose: pb::RevealPurpose::LegalDuty.into(),
        reason: "an order of the court".into(),
        work_order_id: String::new(),
    }
}

/// What the row keeps of a person: sealed values, the key, indexes; as hexadecimal digits.
async fn kept(world: &World, customer: &str) -> Result<Vec<String>> {
    let sql = "SELECT ARRAY[data_key, name, phone, email, id_number, address, name_index, phone_index, id_number_index] AS kept
                 FROM customer.customers WHERE id = $1::uuid";
    let row = sqlx::query(sql).bind(customer).fetch_one(&world.database.superuser().await?).await?;
    Ok(row.get::<Vec<Option<Vec<u8>>>, _>("kept").into_iter().flatten().map(hex::encode).collect())
}

async fn found_by_phone(caller: &Caller) -> Result<Vec<pb::Customer>> {
    let request = pb::SearchCustomersByPhoneRequest { phone: PHONE.into(), ..Default::default() };
    Ok(caller.customers().search_customers_by_phone(caller.ask(request)).await?.into_inner().customers)
}

/// CP-50, CP-51, XC-45
#[tokio::test]
async fn an_erased_person_is_gone_from_every_table_and_stays_in_the_statistics() -> Result<()> {
    let world = World::new().await?;
    let (ops, officer) = (world.operations(), world.privacy_officer());
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "101").await?;
    let customer = full_person(&ops, &estate).await?;
    ops.customers().update_customer(ops.ask(update(&customer.id, "19900009999"))).await?;
    ops.customers().update_customer(ops.ask(update(&customer.id, PHONE))).await?;
    ops.tenure(&unit, &customer, pb::TenureRole::Owner, ("2020-01-01", "2025-12-31")).await?;
    let before = kept(&world, &customer.id).await?;
    assert_eq!(before.len(), 9);
    let everything = dump(&world).await?;
    assert!(before.iter().all(|value| everything.contains(value)), "the dump shows what there is");
    assert_eq!(found_by_phone(&officer).await?.len(), 1);

    let request = erasure(&customer.id);
    let erased = erase(&officer, request.clone()).await?;
    assert!(erased.erase_time.is_some());
    assert_eq!([&erased.name, &erased.phone, &erased.email, &erased.id_number, &erased.address], [""; 5]);
    assert!(erased.contactability.unwrap_or_default().do_not_disturb);
    assert_eq!(erase(&officer, request).await?, erased, "the same request, the same answer");
    let get = pb::GetCustomerRequest { customer_id: customer.id.clone() };
    assert_eq!(ops.customers().get_customer(ops.ask(get)).await?.into_inner().customer, Some(erased.clone()));

    // Neither key nor sealed value nor index stands anywhere, so no keyring opens them and no search finds them.
    assert_eq!(kept(&world, &customer.id).await?, Vec::<String>::new());
    let everything = dump(&world).await?;
    for value in &before {
        assert!(!everything.contains(value), "{value} still stands somewhere");
    }
    assert_eq!(found_by_phone(&officer).await?, []);

    // The same person may come again, as somebody new.
    let again = full_person(&ops, &estate).await?;
    assert_ne!(again.id, customer.id);
    assert_eq!(found_by_phone(&officer).await?.len(), 1);

    // What they were is counted still.
    let list = pb::ListTenuresRequest { unit_id: unit.id.clone(), ..Default::default() };
    let tenures = ops.tenures().list_tenures(ops.ask(list)).await?.into_inner().tenures;
    assert_eq!((tenures.len(), tenures[0].customer_name.as_str(), tenures[0].to_date.as_str()), (1, "", "2025-12-31"));
    let of_estate = pb::ListCustomersRequest { estate_id: estate.id.clone(), ..Default::default() };
    let listed = ops.customers().list_customers(ops.ask(of_estate)).await?.into_inner().customers;
    assert_eq!(listed.iter().filter(|listed| listed.erase_time.is_some()).count(), 1);
    let entries = eventually("the timeline to tell of it", || async {
        let request = pb::ListTimelineEntriesRequest { customer_id: customer.id.clone(), ..Default::default() };
        let entries = ops.timeline().list_timeline_entries(ops.ask(request)).await?.into_inner().entries;
        Ok(Some(entries).filter(|entries| entries.iter().any(|entry| entry.title_code == "customer.erased")))
    })
    .await?;
    assert!(entries.len() >= 4, "what was there stays: {entries:?}");
    Ok(())
}

/// CP-54: who erased whom, when, on what ground; others hear of it.
#[tokio::test]
async fn an_erasure_is_audited_and_told() -> Result<()> {
    let world = World::new().await?;
    let (ops, officer) = (world.operations(), world.privacy_officer());
    let estate = ops.estate("JX").await?;
    let customer = full_person(&ops, &estate).await?;
    ops.customers().update_customer(ops.ask(update(&customer.id, "19900009999"))).await?;
    erase(&officer, erasure(&customer.id)).await?;
    let pool = world.database.superuser().await?;
    let entry = sqlx::query("SELECT actor, content FROM customer.audit_entries WHERE kind = 'erase'").fetch_one(&pool).await?;
    let content: Value = entry.get("content");
    assert_eq!(entry.get::<String, _>("actor"), "officer");
    assert_eq!((&content["basis"], &content["reason"]), (&"person_request".into(), &"asked for at the desk, form 12".into()));
    let broken: Option<i64> = sqlx::query_scalar("SELECT customer.broken_audit_link($1::uuid)").bind(&customer.id).fetch_one(&pool).await?;
    assert_eq!(broken, None, "the chain holds");
    let told = "SELECT count(*) FROM customer.outbox WHERE type = 'steward.customer.v1.CustomerErased' AND subject_id = $1::uuid";
    assert_eq!(sqlx::query_scalar::<_, i64>(told).bind(&customer.id).fetch_one(&pool).await?, 1);
    Ok(())
}

/// CP-51
#[tokio::test]
async fn of_an_erased_person_nothing_is_shown_or_changed() -> Result<()> {
    let world = World::new().await?;
    let (ops, officer) = (world.operations(), world.privacy_officer());
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "101").await?;
    let customer = full_person(&ops, &estate).await?;
    let erased = erase(&officer, erasure(&customer.id)).await?;
    let no = (Code::FailedPrecondition, "CUSTOMER_ERASED".to_owned());
    let refused = ops.customers().update_customer(ops.ask(update(&customer.id, "19900009999"))).await.expect_err("refused");
    assert_eq!(refusal(&refused), no);
    let refused = officer.customers().reveal_customer(officer.ask(reveal(&customer.id))).await.expect_err("refused");
    assert_eq!(refusal(&refused), no);
    let refused = ops.tenure(&unit, &customer, pb::TenureRole::Tenant, ("2026-06-01", "")).await.expect_err("refused");
    assert_eq!(refusal(&refused), no);
    assert_eq!(refusal(&erase(&officer, erasure(&customer.id)).await.expect_err("refused")), no);
    // A service that wants to send finds no address, and somebody who wants to be left alone.
    let resolve = pb::ResolveContactRequest {
        customer_id: customer.id.clone(),
        purpose: pb::ContactPurpose::Service.into(),
        message_id: request_id(),
        fields: vec![pb::CustomerField::Phone.into(), pb::CustomerField::Email.into()],
    };
    let notification = world.caller(Claims::service("notification").role("service.notification").every_estate());
    let contact = notification.contacts().resolve_contact(notification.ask(resolve)).await?.into_inner();
    assert_eq!((contact.phone.as_str(), contact.email.as_str()), ("", ""));
    assert!(contact.contactability.unwrap_or_default().do_not_disturb);
    // An import does not take the row for somebody else's, nor fill it again.
    let file = format!("building,unit,customer_name,phone,id_number,role,from_date\n1,101,王芳,{PHONE},{ID_NUMBER},owner,2020-01-01\n");
    let import = crate::imports::upload(&ops, &estate, file.as_bytes()).await?;
    let planned = crate::imports::until(&ops, &import.id, pb::EstateImportState::Planned).await?;
    crate::imports::apply(&ops, &planned).await?;
    crate::imports::until(&ops, &import.id, pb::EstateImportState::Applied).await?;
    let found = found_by_phone(&ops).await?;
    assert_eq!(found.len(), 1);
    assert_ne!(found[0].id, erased.id);
    assert_eq!(kept(&world, &customer.id).await?, Vec::<String>::new());
    Ok(())
}

/// CP-51: whoever lives or owns here is not erased by mistake, and not by anybody.
#[tokio::test]
async fn an_erasure_is_refused_while_a_tenure_lasts_and_to_those_who_may_not() -> Result<()> {
    let world = World::new().await?;
    let (ops, officer) = (world.operations(), world.privacy_officer());
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "101").await?;
    let customer = full_person(&ops, &estate).await?;
    let tenure = ops.tenure(&unit, &customer, pb::TenureRole::Owner, ("2020-01-01", "")).await?;
    let refused = erase(&officer, erasure(&customer.id)).await.expect_err("refused");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "TENURE_OPEN".into()));
    let refused = erase(&ops, erasure(&customer.id)).await.expect_err("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let stale = pb::EraseCustomerRequest { etag: "7".into(), ..erasure(&customer.id) };
    assert_eq!(refusal(&erase(&officer, stale).await.expect_err("refused")), (Code::Aborted, "STALE_ETAG".into()));
    let groundless = pb::EraseCustomerRequest { basis: 0, ..erasure(&customer.id) };
    let groundless = violations(&erase(&officer, groundless).await.expect_err("refused"));
    assert_eq!(groundless.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(), ["basis"]);
    let nobody = erase(&officer, erasure(&request_id())).await.expect_err("refused");
    assert_eq!(refusal(&nobody), (Code::NotFound, "CUSTOMER_NOT_FOUND".into()));
    assert_eq!(kept(&world, &customer.id).await?.len(), 9, "nothing was touched");
    let end = pb::EndTenureRequest { request_id: request_id(), tenure_id: tenure.id, to_date: "2026-06-10".into(), ..Default::default() };
    ops.tenures().end_tenure(ops.ask(end)).await?;
    assert!(erase(&officer, erasure(&customer.id)).await?.erase_time.is_some());
    Ok(())
}
