//! What is known of customers.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::ids::{CustomerId, EstateId};
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::preferences::read_classes;
use crate::domain::circumstances::CustomerFacts;
use crate::domain::codes::{Channel, Language, Purpose};
use crate::domain::preference::{Preferences, QuietHours};

/// What an event says of a customer.
#[derive(Clone, Debug)]
pub(crate) struct CustomerRecord {
    pub(crate) id: CustomerId,
    pub(crate) home_estate: EstateId,
    pub(crate) preferred_language: String,
    pub(crate) do_not_disturb: bool,
    pub(crate) email_invalid: bool,
}

/// Writes what an event said of a customer.
pub(crate) async fn put_customer(tx: &mut PgConnection, customer: &CustomerRecord, now: Timestamp) -> Result<()> {
    sqlx::query!(
        r#"WITH known AS (
               INSERT INTO notification.customers AS c (id, home_estate_id, preferred_language, do_not_disturb, email_invalid, update_time)
               VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT ON CONSTRAINT customers_pkey DO UPDATE
                   SET home_estate_id = EXCLUDED.home_estate_id, preferred_language = EXCLUDED.preferred_language,
                       do_not_disturb = EXCLUDED.do_not_disturb, email_invalid = EXCLUDED.email_invalid,
                       update_time = EXCLUDED.update_time
           )
           INSERT INTO notification.customer_estates (estate_id, customer_id, create_time) VALUES ($2, $1, $6)
           ON CONFLICT ON CONSTRAINT customer_estates_pkey DO NOTHING
           -- unscoped: an event said so"#,
        customer.id.as_uuid(),
        customer.home_estate.as_uuid(),
        customer.preferred_language,
        customer.do_not_disturb,
        customer.email_invalid,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// Notes that a customer has to do with an estate.
pub(crate) async fn put_customer_estate(tx: &mut PgConnection, customer: CustomerId, estate: EstateId, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "INSERT INTO notification.customer_estates (estate_id, customer_id, create_time) VALUES ($1, $2, $3)
         ON CONFLICT ON CONSTRAINT customer_estates_pkey DO NOTHING -- unscoped: an event said so",
        estate.as_uuid(),
        customer.as_uuid(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// Whether the scope has the customer: the caller themselves, or somebody of the caller's estates. One trip.
pub(crate) async fn is_in_scope(db: impl PgExecutor<'_>, scope: &Scope, customer: CustomerId) -> Result<bool> {
    if let Some(own) = scope.own_customer_id() {
        return Ok(own == customer);
    }
    let estates = scope.estates();
    let row = sqlx::query!(
        r#"SELECT EXISTS (SELECT FROM notification.customer_estates
                           WHERE customer_id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))) AS "known!""#,
        customer.as_uuid(),
        estates.as_deref(),
    )
    .fetch_one(db)
    .await
    .store()?;
    Ok(row.known)
}

/// What decides about messages to a customer: record, preferences and the consents that hold. One trip.
pub(crate) async fn load_facts(db: impl PgExecutor<'_>, customer: CustomerId) -> Result<CustomerFacts> {
    Ok(load_all_facts(db, &[customer.as_uuid()]).await?.remove(&customer).unwrap_or_default())
}

/// The same of many. One trip.
pub(crate) async fn load_all_facts(db: impl PgExecutor<'_>, customers: &[Uuid]) -> Result<HashMap<CustomerId, CustomerFacts>> {
    let rows = sqlx::query!(
        r#"SELECT w.id AS "id!", c.preferred_language AS "record_language?", c.do_not_disturb AS "do_not_disturb?",
                  c.email_invalid AS "email_invalid?", p.language AS "language?", p.classes AS "classes?: Json<BTreeMap<String, Vec<String>>>",
                  p.quiet_from, p.quiet_to, p.row_version AS "row_version?", p.update_time AS "update_time?",
                  ARRAY(SELECT k.purpose || ':' || k.channel FROM notification.consents k
                         WHERE k.customer_id = w.id AND k.withdraw_time IS NULL) AS "consents!",
                  ARRAY(SELECT DISTINCT k.purpose FROM notification.consents k
                         WHERE k.customer_id = w.id AND k.withdraw_time IS NOT NULL) AS "withdrawn!"
             FROM unnest($1::uuid[]) AS w(id)
             LEFT JOIN notification.customers c ON c.id = w.id
             LEFT JOIN notification.preferences p ON p.customer_id = w.id
           -- unscoped: decides about a message whose estate and recipient were scoped before"#,
        customers,
    )
    .fetch_all(db)
    .await
    .store()?;
    let mut found = HashMap::new();
    for row in rows {
        let customer = CustomerId::from(row.id);
        let preferences = match (row.row_version, row.classes) {
            (Some(row_version), Some(Json(classes))) => Some(Preferences {
                customer_id: customer,
                language: row.language.as_deref().and_then(Language::parse),
                classes: read_classes(classes)?,
                quiet_hours: row.quiet_from.zip(row.quiet_to).and_then(|(from, to)| QuietHours::parse(&from, &to)),
                row_version,
                update_time: row.update_time.map(jiff_sqlx::Timestamp::to_jiff),
            }),
            (Some(_) | None, _) => None,
        };
        let consent = |text: &String| {
            let (purpose, channel) = text.split_once(':')?;
            Some((Purpose::parse(purpose)?, Channel::parse(channel)?))
        };
        let facts = CustomerFacts {
            language: row.record_language.filter(|language| !language.is_empty()),
            do_not_disturb: row.do_not_disturb.unwrap_or(false),
            email_invalid: row.email_invalid.unwrap_or(false),
            preferences,
            consents: row.consents.iter().filter_map(consent).collect(),
            withdrawn: row.withdrawn.iter().filter_map(|text| Purpose::parse(text)).collect(),
        };
        found.insert(customer, facts);
    }
    Ok(found)
}
