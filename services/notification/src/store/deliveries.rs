//! Deliveries, read and redriven through a scope.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool};
use steward_kit::auth::Scope;
use steward_kit::ids::{EstateId, MessageId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::rows::DeliveryRow;
use super::windows::Windows;
use crate::domain::codes::{Channel, DeliveryState};
use crate::domain::delivery::Delivery;
use crate::domain::ids::{DeliveryId, WebhookEndpointId, made_within};

/// Place of a delivery in every list: newest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct DeliveryKey {
    create_time: Timestamp,
    id: DeliveryId,
}

impl DeliveryKey {
    /// The place of a delivery.
    pub(crate) fn of(delivery: &Delivery) -> Self {
        Self { create_time: delivery.create_time, id: delivery.id }
    }
}

/// Which deliveries a list shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DeliveryFilter {
    pub(crate) message: Option<MessageId>,
    pub(crate) estate: Option<EstateId>,
    pub(crate) endpoint: Option<WebhookEndpointId>,
    pub(crate) channel: Option<Channel>,
    pub(crate) state: Option<DeliveryState>,
}

/// One delivery, if the scope has it. One trip.
pub(crate) async fn load_delivery(db: impl PgExecutor<'_>, scope: &Scope, id: DeliveryId) -> Result<Delivery> {
    let estates = scope.estates();
    let (from, to) = made_within(id.as_uuid());
    let row = sqlx::query_as!(
        DeliveryRow,
        r#"SELECT estate_id, id, message_id, message_create_time, channel, webhook_endpoint_id, state, attempt_count,
                  attempts_before, next_attempt_time, attempts AS "attempts: Json<Vec<crate::domain::delivery::Attempt>>",
                  is_bulk, row_version, create_time, update_time
             FROM notification.deliveries
            WHERE id = $1 AND create_time BETWEEN $3 AND $4 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))"#,
        id.as_uuid(),
        estates.as_deref(),
        from.to_sqlx() as jiff_sqlx::Timestamp,
        to.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.ok_or_else(|| Error::not_found("delivery", id))?.read()
}

/// A page of deliveries, newest first. One trip for each stretch of time that a page needs.
pub(crate) async fn list_deliveries(
    db: &PgPool,
    scope: &Scope,
    filter: &DeliveryFilter,
    page: &PageRequest<DeliveryKey>,
    now: Timestamp,
) -> Result<Vec<Delivery>> {
    let estates = scope.estates();
    let mut found = Vec::new();
    for (from, to) in Windows::back_from(now, page.after.map(|key| key.create_time)) {
        let left = page.size.limit() - i64::try_from(found.len()).unwrap_or(i64::MAX);
        if left <= 0 {
            break;
        }
        let rows = sqlx::query_as!(
            DeliveryRow,
            r#"SELECT estate_id, id, message_id, message_create_time, channel, webhook_endpoint_id, state, attempt_count,
                      attempts_before, next_attempt_time, attempts AS "attempts: Json<Vec<crate::domain::delivery::Attempt>>",
                      is_bulk, row_version, create_time, update_time
                 FROM notification.deliveries
                WHERE create_time >= $10 AND create_time < $11
                  AND ($1::uuid[] IS NULL OR estate_id = ANY($1)) AND ($2::uuid IS NULL OR message_id = $2)
                  AND ($3::uuid IS NULL OR estate_id = $3) AND ($4::uuid IS NULL OR webhook_endpoint_id = $4)
                  AND ($5::text IS NULL OR channel = $5) AND ($6::text IS NULL OR state = $6)
                  AND ($7::timestamptz IS NULL OR (create_time, id) < ($7, $8::uuid))
                ORDER BY create_time DESC, id DESC LIMIT $9"#,
            estates.as_deref(),
            filter.message.map(Uuid::from),
            filter.estate.map(Uuid::from),
            filter.endpoint.map(Uuid::from),
            filter.channel.map(|channel| channel.as_str()),
            filter.state.map(|state| state.as_str()),
            page.after.map(|key| key.create_time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
            page.after.map(|key| key.id.as_uuid()),
            left,
            from.to_sqlx() as jiff_sqlx::Timestamp,
            to.to_sqlx() as jiff_sqlx::Timestamp,
        )
        .fetch_all(db)
        .await
        .store()?;
        for row in rows {
            found.push(row.read()?);
        }
    }
    Ok(found)
}
