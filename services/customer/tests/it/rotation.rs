//! A key rotation as an operator does it: add, make current, wait, remove.

use anyhow::Result;
use steward_proto::customer::v1 as pb;

use crate::imports::{apply, counts, until, upload};
use crate::world::{World, eventually, person, request_id};

const SECOND: &str = "2=2222222222222222222222222222222222222222222222222222222222222222";

/// Values of every sealed column that are under key 1.
async fn under_the_old_key(world: &World) -> Result<i64> {
    let sql =
        "SELECT count(*) FROM (SELECT data_key AS sealed FROM customer.customers UNION ALL SELECT data_key FROM customer.estate_imports
                                     UNION ALL SELECT response FROM customer.idempotency_claims) AS all_sealed
                WHERE substring(sealed FROM 1 FOR 5) = '\\x0100000001'";
    Ok(sqlx::query_scalar(sql).fetch_one(&world.database.superuser().await?).await?)
}

/// XC-45
#[tokio::test]
async fn after_a_rotation_the_old_key_is_removed_and_everything_still_opens() -> Result<()> {
    let mut world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let request = pb::CreateCustomerRequest { phone: "19900001234".into(), ..person(&estate, "王芳") };
    let created = ops.customers().create_customer(ops.ask(request.clone())).await?.into_inner();
    let customer = created.customer.clone().unwrap_or_default();
    let file = "building,unit,customer_name,phone,role\n1,101,李雷,19900007777,owner\n";
    let import = upload(&ops, &estate, file.as_bytes()).await?;
    let planned = until(&ops, &import.id, pb::EstateImportState::Planned).await?;
    assert!(under_the_old_key(&world).await? >= 4, "a customer, a file and some answers");

    let first = world.keyring();
    let both = first.replace("current=1", &format!("{SECOND}\ncurrent=2"));
    world.restart_with_keyring(&first.replace("current=1", &format!("{SECOND}\ncurrent=1"))).await?;
    world.restart_with_keyring(&both).await?;
    eventually("nothing to be under the old key", || async { Ok((under_the_old_key(&world).await? == 0).then_some(())) }).await?;
    let without_the_first: String = both.lines().filter(|line| !line.starts_with("1=")).map(|line| format!("{line}\n")).collect();
    assert_ne!(without_the_first, both);
    world.restart_with_keyring(&without_the_first).await?;

    let ops = world.operations();
    let reveal = pb::RevealCustomerRequest {
        customer_id: customer.id.clone(),
        fields: vec![pb::CustomerField::Phone.into(), pb::CustomerField::Name.into()],
        purpose: pb::RevealPurpose::Emergency.into(),
        reason: "water runs through the ceiling".into(),
        work_order_id: String::new(),
    };
    let plain = ops.customers().reveal_customer(ops.ask(reveal)).await?.into_inner();
    assert_eq!((plain.phone.as_str(), plain.name.as_str()), ("+8619900001234", "王芳"));
    let search = pb::SearchCustomersByPhoneRequest { phone: "19900001234".into(), ..Default::default() };
    assert_eq!(ops.customers().search_customers_by_phone(ops.ask(search)).await?.into_inner().customers.len(), 1);
    assert_eq!(ops.customers().create_customer(ops.ask(request)).await?.into_inner(), created, "an answer of before the rotation");
    let found = crate::imports::get(&ops, &import.id).await?;
    assert_eq!(found.etag, planned.etag, "nothing changed for callers");
    apply(&ops, &found).await?;
    assert_eq!(counts(&until(&ops, &import.id, pb::EstateImportState::Applied).await?), (1, 0, 0, 0), "the file opens as well");
    let update = pb::UpdateCustomerRequest {
        request_id: request_id(),
        customer_id: customer.id,
        update_mask: Some(prost_types::FieldMask { paths: vec!["phone".into()] }),
        phone: "19900004321".into(),
        ..Default::default()
    };
    ops.customers().update_customer(ops.ask(update)).await?;
    Ok(())
}
