//! Tags: their rules, and who has them.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit_store::StoreResult;
use uuid::Uuid;

/// A tag's rule as stored.
#[derive(Debug)]
pub(crate) struct StoredRule {
    pub(crate) tag_id: Uuid,
    pub(crate) code: String,
    pub(crate) version: i32,
    pub(crate) predicate: Vec<u8>,
}

/// The rules in force.
pub(crate) async fn list_active_rules(tx: &mut PgConnection) -> Result<Vec<StoredRule>> {
    sqlx::query_as!(
        StoredRule,
        "SELECT t.id AS tag_id, t.code, t.version, v.predicate FROM customer.tags t
           JOIN customer.tag_versions v ON v.tag_id = t.id AND v.version = t.version
          WHERE t.state = 'active' ORDER BY t.code
          -- unscoped: a rule holds in every estate"
    )
    .fetch_all(tx)
    .await
    .store()
}

/// A tag that a member has, by household and member.
pub(crate) async fn read_assignments(tx: &mut PgConnection, households: &[Uuid]) -> Result<HashMap<(Uuid, Uuid), Vec<(Uuid, i32)>>> {
    let rows = sqlx::query!(
        "SELECT a.household_id, a.customer_id, a.tag_id, a.version FROM customer.tag_assignments a
          WHERE a.household_id = ANY ($1) AND a.remove_time IS NULL
          -- unscoped: the keeper's own rows",
        households,
    )
    .fetch_all(tx)
    .await
    .store()?;
    let mut found: HashMap<(Uuid, Uuid), Vec<(Uuid, i32)>> = HashMap::new();
    for row in rows {
        found.entry((row.household_id, row.customer_id)).or_default().push((row.tag_id, row.version));
    }
    Ok(found)
}

/// A tag given to or taken from a member.
#[derive(Debug, Clone)]
pub(crate) struct TagChange {
    pub(crate) household_id: Uuid,
    pub(crate) customer_id: Uuid,
    pub(crate) tag_id: Uuid,
    pub(crate) estate_id: Uuid,
    pub(crate) version: i32,
    pub(crate) reasons: Value,
}

/// Takes tags, then gives tags; one that changed its version is taken and given.
pub(crate) async fn write_assignments(tx: &mut PgConnection, taken: &[TagChange], given: &[TagChange], now: Timestamp) -> Result<()> {
    if !taken.is_empty() {
        sqlx::query!(
            "UPDATE customer.tag_assignments a SET remove_time = $4
               FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS g(household_id, customer_id, tag_id)
              WHERE a.household_id = g.household_id AND a.customer_id = g.customer_id AND a.tag_id = g.tag_id AND a.remove_time IS NULL
              -- unscoped: the keeper's own rows",
            &column(taken, |change| change.household_id),
            &column(taken, |change| change.customer_id),
            &column(taken, |change| change.tag_id),
            now.to_sqlx() as jiff_sqlx::Timestamp,
        )
        .execute(&mut *tx)
        .await
        .store()?;
    }
    if !given.is_empty() {
        sqlx::query!(
            "INSERT INTO customer.tag_assignments AS a (household_id, customer_id, tag_id, estate_id, version, reasons, set_time)
             SELECT g.household_id, g.customer_id, g.tag_id, g.estate_id, g.version, g.reasons, $7
               FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::integer[], $6::jsonb[])
                    AS g(household_id, customer_id, tag_id, estate_id, version, reasons)
             ON CONFLICT ON CONSTRAINT tag_assignments_pkey
                DO UPDATE SET version = EXCLUDED.version, reasons = EXCLUDED.reasons, remove_time = NULL",
            &column(given, |change| change.household_id),
            &column(given, |change| change.customer_id),
            &column(given, |change| change.tag_id),
            &column(given, |change| change.estate_id),
            &column(given, |change| change.version),
            &column(given, |change| change.reasons.clone()),
            now.to_sqlx() as jiff_sqlx::Timestamp,
        )
        .execute(tx)
        .await
        .store()?;
    }
    Ok(())
}

fn column<C>(changes: &[TagChange], of: impl Fn(&TagChange) -> C) -> Vec<C> {
    changes.iter().map(of).collect()
}
