//! Who is what to which unit, and who sees it.

use anyhow::Result;
use steward_harness::Claims;
use steward_proto::customer::v1 as pb;
use tonic::Code;

use crate::world::{Caller, World, refusal, request_id, violations};
use pb::TenureRole::{CoOwner, Owner, Tenant};

async fn holders(caller: &Caller, unit: &pb::Unit, day: &str) -> Result<Vec<String>> {
    let request = pb::ListTenuresRequest { unit_id: unit.id.clone(), on_date: day.into(), ..Default::default() };
    let tenures = caller.tenures().list_tenures(caller.ask(request)).await?.into_inner().tenures;
    Ok(tenures.into_iter().map(|tenure| tenure.customer_id).collect())
}

fn end(tenure: &pb::Tenure, etag: &str, to_date: &str) -> pb::EndTenureRequest {
    pb::EndTenureRequest {
        request_id: request_id(),
        tenure_id: tenure.id.clone(),
        etag: etag.into(),
        to_date: to_date.into(),
        ..Default::default()
    }
}

/// CP-16
#[tokio::test]
async fn a_sale_on_the_first_of_june_changes_the_owner_on_that_day() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "1802").await?;
    let (seller, buyer) = (ops.person(&estate, "王芳", "").await?, ops.person(&estate, "李雷", "").await?);
    let old = ops.tenure(&unit, &seller, Owner, ("2020-03-01", "")).await?;
    assert_eq!((old.customer_name.as_str(), old.unit_full_code.as_str(), old.source.as_str()), ("王**", "1-1802", "staff"));
    let early = ops.tenure(&unit, &buyer, Owner, ("2026-06-01", "")).await.expect_err("refused");
    assert_eq!(refusal(&early), (Code::FailedPrecondition, "OWNER_EXISTS".into()));
    ops.tenures().end_tenure(ops.ask(end(&old, "1", "2026-05-31"))).await?;
    ops.tenure(&unit, &buyer, Owner, ("2026-06-01", "")).await?;
    assert_eq!(holders(&ops, &unit, "2026-05-31").await?, [seller.id.as_str()]);
    assert_eq!(holders(&ops, &unit, "2026-06-01").await?, [buyer.id.as_str()]);
    assert_eq!(holders(&ops, &unit, "").await?, [buyer.id, seller.id]);
    Ok(())
}

/// CP-14
#[tokio::test]
async fn a_tenure_does_not_overlap_itself_and_history_stays() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let unit = ops.unit(&estate, "1802").await?;
    let tenant = ops.person(&estate, "王芳", "").await?;
    let lease = ops.tenure(&unit, &tenant, Tenant, ("2025-01-01", "2025-12-31")).await?;
    let again = ops.tenure(&unit, &tenant, Tenant, ("2025-12-31", "")).await.expect_err("refused");
    assert_eq!(refusal(&again), (Code::AlreadyExists, "TENURE_EXISTS".into()));
    ops.tenure(&unit, &tenant, CoOwner, ("2025-06-01", "")).await?;
    let open = ops.tenure(&unit, &tenant, Tenant, ("2026-01-01", "")).await?;

    let reversed = ops.tenure(&unit, &tenant, Owner, ("2026-01-01", "2025-01-01")).await.expect_err("refused");
    assert_eq!(violations(&reversed), [("to_date".to_owned(), "TENURE_DATES_REVERSED".to_owned())]);
    let reversed = ops.tenures().end_tenure(ops.ask(end(&open, "", "2025-12-31"))).await.expect_err("refused");
    assert_eq!(violations(&reversed), [("to_date".to_owned(), "TENURE_DATES_REVERSED".to_owned())]);
    let ended = ops.tenures().end_tenure(ops.ask(end(&lease, "", "2026-12-31"))).await.expect_err("refused");
    assert_eq!(refusal(&ended), (Code::FailedPrecondition, "TENURE_ENDED".into()));
    let request = end(&open, "1", "2026-06-30");
    let first = ops.tenures().end_tenure(ops.ask(request.clone())).await?.into_inner().tenure.unwrap_or_default();
    assert_eq!((first.to_date.as_str(), first.etag.as_str()), ("2026-06-30", "2"));
    let again = ops.tenures().end_tenure(ops.ask(request)).await?.into_inner().tenure.unwrap_or_default();
    assert_eq!(again, first, "the same request gets the same answer although the etag is old by now");
    let stale = ops.tenures().end_tenure(ops.ask(end(&open, "1", "2026-07-31"))).await.expect_err("refused");
    assert_eq!(refusal(&stale), (Code::Aborted, "STALE_ETAG".into()));
    Ok(())
}

/// CP-13, CP-15
#[tokio::test]
async fn a_tenant_sees_only_themselves_and_the_owner_the_household() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let (unit, other_unit) = (ops.unit(&estate, "1802").await?, ops.unit(&estate, "1803").await?);
    let (owner, tenant) = (ops.person(&estate, "王芳", "19900000001").await?, ops.person(&estate, "李雷", "19900000002").await?);
    ops.tenure(&unit, &owner, Owner, ("2020-01-01", "")).await?;
    ops.tenure(&unit, &tenant, Tenant, ("2026-01-01", "2026-06-10")).await?;

    let resident = |customer: &pb::Customer| world.caller(Claims::customer("app", &customer.id).role("resident").estate(&estate.id));
    let members = async |caller: &Caller| -> Result<Vec<String>, tonic::Status> {
        let request = pb::GetHouseholdRequest { unit_id: unit.id.clone() };
        let household = caller.households().get_household(caller.ask(request)).await?.into_inner().household.unwrap_or_default();
        assert!(household.is_complete);
        Ok(household.members.into_iter().map(|member| member.customer_id).collect())
    };
    assert_eq!(members(&ops).await?, [owner.id.clone(), tenant.id.clone()]);
    assert_eq!(members(&resident(&owner)).await?, [owner.id.clone(), tenant.id.clone()]);
    assert_eq!(members(&resident(&tenant)).await?, [tenant.id.as_str()]);
    let as_tenant = resident(&tenant);
    let get = |customer: &pb::Customer| pb::GetCustomerRequest { customer_id: customer.id.clone() };
    assert!(as_tenant.customers().get_customer(as_tenant.ask(get(&tenant))).await.is_ok());
    let refused = as_tenant.customers().get_customer(as_tenant.ask(get(&owner))).await.expect_err("refused");
    assert_eq!(refused.code(), Code::NotFound);
    let as_owner = resident(&owner);
    assert!(as_owner.customers().get_customer(as_owner.ask(get(&tenant))).await.is_ok());
    let request = pb::GetUnitRequest { unit_id: other_unit.id };
    assert_eq!(as_owner.units().get_unit(as_owner.ask(request)).await.expect_err("refused").code(), Code::NotFound);

    // The lease ended yesterday: midnight in Shanghai, not in Greenwich.
    world.clock.set("2026-06-10T16:00:00Z".parse()?);
    assert_eq!(members(&resident(&tenant)).await.expect_err("refused").code(), Code::NotFound);
    assert_eq!(members(&ops).await?, [owner.id]);
    Ok(())
}

/// CP-13
#[tokio::test]
async fn a_unit_without_a_contact_is_listed_as_incomplete() -> Result<()> {
    let world = World::new().await?;
    let ops = world.operations();
    let estate = ops.estate("JX").await?;
    let (full, bare, empty) = (ops.unit(&estate, "101").await?, ops.unit(&estate, "102").await?, ops.unit(&estate, "103").await?);
    let (reachable, silent) = (ops.person(&estate, "王芳", "19900000001").await?, ops.person(&estate, "李雷", "").await?);
    ops.tenure(&full, &reachable, Owner, ("2020-01-01", "")).await?;
    ops.tenure(&bare, &silent, Owner, ("2020-01-01", "")).await?;
    let request = pb::ListHouseholdsRequest { estate_id: estate.id, incomplete_only: true, ..Default::default() };
    let found = ops.households().list_households(ops.ask(request)).await?.into_inner().households;
    assert_eq!(found.iter().map(|household| &household.unit_id).collect::<Vec<_>>(), [&bare.id, &empty.id]);
    assert!(found.iter().all(|household| !household.is_complete));
    Ok(())
}
