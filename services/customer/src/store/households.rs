//! Households: units with the tenures of today.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::ids::UnitId;
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::units::UnitCursor;
use super::word;
use crate::domain::customer::{AddressState, ContactMode, Contactability, CustomerKind};
use crate::domain::household::{Household, Member};
use crate::domain::tenure::TenureRole;
use crate::domain::vault::{Sealed, Vault};

/// Which households to read.
#[derive(Debug, Default)]
pub(crate) struct HouseholdFilter {
    pub(crate) estate: Option<ScopedEstate>,
    pub(crate) unit_id: Option<UnitId>,
    pub(crate) incomplete_only: bool,
}

/// Households of the scope by full code. A customer finds in each the members that their role allows.
pub(crate) async fn list_households(
    pool: &PgPool,
    vault: &Vault,
    scope: &Scope,
    filter: &HouseholdFilter,
    page: &PageRequest<UnitCursor>,
    now: Timestamp,
) -> Result<Vec<Household>> {
    let rows = sqlx::query!(
        r#"SELECT u.id AS "id!", u.household_id AS "household_id!", u.estate_id AS "estate_id!", u.full_code AS "full_code!",
                  h.has_owner AS "has_owner!", greatest(u.create_time, h.update_time) AS "update_time!"
             FROM customer.visible_units($1, $2, $3) u
             CROSS JOIN LATERAL (
                  SELECT coalesce(bool_or(t.role IN ('owner', 'co_owner')), false) AS has_owner,
                         coalesce(bool_or((c.phone IS NOT NULL AND c.phone_state <> 'invalid')
                                       OR (c.email IS NOT NULL AND c.email_state <> 'invalid')), false) AS is_reachable,
                         max(t.update_time) AS update_time
                    FROM customer.tenures t
                    JOIN customer.customers c ON c.id = t.customer_id
                    JOIN customer.estates e ON e.id = t.estate_id
                   WHERE t.unit_id = u.id AND customer.holds(t.from_date, t.to_date, e.time_zone, $3)) h
            WHERE ($4::uuid IS NULL OR u.estate_id = $4)
              AND ($5::uuid IS NULL OR u.id = $5)
              AND (NOT $6 OR NOT (h.has_owner AND h.is_reachable))
              AND ($7::text IS NULL OR u.full_code COLLATE "C" > $7)
            ORDER BY u.full_code COLLATE "C" LIMIT $8"#,
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        filter.estate.map(ScopedEstate::as_uuid),
        filter.unit_id.map(UnitId::as_uuid),
        filter.incomplete_only,
        page.after.as_ref().map(|after| after.0.as_str()),
        page.size.limit(),
    )
    .fetch_all(pool)
    .await
    .store()?;
    let units: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut members = read_members(pool, vault, scope, &units, now).await?;
    let households = rows.into_iter().map(|row| Household {
        id: row.household_id.into(),
        estate_id: row.estate_id.into(),
        unit_id: row.id.into(),
        unit_full_code: row.full_code,
        members: members.remove(&row.id).unwrap_or_default(),
        has_owner: row.has_owner,
        update_time: row.update_time.to_jiff(),
    });
    Ok(households.collect())
}

async fn read_members(pool: &PgPool, vault: &Vault, scope: &Scope, units: &[Uuid], now: Timestamp) -> Result<HashMap<Uuid, Vec<Member>>> {
    let rows = sqlx::query!(
        r#"SELECT t.id AS "id!", t.unit_id AS "unit_id!", t.customer_id AS "customer_id!", t.role AS "role!",
                  c.kind, c.data_key, c.name, c.phone, c.email, c.phone_state, c.email_state, c.do_not_disturb, c.contact_mode
             FROM customer.visible_tenures($1, $2, $3) t
             JOIN customer.customers c ON c.id = t.customer_id
             JOIN customer.estates e ON e.id = t.estate_id
            WHERE t.unit_id = ANY ($4) AND customer.holds(t.from_date, t.to_date, e.time_zone, $3)
            ORDER BY t.from_date, t.id"#,
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        units,
    )
    .fetch_all(pool)
    .await
    .store()?;
    let mut members: HashMap<Uuid, Vec<Member>> = HashMap::new();
    for row in rows {
        let sealed = Sealed { data_key: row.data_key, name: row.name, phone: row.phone, email: row.email, ..Sealed::default() };
        let kind = word(&row.kind, CustomerKind::parse)?;
        members.entry(row.unit_id).or_default().push(Member {
            customer_id: row.customer_id.into(),
            tenure_id: row.id.into(),
            role: word(&row.role, TenureRole::parse)?,
            masked: vault.open(row.customer_id.into(), &sealed)?.masked(kind),
            contactability: Contactability {
                phone_state: word(&row.phone_state, AddressState::parse)?,
                email_state: word(&row.email_state, AddressState::parse)?,
                do_not_disturb: row.do_not_disturb,
                contact_mode: word(&row.contact_mode, ContactMode::parse)?,
            },
        });
    }
    for household in members.values_mut() {
        household.sort_by_key(|member| member.role);
    }
    Ok(members)
}
