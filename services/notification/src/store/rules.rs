//! Routing rules. Those without an estate hold for every estate, and are seen by everybody who may see rules.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::auth::Scope;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use crate::domain::ids::RoutingRuleId;
use crate::domain::routing::{RoutingRule, RuleDocument};

/// The index that refuses a second rule of one code in one scope.
pub(crate) const CODE_TAKEN: &str = "routing_rules_scope_code_key";

/// Place of a rule in every list: by event type and code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RuleKey {
    event_type: String,
    code: String,
    id: RoutingRuleId,
}

impl RuleKey {
    /// The place of a rule.
    pub(crate) fn of(rule: &RoutingRule) -> Self {
        Self { event_type: rule.event_type.clone(), code: rule.code.clone(), id: rule.id }
    }
}

struct RuleRow {
    id: Uuid,
    code: String,
    estate_id: Option<Uuid>,
    event_type: String,
    template_key: String,
    document: Json<RuleDocument>,
    row_version: i64,
    create_time: jiff_sqlx::Timestamp,
}

impl RuleRow {
    fn read(self) -> RoutingRule {
        RoutingRule {
            id: self.id.into(),
            code: self.code,
            estate_id: self.estate_id.map(EstateId::from),
            event_type: self.event_type,
            template_key: self.template_key,
            document: self.document.0,
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
        }
    }
}

/// `SELECT` of whole rules; the text says which ones.
macro_rules! select_rules {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            RuleRow,
            r#"SELECT id, code, estate_id, event_type, template_key, document AS "document: Json<RuleDocument>", row_version, create_time
                 FROM notification.routing_rules WHERE delete_time IS NULL AND "# + $which
            $(, $argument)*
        )
    };
}

/// The rules that may hold for events of these types in these estates; [`RoutingRule::holds_for`] tells for which. One trip.
pub(crate) async fn load_matching(db: impl PgExecutor<'_>, event_types: &[String], estates: &[Uuid]) -> Result<Vec<RoutingRule>> {
    let rows =
        select_rules!("event_type = ANY($1) AND (estate_id IS NULL OR estate_id = ANY($2)) ORDER BY code, id", event_types, estates,)
            .fetch_all(db)
            .await
            .store()?;
    Ok(rows.into_iter().map(RuleRow::read).collect())
}

/// Adds a rule with its effects. One trip. The inner error is raw: it tells a repeated request and a code that is taken.
pub(crate) async fn insert_rule(db: impl PgExecutor<'_>, rule: &RoutingRule, effects: &Effects, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"WITH created AS (
               INSERT INTO notification.routing_rules (id, code, estate_id, event_type, template_key, document, row_version, create_time)
               VALUES ($1, $2, $3, $4, $5, $6, 1, $7)
            RETURNING id
           )
           SELECT (SELECT notification.write_effects($8) FROM created)::text AS effects
           -- unscoped: the rule's estate was found in the caller's scope before"#,
        rule.id.as_uuid(),
        rule.code,
        rule.estate_id.map(Uuid::from),
        rule.event_type,
        rule.template_key,
        Json(&rule.document) as _,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// Adds a shipped rule unless there is, or was, one of its code for every estate. One trip.
pub(crate) async fn insert_shipped(db: impl PgExecutor<'_>, rule: &RoutingRule, now: Timestamp) -> Result<bool> {
    let done = sqlx::query!(
        r#"INSERT INTO notification.routing_rules (id, code, estate_id, event_type, template_key, document, row_version, create_time)
           SELECT $1, $2, NULL, $3, $4, $5, 1, $6
            WHERE NOT EXISTS (SELECT FROM notification.routing_rules WHERE code = $2 AND estate_id IS NULL)
           ON CONFLICT DO NOTHING
           -- unscoped: shipped rules hold for every estate"#,
        rule.id.as_uuid(),
        rule.code,
        rule.event_type,
        rule.template_key,
        Json(&rule.document) as _,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(db)
    .await
    .store()?;
    Ok(done.rows_affected() == 1)
}

/// One rule that the caller may remove: of their estates, or of every estate when they have all. One trip.
pub(crate) async fn load_rule(db: impl PgExecutor<'_>, scope: &Scope, id: RoutingRuleId) -> Result<RoutingRule> {
    let estates = scope.estates();
    let row = select_rules!("id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))", id.as_uuid(), estates.as_deref())
        .fetch_optional(db)
        .await
        .store()?;
    Ok(row.ok_or_else(|| Error::not_found("routing rule", id))?.read())
}

/// Removes a rule, with the effects; false when it changed meanwhile. One trip.
pub(crate) async fn delete_rule(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    rule: &RoutingRule,
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let estates = scope.estates();
    let row = sqlx::query!(
        r#"WITH deleted AS (
               UPDATE notification.routing_rules SET delete_time = $3, row_version = row_version + 1
                WHERE id = $1 AND row_version = $2 AND delete_time IS NULL AND ($4::uuid[] IS NULL OR estate_id = ANY($4))
            RETURNING id
           )
           SELECT (SELECT count(*) FROM deleted) AS "deleted!", (SELECT notification.write_effects($5) FROM deleted)::text AS effects"#,
        rule.id.as_uuid(),
        rule.row_version,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        estates.as_deref(),
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(row.deleted == 1)
}

/// A page of rules: those of every estate and those of the caller's. One trip.
pub(crate) async fn list_rules(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    event_type: Option<&str>,
    estate: Option<EstateId>,
    page: &PageRequest<RuleKey>,
) -> Result<Vec<RoutingRule>> {
    let after = page.after.as_ref();
    let estates = scope.estates();
    let rows = select_rules!(
        "($1::uuid[] IS NULL OR estate_id IS NULL OR estate_id = ANY($1))
            AND ($2::text IS NULL OR event_type = $2) AND ($3::uuid IS NULL OR estate_id IS NULL OR estate_id = $3)
            AND ($4::text IS NULL OR (event_type, code, id) > ($4, $5::text, $6::uuid))
          ORDER BY event_type, code, id LIMIT $7",
        estates.as_deref(),
        event_type,
        estate.map(Uuid::from),
        after.map(|place| place.event_type.as_str()),
        after.map(|place| place.code.as_str()),
        after.map(|place| place.id.as_uuid()),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(RuleRow::read).collect())
}
