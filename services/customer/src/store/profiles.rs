//! Attributes, key dates and uses of services. Each write also notes whose facts change.

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::ids::CustomerId;
use steward_kit_store::{StoreResult, constraint};
use uuid::Uuid;

use super::word;
use crate::domain::ids::KeyDateId;
use crate::domain::key_date::KeyDateKind;
use crate::domain::profile::{Attribute, AttributeKind, KeyDate};
use crate::domain::vault::Vault;

/// Writes an attribute over the one before.
pub(crate) async fn upsert_attribute(pool: &PgPool, attribute: &Attribute, by: &str, effects: Value) -> sqlx::Result<bool> {
    sqlx::query!(
        "WITH written AS (
             INSERT INTO customer.customer_attributes (customer_id, code, value, source, consent_id, recorded_by, record_time)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT ON CONSTRAINT customer_attributes_pkey DO UPDATE SET value = EXCLUDED.value, source = EXCLUDED.source,
                consent_id = EXCLUDED.consent_id, recorded_by = EXCLUDED.recorded_by, record_time = EXCLUDED.record_time
             RETURNING customer_id)
         SELECT customer.note_households_of(ARRAY[w.customer_id])::text AS noted, customer.write_effects($8)::text AS effects
           FROM written w",
        attribute.customer_id.as_uuid(),
        attribute.kind.as_str(),
        attribute.value,
        attribute.source,
        attribute.consent_id,
        by,
        attribute.record_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(true)
}

/// Attributes of a customer that was found in the caller's scope, by kind.
pub(crate) async fn list_attributes(pool: &PgPool, customer: CustomerId, after: Option<&str>, limit: i64) -> Result<Vec<Attribute>> {
    let rows = sqlx::query!(
        "SELECT a.code, a.value, a.source, a.consent_id, a.record_time FROM customer.customer_attributes a
          WHERE a.customer_id = $1 AND ($2::text IS NULL OR a.code > $2) ORDER BY a.code LIMIT $3
          -- unscoped: the customer was found in the caller's scope",
        customer.as_uuid(),
        after,
        limit,
    )
    .fetch_all(pool)
    .await
    .store()?;
    let attributes = rows.into_iter().map(|row| {
        Ok(Attribute {
            customer_id: customer,
            kind: word(&row.code, AttributeKind::parse)?,
            value: row.value,
            source: row.source,
            consent_id: row.consent_id,
            record_time: row.record_time.to_jiff(),
        })
    });
    attributes.collect()
}

/// How a key date is stored: sealed with the hash of its day, or plain.
#[derive(Debug, Clone)]
pub(crate) enum StoredDate {
    Sealed { sealed: Vec<u8>, day_index: Vec<u8> },
    Plain(Date),
}

/// Writes a key date; what there can be one of takes the place of the one before. False when somebody was faster.
pub(crate) async fn replace_key_date(pool: &PgPool, date: &KeyDate, stored: &StoredDate, effects: Value) -> sqlx::Result<bool> {
    let (sealed, day_index, on_date) = match stored {
        StoredDate::Sealed { sealed, day_index } => (Some(sealed), Some(day_index), None),
        StoredDate::Plain(date) => (None, None, Some(*date)),
    };
    let written = sqlx::query!(
        "WITH gone AS (
             DELETE FROM customer.key_dates k
              WHERE k.customer_id = $2 AND k.kind = $4 AND k.kind <> 'festive' AND k.unit_id IS NOT DISTINCT FROM $3 RETURNING k.id
         ), written AS (
             INSERT INTO customer.key_dates (id, customer_id, unit_id, kind, is_lunar, sealed, day_index, on_date, consent_id, source,
                 create_time, update_time)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11 FROM (SELECT count(*) FROM gone) AS after_them
             RETURNING customer_id)
         SELECT customer.note_households_of(ARRAY[w.customer_id])::text AS noted, customer.write_effects($12)::text AS effects
           FROM written w
         -- unscoped: the customer was found in the caller's scope",
        date.id.as_uuid(),
        date.customer_id.as_uuid(),
        date.unit_id.map(steward_kit::ids::UnitId::as_uuid),
        date.kind.as_str(),
        date.is_lunar,
        sealed,
        day_index,
        on_date.map(|date| date.to_sqlx()) as Option<jiff_sqlx::Date>,
        date.consent_id,
        date.source,
        date.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        effects,
    )
    .fetch_one(pool)
    .await;
    match written {
        Ok(_) => Ok(true),
        // Somebody set the same date at this moment, after those that go had been looked for.
        Err(error) if matches!(constraint(&error), Some("key_dates_customer_id_kind_key" | "key_dates_customer_id_unit_id_kind_key")) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Forgets a key date; false if there is none.
pub(crate) async fn delete_key_date(pool: &PgPool, customer: CustomerId, id: KeyDateId, effects: Value) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        "WITH gone AS (
             DELETE FROM customer.key_dates k WHERE k.customer_id = $1 AND k.id = $2 RETURNING k.customer_id)
         SELECT customer.note_households_of(ARRAY[g.customer_id])::text AS noted, customer.write_effects($3)::text AS effects
           FROM gone g
         -- unscoped: the customer was found in the caller's scope",
        customer.as_uuid(),
        id.as_uuid(),
        effects,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.is_some())
}

/// Key dates of a customer that was found in the caller's scope, opened, by id.
pub(crate) async fn list_key_dates(
    pool: &PgPool,
    vault: &Vault,
    customer: CustomerId,
    data_key: Option<&[u8]>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<KeyDate>> {
    let rows = sqlx::query!(
        "SELECT k.id, k.unit_id, k.kind, k.is_lunar, k.sealed, k.on_date, k.consent_id, k.source, k.row_version, k.create_time
           FROM customer.key_dates k WHERE k.customer_id = $1 AND ($2::uuid IS NULL OR k.id > $2) ORDER BY k.id LIMIT $3
          -- unscoped: the customer was found in the caller's scope",
        customer.as_uuid(),
        after,
        limit,
    )
    .fetch_all(pool)
    .await
    .store()?;
    let mut dates = Vec::with_capacity(rows.len());
    for row in rows {
        let opened = match (row.sealed.as_deref(), data_key) {
            (Some(sealed), Some(key)) => vault.open_date(customer, key, row.id, sealed)?,
            (_, _) => row.on_date.map(jiff_sqlx::Date::to_jiff),
        };
        let Some(date) = opened else { continue };
        dates.push(KeyDate {
            id: row.id.into(),
            customer_id: customer,
            kind: word(&row.kind, KeyDateKind::parse)?,
            unit_id: row.unit_id.map(Into::into),
            date,
            is_lunar: row.is_lunar,
            next_date: None,
            consent_id: row.consent_id,
            source: row.source,
            row_version: row.row_version,
            create_time: row.create_time.to_jiff(),
        });
    }
    Ok(dates)
}

/// Uses of a service by a household on a day.
#[derive(Debug, Clone)]
pub(crate) struct NewUse {
    pub(crate) household_id: Uuid,
    pub(crate) estate_id: Uuid,
    pub(crate) customer_id: Option<Uuid>,
    pub(crate) service_code: String,
    pub(crate) use_date: Date,
    pub(crate) use_count: i32,
}

/// Whether a customer has a tenure in a unit on a day.
pub(crate) async fn is_member_on(pool: &PgPool, unit: Uuid, customer: Uuid, day: Date) -> Result<bool> {
    let row = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM customer.tenures t
                           WHERE t.unit_id = $1 AND t.customer_id = $2 AND $3 BETWEEN t.from_date AND coalesce(t.to_date, 'infinity'))
                  AS "is_member!"
           -- unscoped: the unit was found in the caller's scope"#,
        unit,
        customer,
        day.to_sqlx() as jiff_sqlx::Date,
    )
    .fetch_one(pool)
    .await
    .store()?;
    Ok(row)
}

/// Counts uses.
pub(crate) async fn add_use(pool: &PgPool, new: &NewUse, effects: Value) -> sqlx::Result<bool> {
    sqlx::query!(
        "WITH used AS (
             INSERT INTO customer.service_usages AS s (household_id, customer_id, service_code, use_date, estate_id, use_count)
             VALUES ($1, coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid), $3, $4, $5, $6)
             ON CONFLICT ON CONSTRAINT service_usages_pkey DO UPDATE SET use_count = s.use_count + EXCLUDED.use_count
             RETURNING household_id, estate_id
         ), noted AS (
             INSERT INTO customer.fact_changes (estate_id, household_id) SELECT u.estate_id, u.household_id FROM used u)
         SELECT customer.write_effects($7)::text AS effects FROM used",
        new.household_id,
        new.customer_id,
        new.service_code,
        new.use_date.to_sqlx() as jiff_sqlx::Date,
        new.estate_id,
        new.use_count,
        effects,
    )
    .fetch_one(pool)
    .await?;
    Ok(true)
}

/// A tag that a customer has, as stored.
#[derive(Debug)]
pub(crate) struct HeldTag {
    pub(crate) code: String,
    pub(crate) name_zh: String,
    pub(crate) name_en: String,
    pub(crate) household_id: Uuid,
    pub(crate) version: i32,
    pub(crate) set_time: jiff_sqlx::Timestamp,
    pub(crate) reasons: Value,
}

/// Tags that a customer has in estates of the scope, by code and household.
pub(crate) async fn list_held_tags(
    pool: &PgPool,
    estates: Option<Vec<Uuid>>,
    customer: CustomerId,
    after: Option<&(String, Uuid)>,
    limit: i64,
) -> Result<Vec<HeldTag>> {
    sqlx::query_as!(
        HeldTag,
        "SELECT t.code, t.name_zh, t.name_en, a.household_id, a.version, a.set_time, a.reasons
           FROM customer.tag_assignments a JOIN customer.tags t ON t.id = a.tag_id
          WHERE a.customer_id = $1 AND a.remove_time IS NULL AND ($2::uuid[] IS NULL OR a.estate_id = ANY ($2))
            AND ($3::text IS NULL OR (t.code, a.household_id) > ($3, $4::uuid))
          ORDER BY t.code, a.household_id LIMIT $5",
        customer.as_uuid(),
        estates as Option<Vec<Uuid>>,
        after.map(|(code, _)| code.as_str()),
        after.map(|(_, household)| *household),
        limit,
    )
    .fetch_all(pool)
    .await
    .store()
}

/// Estates in which a customer lives or owns today or did: where their facts are kept.
pub(crate) async fn estates_of(pool: &PgPool, customer: CustomerId) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT DISTINCT t.estate_id FROM customer.tenures t WHERE t.customer_id = $1
          -- unscoped: the customer was found in the caller's scope",
        customer.as_uuid()
    )
    .fetch_all(pool)
    .await
    .store()
}
