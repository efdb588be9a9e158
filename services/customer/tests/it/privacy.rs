//! Personal data: revealed with a reason, sealed at rest, never printed.

use anyhow::Result;
use sqlx::Row;
use steward_harness::Claims;
use steward_proto::customer::v1 as pb;
use tonic::Code;

use crate::world::{World, person, refusal, request_id, violations};

fn reveal(customer: &str) -> pb::RevealCustomerRequest {
    pb::RevealCustomerRequest {
        customer_id: customer.to_owned(),
        fields: vec![pb::CustomerField::Phone.into()],
        purpose: pb::RevealPurpose::Emergency.into(),
        reason: "water runs through the ceiling".into(),
        work_order_id: String::new(),
    }
}

/// CP-03, XC-31
#[tokio::test]
async fn a_reveal_answers_what_was_asked_and_is_chained_into_the_audit() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let (estate, other) = (ops.estate("A").await?, ops.estate("B").await?);
    let customer = ops.person(&estate, "王芳", "19900001234").await?;
    let hidden = ops.person(&other, "李雷", "19900001235").await?;
    let clerk = world.caller(Claims::staff("li").role("steward").estate(&estate.id));
    let mut audits = Vec::new();
    for _ in 0..2 {
        let answer = clerk.customers().reveal_customer(clerk.ask(reveal(&customer.id))).await?.into_inner();
        assert_eq!((answer.phone.as_str(), answer.name.as_str()), ("+8619900001234", ""));
        audits.push(answer.audit_id);
    }
    let refused = clerk.customers().reveal_customer(clerk.ask(reveal(&hidden.id))).await.expect_err("refused");
    assert_eq!(refused.code(), Code::NotFound);
    let mut vague = reveal(&customer.id);
    (vague.reason, vague.purpose) = ("why".into(), pb::RevealPurpose::WorkOrderContact.into());
    let refused = clerk.customers().reveal_customer(clerk.ask(vague)).await.expect_err("refused");
    let fields: Vec<String> = violations(&refused).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["reason", "work_order_id"]);
    let technician = world.caller(Claims::staff("zhao").role("technician").estate(&estate.id));
    let refused = technician.customers().reveal_customer(technician.ask(reveal(&customer.id))).await.expect_err("refused");
    assert_eq!(refusal(&refused), (Code::PermissionDenied, "PERMISSION_DENIED".into()));

    let pool = world.database.superuser().await?;
    let rows = sqlx::query(
        "SELECT id::text, kind, actor, content ->> 'reason' AS reason, content ->> 'purpose' AS purpose, customer_id::text
           FROM customer.audit_entries ORDER BY sequence",
    )
    .fetch_all(&pool)
    .await?;
    let ids: Vec<String> = rows.iter().map(|row| row.get("id")).collect();
    assert_eq!(ids, audits, "one entry for each answer, and none for what was refused");
    assert_eq!(rows[0].get::<String, _>("actor"), "li");
    assert_eq!(rows[0].get::<String, _>("purpose"), "emergency");
    assert_eq!(rows[0].get::<String, _>("reason"), "water runs through the ceiling");
    let broken = |pool: sqlx::PgPool, id: String| async move {
        sqlx::query_scalar::<_, Option<i64>>("SELECT customer.broken_audit_link($1::uuid)").bind(id).fetch_one(&pool).await
    };
    assert_eq!(broken(pool.clone(), customer.id.clone()).await?, None);
    sqlx::query("UPDATE customer.audit_entries SET content = content || '{\"reason\": \"none\"}' WHERE sequence = 1")
        .execute(&pool)
        .await?;
    assert_eq!(broken(pool, customer.id).await?, Some(1));
    Ok(())
}

/// CP-03
#[tokio::test]
async fn the_service_itself_cannot_rewrite_its_audit() -> Result<()> {
    let world = World::new().await?;
    let app = world.database.pool("customer").await?;
    for statement in [
        "DELETE FROM customer.audit_entries",
        "UPDATE customer.audit_entries SET actor = 'nobody'",
        "INSERT INTO customer.audit_heads VALUES (gen_random_uuid(), 1, '')",
        "DELETE FROM customer.customers",
    ] {
        let refused = sqlx::query(statement).execute(&app).await.expect_err(statement);
        assert_eq!(refused.as_database_error().and_then(|error| error.code()).as_deref(), Some("42501"), "{statement}");
    }
    Ok(())
}

/// CP-54
#[tokio::test]
async fn a_changed_phone_is_in_the_history_with_who_and_when() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let customer = ops.person(&estate, "王芳", "19900001234").await?;
    let update = |phone: &str| pb::UpdateCustomerRequest {
        request_id: request_id(),
        customer_id: customer.id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["phone".into(), "name".into()] }),
        name: "王芳".into(),
        phone: phone.into(),
        ..Default::default()
    };
    ops.customers().update_customer(ops.ask(update("19900009999"))).await?;
    ops.customers().update_customer(ops.ask(update("19900001234"))).await?;
    let pool = world.database.superuser().await?;
    let rows = sqlx::query("SELECT actor, occur_time::text, content -> 'changes' AS changes FROM customer.audit_entries ORDER BY sequence")
        .fetch_all(&pool)
        .await?;
    let changes: Vec<serde_json::Value> = rows.iter().map(|row| row.get("changes")).collect();
    assert_eq!(rows[0].get::<String, _>("actor"), "ops");
    assert!(rows[0].get::<String, _>("occur_time").starts_with("2026-06-10"));
    assert!(changes[0].get("name").is_none(), "a field that is the same did not change");
    assert_eq!(changes[0]["phone"]["after"], changes[1]["phone"]["before"]);
    assert_eq!(changes[0]["phone"]["before"], changes[1]["phone"]["after"]);
    assert_ne!(changes[0]["phone"]["before"], changes[0]["phone"]["after"]);
    Ok(())
}

/// XC-45: every text and byte of every table is looked at, as in a dump.
#[tokio::test]
async fn a_dump_of_the_database_holds_no_plain_personal_datum() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let request = pb::CreateCustomerRequest {
        phone: "19900001234".into(),
        email: "fang.wang@example.com".into(),
        id_number: "11010519491231002X".into(),
        address: "世纪大道100号".into(),
        ..person(&estate, "欧阳娜娜")
    };
    let customer = ops.customers().create_customer(ops.ask(request)).await?.into_inner().customer.unwrap_or_default();
    ops.customers().reveal_customer(ops.ask(reveal(&customer.id))).await?;
    let update = pb::UpdateCustomerRequest {
        request_id: request_id(),
        customer_id: customer.id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["phone".into()] }),
        phone: "19900004321".into(),
        ..Default::default()
    };
    ops.customers().update_customer(ops.ask(update)).await?;
    let file = "building,unit,customer_name,phone,email,role\n1,101,司马相如,19900007777,xiangru@example.com,owner\n1,102,诸葛孔明,1990000,,owner\n";
    let import = crate::imports::upload(&ops, &estate, file.as_bytes()).await?;
    let import = crate::imports::until(&ops, &import.id, pb::EstateImportState::Planned).await?;
    let everything = crate::imports::dump(&world).await?;
    assert!(everything.contains(&customer.id), "the dump is of the right database");
    crate::imports::apply(&ops, &import).await?;
    crate::imports::until(&ops, &import.id, pb::EstateImportState::Applied).await?;
    let everything = everything + &crate::imports::dump(&world).await?;
    for plain in [
        "19900001234",
        "19900004321",
        "19900007777",
        "fang.wang",
        "xiangru@",
        "11010519491231002",
        "世纪大道100号",
        "欧阳娜娜",
        "司马相如",
        "诸葛孔明",
    ] {
        assert!(!everything.contains(plain), "{plain} stands in the dump");
        assert!(!everything.contains(&hex::encode(plain)), "the bytes of {plain} stand in the dump");
    }
    Ok(())
}

/// XC-51
#[test]
fn messages_do_not_print_personal_data() {
    let estate = pb::Estate::default();
    let request = pb::CreateCustomerRequest { phone: "19900001234".into(), ..person(&estate, "王芳") };
    let reveal = pb::RevealCustomerResponse { phone: "+8619900001234".into(), name: "王芳".into(), ..Default::default() };
    let part = pb::UploadEstateImportRequest { data: b"19900001234".as_slice().into(), ..Default::default() };
    let printed = format!("{request:?} {reveal:?} {part:?}");
    assert!(printed.contains("***"), "{printed}");
    assert!(!printed.contains("19900001234") && !printed.contains("王芳"), "{printed}");
    assert!(!printed.contains("49, 57, 57"), "{printed}");
}

/// CP-03
#[tokio::test]
async fn addresses_are_resolved_for_services_only_and_wrong_ones_are_left_out() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let request = pb::CreateCustomerRequest {
        phone: "19900001234".into(),
        email: "fang@example.com".into(),
        preferred_language: "en".into(),
        ..person(&estate, "王芳")
    };
    let customer = ops.customers().create_customer(ops.ask(request)).await?.into_inner().customer.unwrap_or_default();
    let update = pb::UpdateCustomerRequest {
        request_id: request_id(),
        customer_id: customer.id.clone(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["contactability".into()] }),
        contactability: Some(pb::Contactability { phone_state: pb::AddressState::Invalid.into(), ..Default::default() }),
        ..Default::default()
    };
    ops.customers().update_customer(ops.ask(update)).await?;
    let resolve = pb::ResolveContactRequest {
        customer_id: customer.id,
        purpose: pb::ContactPurpose::Service.into(),
        message_id: request_id(),
        fields: vec![pb::CustomerField::Phone.into(), pb::CustomerField::Email.into()],
    };
    let notification = world.caller(Claims::service("notification").role("service.notification").every_estate());
    let contact = notification.contacts().resolve_contact(notification.ask(resolve.clone())).await?.into_inner();
    assert_eq!((contact.phone.as_str(), contact.email.as_str(), contact.name.as_str()), ("", "fang@example.com", ""));
    assert_eq!(contact.preferred_language, "en");
    let refused = ops.contacts().resolve_contact(ops.ask(resolve)).await.expect_err("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    Ok(())
}
