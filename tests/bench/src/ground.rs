//! Where orders are made: estates with units, and the rules that give an order its clocks.

use anyhow::{Context as _, Result};
use sqlx::PgPool;
use steward_kit::plan::{documents_of, kind_of, owner_of, read_plan};
use steward_proto::plan::v1::{self as plan, PolicyScopeLevel, policy_service_client::PolicyServiceClient};
use tonic::transport::Channel;
use uuid::Uuid;

use crate::caller::Bearer;

/// Estates of the group.
pub(crate) const ESTATES: u64 = 100;

/// Units of each estate, with one customer each.
pub(crate) const UNITS: u64 = 200;

/// What stands where a plan is silent, and the plan of the group.
const BASE: &str = include_str!("../../../gateway/plans/base.yaml");
const PLAN: &str = include_str!("../../../gateway/plans/service-uplift.yaml");

/// The first part of ids, by what they name. The same in [`id`] and in SQL.
const ESTATE: u64 = 0xe5;
const UNIT: u64 = 0xa1;
const CUSTOMER: u64 = 0xc5;
const GROUP: u64 = 0x69;

/// An id that says what it names: no run has to keep a list of them.
fn id(kind: u64, number: u64) -> Uuid {
    Uuid::from_u64_pair(kind << 32 | 0x7000, 0x8000 << 48 | number)
}

/// An estate.
pub(crate) fn estate(number: u64) -> Uuid {
    id(ESTATE, number % ESTATES)
}

/// A unit of that estate.
pub(crate) fn unit(estate: u64, number: u64) -> Uuid {
    id(UNIT, estate % ESTATES * UNITS + number % UNITS)
}

/// Who lives there.
pub(crate) fn customer(estate: u64, number: u64) -> Uuid {
    id(CUSTOMER, estate % ESTATES * UNITS + number % UNITS)
}

/// Makes estates and units known to work-order, as customer's events would. Before the service starts. True if they were not there: then
/// there are no rules either.
pub(crate) async fn lay(pool: &PgPool) -> Result<bool> {
    let is_laid: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM work_order.estates WHERE id = $1)").bind(estate(0)).fetch_one(pool).await?;
    if is_laid {
        return Ok(false);
    }
    let ids = |kind: u64, count: u64| (0..count).map(|number| id(kind, number)).collect::<Vec<_>>();
    sqlx::query(
        "WITH added AS (INSERT INTO work_order.estates (id, group_id, region_id, name, time_zone, create_time, update_time)
              SELECT n.id, $2, $2, 'Estate ' || n.id, 'Asia/Shanghai', '2020-01-01Z', '2020-01-01Z'
                FROM unnest($1::uuid[]) AS n(id) ON CONFLICT DO NOTHING)
         UPDATE work_order.policy_epoch SET epoch = epoch + 1",
    )
    .bind(ids(ESTATE, ESTATES))
    .bind(id(GROUP, 0))
    .execute(pool)
    .await
    .context("laying estates")?;
    let units = ids(UNIT, ESTATES * UNITS);
    let estates: Vec<Uuid> = (0..ESTATES * UNITS).map(|number| estate(number / UNITS)).collect();
    sqlx::query(
        "INSERT INTO work_order.units (estate_id, id, create_time)
         SELECT n.estate_id, n.id, '2020-01-01Z' FROM unnest($1::uuid[], $2::uuid[]) AS n(estate_id, id) ON CONFLICT DO NOTHING",
    )
    .bind(estates)
    .bind(units)
    .execute(pool)
    .await
    .context("laying units")?;
    Ok(true)
}

/// Gives work-order the rules of the plans, for the whole group.
pub(crate) async fn rules(work_order: Channel, bearer: &Bearer) -> Result<()> {
    let mut policies = PolicyServiceClient::new(work_order);
    let group = id(GROUP, 0).to_string();
    for (yaml, level, id) in [(BASE, PolicyScopeLevel::Base, ""), (PLAN, PolicyScopeLevel::Group, group.as_str())] {
        let plan = read_plan("gateway/plans", yaml)?;
        for document in documents_of(&plan).into_iter().filter(|document| owner_of(kind_of(document)) == "work-order") {
            let request = plan::CreatePolicyVersionRequest {
                request_id: Uuid::now_v7().to_string(),
                scope: Some(plan::PolicyScope { level: level.into(), id: id.to_owned() }),
                document: Some(plan::PolicyDocument { document: Some(document) }),
                plan_code: plan.code.clone(),
                ..plan::CreatePolicyVersionRequest::default()
            };
            policies.create_policy_version(bearer.asks(request)).await.context("giving work-order its rules")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_different_things_differ() {
        assert_eq!(estate(3).to_string(), "000000e5-0000-7000-8000-000000000003");
        assert_eq!(unit(1, 2).to_string(), "000000a1-0000-7000-8000-0000000000ca");
        assert_ne!(unit(1, 2), customer(1, 2));
        assert_eq!(unit(ESTATES, UNITS), unit(0, 0));
    }
}
