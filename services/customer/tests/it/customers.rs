//! Customers: masking, search, changes.

use anyhow::Result;
use steward_harness::Claims;
use steward_proto::customer::v1 as pb;
use tonic::Code;

use crate::world::{World, person, refusal, request_id, violations};

/// CP-03, CP-11
#[tokio::test]
async fn answers_are_masked_and_organisations_are_named() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let request = pb::CreateCustomerRequest {
        phone: "+86 199-0000-1234".into(),
        email: "fang@example.com".into(),
        id_number: "11010519491231002x".into(),
        address: "上海市浦东新区世纪大道100号".into(),
        ..person(&estate, "王芳")
    };
    let customer = ops.customers().create_customer(ops.ask(request)).await?.into_inner().customer.unwrap_or_default();
    assert_eq!(customer.number, "CU-000001");
    let shown = [&customer.name, &customer.phone, &customer.email, &customer.id_number, &customer.address];
    assert_eq!(shown, ["王**", "199****1234", "f***@example.com", "1****************X", "上海市浦东新****"]);

    let shop =
        pb::CreateCustomerRequest { kind: pb::CustomerKind::Organisation.into(), ..person(&estate, "锦绣便民超市有限公司") };
    let shop = ops.customers().create_customer(ops.ask(shop)).await?.into_inner().customer.unwrap_or_default();
    assert_eq!(shop.name, "锦绣便民超市有限公司");
    let list = pb::ListCustomersRequest { estate_id: estate.id, kind: pb::CustomerKind::Person.into(), ..Default::default() };
    let listed = ops.customers().list_customers(ops.ask(list)).await?.into_inner().customers;
    assert_eq!(listed, [customer]);
    Ok(())
}

/// CP-01
#[tokio::test]
async fn a_shared_phone_is_told_and_a_taken_identity_number_refused() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let (estate, other) = (ops.estate("A").await?, ops.estate("B").await?);
    let first = ops.person(&estate, "王芳", "19900001234").await?;
    let hidden = ops.person(&other, "赵六", "19900001234").await?;
    let clerk = world.caller(Claims::staff("li").role("steward").estate(&estate.id));
    let request = pb::CreateCustomerRequest {
        phone: "１９９００００１２３４".into(),
        id_number: "11010519491231002X".into(),
        ..person(&estate, "王小明")
    };
    let answer = clerk.customers().create_customer(clerk.ask(request.clone())).await?.into_inner();
    assert_eq!(answer.same_phone_customer_ids, [first.id.as_str()], "and not {}", hidden.id);
    let again = pb::CreateCustomerRequest { request_id: request_id(), phone: String::new(), ..request };
    let refused = clerk.customers().create_customer(clerk.ask(again)).await.expect_err("refused");
    assert_eq!(refusal(&refused), (Code::AlreadyExists, "CUSTOMER_EXISTS".into()));
    let wrong = pb::CreateCustomerRequest {
        phone: "12345".into(),
        id_number: "110105194912310021".into(),
        preferred_language: "fr".into(),
        ..person(&estate, "王小明")
    };
    let refused = clerk.customers().create_customer(clerk.ask(wrong)).await.expect_err("refused");
    let told: Vec<String> = violations(&refused).into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(told, ["PHONE_INVALID", "LANGUAGE_UNKNOWN", "ID_NUMBER_INVALID"]);
    Ok(())
}

/// CP-35, XC-30
#[tokio::test]
async fn a_phone_is_found_in_any_spelling_within_the_callers_estates() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let (estate, other) = (ops.estate("A").await?, ops.estate("B").await?);
    let mine = ops.person(&estate, "王芳", "19900001234").await?;
    let theirs = ops.person(&other, "赵六", "19900001234").await?;
    let clerk = world.caller(Claims::staff("li").role("customer_service").estate(&estate.id));
    for spelling in ["19900001234", "+86 199 0000 1234", "0086-199-0000-1234", "１９９ ００００ １２３４"] {
        let request = pb::SearchCustomersByPhoneRequest { phone: spelling.into(), ..Default::default() };
        let found = clerk.customers().search_customers_by_phone(clerk.ask(request)).await?.into_inner().customers;
        assert_eq!(found.iter().map(|customer| &customer.id).collect::<Vec<_>>(), [&mine.id], "{spelling}");
    }
    let part = pb::SearchCustomersByPhoneRequest { phone: "1990000".into(), ..Default::default() };
    let refused = clerk.customers().search_customers_by_phone(clerk.ask(part)).await.expect_err("refused");
    assert_eq!(violations(&refused), [("phone".to_owned(), "PHONE_INVALID".to_owned())]);
    // A tenure in the caller's estate makes a customer of another estate visible.
    let unit = ops.unit(&estate, "101").await?;
    ops.tenure(&unit, &theirs, pb::TenureRole::Tenant, ("2026-01-01", "")).await?;
    let request = pb::SearchCustomersByPhoneRequest { phone: "19900001234".into(), page_size: 1, ..Default::default() };
    let first = clerk.customers().search_customers_by_phone(clerk.ask(request.clone())).await?.into_inner();
    let next = pb::SearchCustomersByPhoneRequest { page_token: first.next_page_token, ..request };
    let second = clerk.customers().search_customers_by_phone(clerk.ask(next)).await?.into_inner();
    assert_eq!([&first.customers[0].id, &second.customers[0].id], [&theirs.id, &mine.id]);
    Ok(())
}

/// CP-36
#[tokio::test]
async fn a_new_phone_is_one_that_nobody_has_tried() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let customer = ops.person(&estate, "王芳", "19900001234").await?;
    let update = |etag: &str, paths: &[&str], phone: &str| pb::UpdateCustomerRequest {
        request_id: request_id(),
        customer_id: customer.id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }),
        etag: etag.into(),
        phone: phone.into(),
        contactability: Some(pb::Contactability {
            phone_state: pb::AddressState::Invalid.into(),
            do_not_disturb: true,
            ..Default::default()
        }),
        ..Default::default()
    };
    let request = update("1", &["contactability"], "");
    let changed = ops.customers().update_customer(ops.ask(request)).await?.into_inner().customer.unwrap_or_default();
    let state = |customer: &pb::Customer| customer.contactability.unwrap_or_default().phone_state();
    assert_eq!((state(&changed), changed.phone.as_str()), (pb::AddressState::Invalid, "199****1234"));
    let request = update("2", &["phone"], "19900009999");
    let changed = ops.customers().update_customer(ops.ask(request)).await?.into_inner().customer.unwrap_or_default();
    assert_eq!((state(&changed), changed.phone.as_str()), (pb::AddressState::Unspecified, "199****9999"));
    assert!(changed.contactability.is_some_and(|contactability| contactability.do_not_disturb));
    let stale = ops.customers().update_customer(ops.ask(update("2", &["phone"], ""))).await.expect_err("refused");
    assert_eq!(refusal(&stale), (Code::Aborted, "STALE_ETAG".into()));
    let search = pb::SearchCustomersByPhoneRequest { phone: "19900001234".into(), ..Default::default() };
    assert!(ops.customers().search_customers_by_phone(ops.ask(search)).await?.into_inner().customers.is_empty());
    Ok(())
}
