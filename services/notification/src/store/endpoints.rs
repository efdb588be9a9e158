//! Webhook endpoints. One is a caller's when all of its estates are.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use steward_kit::auth::Scope;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use crate::domain::ids::WebhookEndpointId;
use crate::domain::webhook::WebhookEndpoint;

/// Place of an endpoint in every list: newest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct EndpointKey {
    create_time: Timestamp,
    id: WebhookEndpointId,
}

impl EndpointKey {
    /// The place of an endpoint.
    pub(crate) fn of(endpoint: &WebhookEndpoint) -> Self {
        Self { create_time: endpoint.create_time, id: endpoint.id }
    }
}

/// An endpoint with its sealed secrets, for the worker that calls it.
#[derive(Clone, Debug)]
pub(crate) struct CallTarget {
    pub(crate) url: String,
    pub(crate) secret: Vec<u8>,
    /// The secret before, while it still signs.
    pub(crate) old_secret: Option<Vec<u8>>,
}

struct EndpointRow {
    id: Uuid,
    url: String,
    description: String,
    estate_ids: Vec<Uuid>,
    event_types: Vec<String>,
    secret_hint: String,
    old_secret_end_time: Option<jiff_sqlx::Timestamp>,
    last_success_time: Option<jiff_sqlx::Timestamp>,
    gone_time: Option<jiff_sqlx::Timestamp>,
    row_version: i64,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
}

impl EndpointRow {
    fn read(self) -> WebhookEndpoint {
        WebhookEndpoint {
            id: self.id.into(),
            url: self.url,
            description: self.description,
            estate_ids: self.estate_ids.into_iter().map(EstateId::from).collect(),
            event_types: self.event_types,
            secret_hint: self.secret_hint,
            old_secret_end_time: self.old_secret_end_time.map(jiff_sqlx::Timestamp::to_jiff),
            last_success_time: self.last_success_time.map(jiff_sqlx::Timestamp::to_jiff),
            gone_time: self.gone_time.map(jiff_sqlx::Timestamp::to_jiff),
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
        }
    }
}

/// `SELECT` of endpoints without their secrets; the text says which ones.
macro_rules! select_endpoints {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            EndpointRow,
            r#"SELECT id, url, description, estate_ids, event_types, secret_hint, old_secret_end_time, last_success_time, gone_time,
                      row_version, create_time, update_time
                 FROM notification.webhook_endpoints WHERE delete_time IS NULL AND "# + $which
                + " -- unscoped: the scope is on estate_ids, all of which must be the caller's"
            $(, $argument)*
        )
    };
}

/// Adds an endpoint with its effects. One trip. The inner error is raw, so that the caller can tell a repeated request.
pub(crate) async fn insert_endpoint(
    db: impl PgExecutor<'_>,
    endpoint: &WebhookEndpoint,
    sealed: &[u8],
    effects: &Effects,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let estates: Vec<Uuid> = endpoint.estate_ids.iter().map(|id| id.as_uuid()).collect();
    sqlx::query!(
        r#"WITH created AS (
               INSERT INTO notification.webhook_endpoints (id, url, description, estate_ids, event_types, secret, secret_hint,
                   row_version, create_time, update_time)
               VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8)
            RETURNING id
           )
           SELECT (SELECT notification.write_effects($9) FROM created)::text AS effects
           -- unscoped: each of estate_ids was found in the caller's scope before"#,
        endpoint.id.as_uuid(),
        endpoint.url,
        endpoint.description,
        &estates,
        &endpoint.event_types,
        sealed,
        endpoint.secret_hint,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// One endpoint, if all of its estates are in scope. One trip.
pub(crate) async fn load_endpoint(db: impl PgExecutor<'_>, scope: &Scope, id: WebhookEndpointId) -> Result<WebhookEndpoint> {
    let estates = scope.estates();
    let row = select_endpoints!("id = $1 AND ($2::uuid[] IS NULL OR estate_ids <@ $2)", id.as_uuid(), estates.as_deref())
        .fetch_optional(db)
        .await
        .store()?;
    Ok(row.ok_or_else(|| Error::not_found("webhook endpoint", id))?.read())
}

/// A page of endpoints, newest first. One trip.
pub(crate) async fn list_endpoints(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    estate: Option<EstateId>,
    page: &PageRequest<EndpointKey>,
) -> Result<Vec<WebhookEndpoint>> {
    let estates = scope.estates();
    let rows = select_endpoints!(
        "($1::uuid[] IS NULL OR estate_ids <@ $1) AND ($2::uuid IS NULL OR estate_ids @> ARRAY[$2::uuid])
            AND ($3::timestamptz IS NULL OR (create_time, id) < ($3, $4::uuid))
          ORDER BY create_time DESC, id DESC LIMIT $5",
        estates.as_deref(),
        estate.map(Uuid::from),
        page.after.map(|key| key.create_time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        page.after.map(|key| key.id.as_uuid()),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(EndpointRow::read).collect())
}

/// An endpoint and what it asked for, as far as it is looked for.
pub(crate) struct Subscribed {
    pub(crate) id: WebhookEndpointId,
    event_types: Vec<String>,
    estates: Vec<Uuid>,
}

impl Subscribed {
    /// Whether it is told events of this type in this estate.
    pub(crate) fn hears(&self, event_type: &str, estate: EstateId) -> bool {
        self.estates.contains(&estate.as_uuid()) && self.event_types.iter().any(|wanted| wanted == event_type)
    }
}

/// Who may be told events of these types in these estates; [`Subscribed::hears`] tells which. One trip.
pub(crate) async fn load_subscribed(db: impl PgExecutor<'_>, event_types: &[String], estates: &[Uuid]) -> Result<Vec<Subscribed>> {
    let rows = sqlx::query!(
        "SELECT id, event_types, estate_ids FROM notification.webhook_endpoints
          WHERE delete_time IS NULL AND gone_time IS NULL AND estate_ids && $1::uuid[] AND event_types && $2::text[]
          ORDER BY id -- unscoped: events named the estates",
        estates,
        event_types,
    )
    .fetch_all(db)
    .await
    .store()?;
    let found = rows.into_iter().map(|row| Subscribed { id: row.id.into(), event_types: row.event_types, estates: row.estate_ids });
    Ok(found.collect())
}

/// Where and how to call; none when the endpoint was removed or is gone. One trip.
pub(crate) async fn load_target(db: impl PgExecutor<'_>, id: WebhookEndpointId, now: Timestamp) -> Result<Option<CallTarget>> {
    let row = sqlx::query_as!(
        CallTarget,
        r#"SELECT url, secret, CASE WHEN old_secret_end_time > $2 THEN old_secret END AS old_secret
             FROM notification.webhook_endpoints WHERE id = $1 AND delete_time IS NULL AND gone_time IS NULL
           -- unscoped: a delivery named the endpoint"#,
        id.as_uuid(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_optional(db)
    .await
    .store()?;
    Ok(row)
}

/// Notes what a call told of the endpoint itself: it took it, or it is gone for good. One trip.
pub(crate) async fn note_call(db: impl PgExecutor<'_>, id: WebhookEndpointId, is_gone: bool, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "UPDATE notification.webhook_endpoints
            SET last_success_time = CASE WHEN $2 THEN last_success_time ELSE $3 END, gone_time = CASE WHEN $2 THEN $3 END
          WHERE id = $1 -- unscoped: a delivery named the endpoint",
        id.as_uuid(),
        is_gone,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(db)
    .await
    .store()?;
    Ok(())
}

/// Puts a new secret in, the present one staying valid until `old_end`; false when the row changed meanwhile. One trip.
pub(crate) async fn rotate_secret(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    endpoint: &WebhookEndpoint,
    before: i64,
    sealed: &[u8],
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let estates = scope.estates();
    let row = sqlx::query!(
        r#"WITH rotated AS (
               UPDATE notification.webhook_endpoints
                  SET old_secret = CASE WHEN $4::timestamptz IS NOT NULL THEN secret END, old_secret_end_time = $4, secret = $3,
                      secret_hint = $5, update_time = $6, row_version = row_version + 1
                WHERE id = $1 AND row_version = $2 AND delete_time IS NULL AND ($7::uuid[] IS NULL OR estate_ids <@ $7)
            RETURNING id
           )
           SELECT (SELECT count(*) FROM rotated) AS "rotated!", (SELECT notification.write_effects($8) FROM rotated)::text AS effects
           -- unscoped: the scope is on estate_ids, all of which must be the caller's"#,
        endpoint.id.as_uuid(),
        before,
        sealed,
        endpoint.old_secret_end_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        endpoint.secret_hint,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        estates.as_deref(),
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(row.rotated == 1)
}

/// Removes an endpoint and its secrets; false when the row changed meanwhile. One trip. Deliveries that wait find it gone
/// at their next attempt, and die.
pub(crate) async fn delete_endpoint(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    endpoint: &WebhookEndpoint,
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let estates = scope.estates();
    let row = sqlx::query!(
        r#"WITH deleted AS (
               UPDATE notification.webhook_endpoints
                  SET delete_time = $3, secret = '', old_secret = NULL, old_secret_end_time = NULL, update_time = $3,
                      row_version = row_version + 1
                WHERE id = $1 AND row_version = $2 AND delete_time IS NULL AND ($4::uuid[] IS NULL OR estate_ids <@ $4)
            RETURNING id
           )
           SELECT (SELECT count(*) FROM deleted) AS "deleted!", (SELECT notification.write_effects($5) FROM deleted)::text AS effects
           -- unscoped: the scope is on estate_ids, all of which must be the caller's"#,
        endpoint.id.as_uuid(),
        endpoint.row_version,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        estates.as_deref(),
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(row.deleted == 1)
}
