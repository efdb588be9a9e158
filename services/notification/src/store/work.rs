//! What the workers need: claiming an attempt, and recording what came of it.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::Result;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::rows::{DeliveryRow, new_deliveries};
use crate::domain::delivery::Delivery;
use crate::domain::ids::{DeliveryId, all_made_within, made_within};
use crate::domain::message::Message;

/// Takes a due delivery for one attempt, until `until`; none when it is not due, done, or with another worker. One trip.
pub(crate) async fn claim_delivery(db: impl PgExecutor<'_>, id: DeliveryId, now: Timestamp, until: Timestamp) -> Result<Option<Delivery>> {
    let (from, to) = made_within(id.as_uuid());
    let row = sqlx::query_as!(
        DeliveryRow,
        r#"UPDATE notification.deliveries SET claim_until = $3
            WHERE id = $1 AND create_time BETWEEN $4 AND $5 AND state = 'queued' AND next_attempt_time <= $2 AND (claim_until IS NULL OR claim_until <= $2)
        RETURNING estate_id, id, message_id, message_create_time, channel, webhook_endpoint_id, state, attempt_count,
                  attempts_before, next_attempt_time, attempts AS "attempts: Json<Vec<crate::domain::delivery::Attempt>>",
                  is_bulk, row_version, create_time, update_time
        -- unscoped: a timer named the delivery"#,
        id.as_uuid(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        until.to_sqlx() as jiff_sqlx::Timestamp,
        from.to_sqlx() as jiff_sqlx::Timestamp,
        to.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.map(DeliveryRow::read).transpose()
}

/// Which of these deliveries still wait for an attempt, and whether they go by the lane of what is said to many. For the timers that
/// wake the worker. One trip.
pub(crate) async fn waiting(tx: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, bool>> {
    let (from, to) = all_made_within(ids);
    let waiting = sqlx::query!(
        r#"SELECT id, is_bulk FROM notification.deliveries WHERE id = ANY($1) AND create_time BETWEEN $2 AND $3 AND state = 'queued'
        -- unscoped: timers named the deliveries"#,
        ids,
        from.to_sqlx() as jiff_sqlx::Timestamp,
        to.to_sqlx() as jiff_sqlx::Timestamp,
    );
    Ok(waiting.fetch_all(tx).await.store()?.into_iter().map(|row| (row.id, row.is_bulk)).collect())
}

/// Writes a delivery, its message, perhaps the delivery that takes over, and the effects: all of it, or nothing when
/// either row changed meanwhile. One trip. The inner error is raw, so that a caller can tell a repeated request.
pub(crate) async fn save_progress(
    db: impl PgExecutor<'_>,
    delivery: &Delivery,
    message: &Message,
    next: Option<&Delivery>,
    ledger: Option<serde_json::Value>,
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let row = sqlx::query!(
        r#"WITH locked AS (
               SELECT d.estate_id, d.id, d.create_time AS delivery_time, m.id AS message_id, m.create_time
                 FROM notification.deliveries d
                 JOIN notification.messages m ON m.estate_id = d.estate_id AND m.id = d.message_id AND m.create_time = d.message_create_time
                WHERE d.estate_id = $1 AND d.id = $2 AND d.create_time = $17 AND d.row_version = $3 AND m.create_time = $4 AND m.row_version = $5
                  FOR UPDATE OF d, m
           ), delivery AS (
               UPDATE notification.deliveries d
                  SET state = $6, attempt_count = $7, attempts_before = $8, next_attempt_time = $9, claim_until = NULL,
                      attempts = $10, update_time = $11, row_version = d.row_version + 1
                 FROM locked l WHERE d.estate_id = l.estate_id AND d.id = l.id AND d.create_time = l.delivery_time
            RETURNING d.id
           ), message AS (
               UPDATE notification.messages m
                  SET state = $12, content = $13, steps = $14, update_time = $11, hand_over_time = $19, row_version = m.row_version + 1
                 FROM locked l WHERE m.estate_id = l.estate_id AND m.id = l.message_id AND m.create_time = l.create_time
           ), made AS (
               INSERT INTO notification.deliveries (estate_id, id, message_id, message_create_time, channel, webhook_endpoint_id,
                   state, attempt_count, attempts_before, next_attempt_time, attempts, is_bulk, row_version, create_time, update_time)
               SELECT d.estate_id, d.id, d.message_id, d.message_create_time, d.channel, d.webhook_endpoint_id, d.state,
                      d.attempt_count, 0, d.next_attempt_time, d.attempts, d.is_bulk, 1, d.create_time, d.create_time
                 FROM jsonb_to_recordset($15::jsonb) AS d(estate_id uuid, id uuid, message_id uuid,
                          message_create_time timestamptz, channel text, webhook_endpoint_id uuid, state text,
                          attempt_count integer, next_attempt_time timestamptz, attempts jsonb, is_bulk boolean, create_time timestamptz)
                WHERE EXISTS (SELECT FROM delivery)
           )
           SELECT (SELECT count(*) FROM delivery) AS "saved!",
                  (SELECT notification.write_contacts($18, $11) FROM delivery)::text AS contacts,
                  (SELECT notification.write_effects($16) FROM delivery)::text AS effects"#,
        delivery.estate_id.as_uuid(),
        delivery.id.as_uuid(),
        delivery.row_version,
        message.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        message.row_version,
        delivery.state.as_str(),
        delivery.attempt_count,
        delivery.attempts_before,
        delivery.next_attempt_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        Json(&delivery.attempts) as _,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        message.state.as_str(),
        Json(&message.content) as _,
        Json(&message.steps) as _,
        Json(new_deliveries(next)) as _,
        effects.json(now),
        delivery.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        ledger,
        message.hand_over_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
    )
    .fetch_one(db)
    .await?;
    Ok(row.saved == 1)
}
