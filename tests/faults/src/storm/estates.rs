//! The group of the storm: estates of profile M, each with some of its homes.

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use crate::{
    caller::{Callers, Who, id},
    ground::{PLAN, applied, made},
};

/// Estates of profile M (`domain/scale.md`).
pub(super) const ESTATES_OF_M: u32 = 430;

/// Households of profile M.
pub(super) const HOUSEHOLDS_OF_M: u32 = 390_000;

/// Who lays estates at once.
const HANDS: usize = 8;

/// One in so many residents has an e-mail address; the others read in the app.
const MAILED: u32 = 10;

/// A home that reports come from.
#[derive(Debug, Clone)]
pub(super) struct Home {
    /// The estate.
    pub(super) estate: String,
    /// Its number among the estates.
    pub(super) place: u32,
    /// The unit.
    pub(super) unit: String,
    /// Its owner.
    pub(super) customer: String,
}

/// Lays so many estates of one group, with so many homes each, under the numbers of one plan.
///
/// # Errors
/// A call is refused.
pub(super) async fn lay(callers: &Callers, estates: u32, homes: u32) -> Result<Vec<Home>> {
    let ops = Who::staff("ops.lin");
    let group = id();
    let scope = |level: &str, id: &str| json!({"level": format!("POLICY_SCOPE_LEVEL_{level}"), "id": id});
    let first = estate(callers, &ops, &group, 0).await?;
    applied(callers, &ops, json!({"planCode": "base", "scope": scope("BASE", "")})).await?;
    applied(callers, &ops, json!({"planCode": PLAN, "scope": scope("GROUP", &group)})).await?;
    let (ops, group, first) = (&ops, &group, &first);
    let laid = stream::iter(0..estates).map(|place| async move {
        let estate = if place == 0 { first.clone() } else { estate(callers, ops, group, place).await? };
        of_estate(callers, ops, &estate, place, homes).await
    });
    let laid: Vec<Vec<Home>> = laid.buffered(HANDS).try_collect().await?;
    Ok(laid.into_iter().flatten().collect())
}

async fn estate(callers: &Callers, ops: &Who, group: &str, place: u32) -> Result<String> {
    let estate = json!({
        "groupId": group, "regionId": group, "name": format!("小区{place}"), "code": format!("M-{place:04}"), "cityCode": "330100",
        "timeZone": "Asia/Shanghai", "premisesType": "PREMISES_TYPE_RESIDENTIAL",
    });
    made(callers.ask(ops, "customer.v1.EstateService/RegisterEstate", estate).await?, "estate")
}

async fn of_estate(callers: &Callers, ops: &Who, estate: &str, place: u32, homes: u32) -> Result<Vec<Home>> {
    let building = json!({"estateId": estate, "code": "1"});
    let building = made(callers.ask(ops, "customer.v1.UnitService/CreateBuilding", building).await?, "building")?;
    let mut all = Vec::new();
    for home in 0..homes {
        let number = place * homes + home;
        let make = |rpc: &'static str, kind: &'static str, body: Value| async move {
            let made = callers.make(ops, &format!("customer.v1.{rpc}"), kind, kind, body).await?;
            let made = made.with_context(|| format!("{rpc} is refused: {:?}", callers.journal.refused().last()))?;
            made["id"].as_str().map(str::to_owned).context("an id")
        };
        let unit = json!({"buildingId": building, "code": format!("{home}")});
        let unit = make("UnitService/CreateUnit", "unit", unit).await?;
        let mut customer = json!({
            "kind": "CUSTOMER_KIND_PERSON", "homeEstateId": estate, "name": "王芳", "source": "DATA_SOURCE_STAFF",
            "phone": format!("199{number:08}"),
        });
        if number.is_multiple_of(MAILED) {
            customer["email"] = json!(format!("resident{number}@example.org"));
        }
        let customer = make("CustomerService/CreateCustomer", "customer", customer).await?;
        let tenure = json!({"unitId": unit, "customerId": customer, "role": "TENURE_ROLE_OWNER", "fromDate": "2024-05-01"});
        make("TenureService/CreateTenure", "tenure", tenure).await?;
        all.push(Home { estate: estate.to_owned(), place, unit, customer });
    }
    Ok(all)
}
