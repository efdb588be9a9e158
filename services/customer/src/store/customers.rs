//! Customers.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::ids::CustomerId;
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::customer_rows::{CustomerRow, StoredCustomer, select_customers};
use crate::domain::customer::{Customer, CustomerKind};
use crate::domain::vault::{Sealed, Vault};

/// Where a page of customers ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CustomerCursor(pub(crate) Uuid);

/// Writes a new customer and the effects.
pub(crate) async fn insert_customer(
    pool: &PgPool,
    customer: &Customer,
    sealed: &Sealed,
    recorded_by: &str,
    effects: Value,
) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"WITH created AS (
               INSERT INTO customer.customers (id, number, group_id, home_estate_id, kind, data_key, name, phone, email, id_number,
                   address, name_index, phone_index, id_number_index, preferred_language, contact_mode, source, recorded_by,
                   create_time, update_time)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19) RETURNING id)
           SELECT (SELECT count(*) FROM created) AS "written!",
                  (SELECT customer.write_effects($20) FROM created)::text AS effects"#,
        customer.id.as_uuid(),
        customer.number,
        customer.group_id.as_uuid(),
        customer.home_estate_id.as_uuid(),
        customer.kind.as_str(),
        sealed.data_key,
        sealed.name,
        sealed.phone,
        sealed.email,
        sealed.id_number,
        sealed.address,
        sealed.name_index,
        sealed.phone_index,
        sealed.id_number_index,
        customer.language.as_str(),
        customer.contactability.contact_mode.as_str(),
        customer.source.as_str(),
        recorded_by,
        customer.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// Writes a customer over the version before it, with the audit of what changed.
pub(crate) async fn update_customer(
    pool: &PgPool,
    customer: &Customer,
    sealed: &Sealed,
    audit: Value,
    effects: Value,
) -> sqlx::Result<bool> {
    let contactability = customer.contactability;
    let row = sqlx::query!(
        r#"WITH updated AS (
               UPDATE customer.customers
                  SET data_key = $3, name = $4, phone = $5, email = $6, id_number = $7, address = $8, name_index = $9,
                      phone_index = $10, id_number_index = $11, preferred_language = $12, phone_state = $13, email_state = $14,
                      do_not_disturb = $15, contact_mode = $16, update_time = $17, row_version = $2
                WHERE id = $1 AND row_version = $2::bigint - 1 RETURNING id)
           SELECT (SELECT count(*) FROM updated) AS "written!",
                  (SELECT customer.append_audit($18) FROM updated)::text AS audit,
                  (SELECT customer.write_effects($19) FROM updated)::text AS effects
                  -- unscoped: guarded by the version of a row that was loaded through its scope"#,
        customer.id.as_uuid(),
        customer.row_version,
        sealed.data_key,
        sealed.name,
        sealed.phone,
        sealed.email,
        sealed.id_number,
        sealed.address,
        sealed.name_index,
        sealed.phone_index,
        sealed.id_number_index,
        customer.language.as_str(),
        contactability.phone_state.as_str(),
        contactability.email_state.as_str(),
        contactability.do_not_disturb,
        contactability.contact_mode.as_str(),
        customer.update_time.to_sqlx() as jiff_sqlx::Timestamp,
        audit,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// Destroys everything that says who a customer is, with the audit of it.
pub(crate) async fn erase_customer(pool: &PgPool, customer: &Customer, audit: Value, effects: Value) -> sqlx::Result<bool> {
    let contactability = customer.contactability;
    let row = sqlx::query!(
        r#"WITH updated AS (
               UPDATE customer.customers
                  SET data_key = NULL, name = NULL, phone = NULL, email = NULL, id_number = NULL, address = NULL,
                      name_index = NULL, phone_index = NULL, id_number_index = NULL, phone_state = $3, email_state = $4,
                      do_not_disturb = $5, contact_mode = $6, erase_time = $7, update_time = $7, row_version = $2
                WHERE id = $1 AND row_version = $2::bigint - 1 RETURNING id)
           SELECT (SELECT count(*) FROM updated) AS "written!",
                  (SELECT customer.append_audit($8) FROM updated)::text AS audit,
                  (SELECT customer.write_effects($9) FROM updated)::text AS effects
                  -- unscoped: guarded by the version of a row that was loaded through its scope"#,
        customer.id.as_uuid(),
        customer.row_version,
        contactability.phone_state.as_str(),
        contactability.email_state.as_str(),
        contactability.do_not_disturb,
        contactability.contact_mode.as_str(),
        customer.update_time.to_sqlx() as jiff_sqlx::Timestamp,
        audit,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(row.written > 0)
}

/// Whether a tenure of the customer lasts beyond the local day, in whichever estate.
pub(crate) async fn lives_on(pool: &PgPool, id: CustomerId, now: Timestamp) -> Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM customer.tenures t JOIN customer.estates e ON e.id = t.estate_id
                           WHERE t.customer_id = $1
                             AND coalesce(t.to_date, 'infinity'::date) > ($2::timestamptz AT TIME ZONE e.time_zone)::date) AS "open!"
           -- unscoped: the customer was loaded through the caller's scope"#,
        id.as_uuid(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_one(pool)
    .await
    .store()
}

/// One customer of the scope.
pub(crate) async fn find_customer(
    pool: &PgPool,
    vault: &Vault,
    scope: &Scope,
    id: CustomerId,
    now: Timestamp,
) -> Result<Option<StoredCustomer>> {
    select_customers!(
        "FROM customer.visible_customers($1, $2, $3) c WHERE c.id = $4",
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        id.as_uuid(),
    )
    .fetch_optional(pool)
    .await
    .store()?
    .map(|row| row.open(vault))
    .transpose()
}

/// One customer of the scope; the reading is audited in the same statement, so that neither is without the other.
pub(crate) async fn reveal_customer(
    pool: &PgPool,
    vault: &Vault,
    scope: &Scope,
    id: CustomerId,
    audit: Value,
    now: Timestamp,
) -> Result<Option<StoredCustomer>> {
    // The audit is a condition that always holds: no row is answered before it is written. `OFFSET 0` keeps Postgres from
    // asking it of a row that the scope does not have.
    select_customers!(
        "FROM (SELECT v.* FROM customer.visible_customers($1, $2, $3) v WHERE v.id = $4 OFFSET 0) c
         WHERE customer.append_audit($5)::text IS NOT NULL",
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        id.as_uuid(),
        audit,
    )
    .fetch_optional(pool)
    .await
    .store()?
    .map(|row: CustomerRow| row.open(vault))
    .transpose()
}

/// Customers of an estate, newest first: at home there, or with a tenure there today.
pub(crate) async fn list_customers(
    pool: &PgPool,
    vault: &Vault,
    scope: &Scope,
    estate: ScopedEstate,
    kind: Option<CustomerKind>,
    page: &PageRequest<CustomerCursor>,
    now: Timestamp,
) -> Result<Vec<StoredCustomer>> {
    // Begins with the people of the estate: the group's other customers cost nothing.
    select_customers!(
        "FROM (SELECT h.id FROM customer.customers h WHERE h.home_estate_id = $4
               UNION
               SELECT t.customer_id FROM customer.tenures t JOIN customer.estates e ON e.id = t.estate_id
                WHERE t.estate_id = $4 AND customer.holds(t.from_date, t.to_date, e.time_zone, $3)) here
         JOIN customer.visible_customers($1, $2, $3) c ON c.id = here.id
         WHERE ($5::text IS NULL OR c.kind = $5)
           AND ($6::uuid IS NULL OR c.id < $6)
         ORDER BY c.id DESC LIMIT $7",
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        estate.as_uuid(),
        kind.map(CustomerKind::as_str),
        page.after.as_ref().map(|after| after.0),
        page.size.limit(),
    )
    .fetch_all(pool)
    .await
    .store()?
    .into_iter()
    .map(|row| row.open(vault))
    .collect()
}

/// Customers of the scope with one of these phones, newest first.
pub(crate) async fn list_customers_by_phone(
    pool: &PgPool,
    vault: &Vault,
    scope: &Scope,
    phone_index: &[u8],
    page: &PageRequest<CustomerCursor>,
    now: Timestamp,
) -> Result<Vec<StoredCustomer>> {
    select_customers!(
        "FROM customer.visible_customers($1, $2, $3) c
         WHERE c.phone_index = $4 AND ($5::uuid IS NULL OR c.id < $5) ORDER BY c.id DESC LIMIT $6",
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        phone_index,
        page.after.as_ref().map(|after| after.0),
        page.size.limit(),
    )
    .fetch_all(pool)
    .await
    .store()?
    .into_iter()
    .map(|row| row.open(vault))
    .collect()
}

/// What a new customer needs to know: the group of the home estate, and who else has the phone.
pub(crate) async fn find_group(
    pool: &PgPool,
    scope: &Scope,
    estate: ScopedEstate,
    phone_index: Option<&[u8]>,
    now: Timestamp,
) -> Result<Option<(Uuid, Vec<Uuid>)>> {
    let row = sqlx::query!(
        r#"SELECT e.group_id,
                  ARRAY(SELECT c.id FROM customer.visible_customers($1, $2, $3) c
                         WHERE c.phone_index = $5 ORDER BY c.id DESC LIMIT 20) AS "same_phone!: Vec<Uuid>"
             FROM customer.estates e WHERE e.id = $4"#,
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        estate.as_uuid(),
        phone_index,
    )
    .fetch_optional(pool)
    .await
    .store()?;
    Ok(row.map(|row| (row.group_id, row.same_phone)))
}
