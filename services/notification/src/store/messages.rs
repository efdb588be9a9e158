//! Messages: written once, read through a scope.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool};
use steward_kit::auth::Scope;
use steward_kit::ids::{CustomerId, EstateId, MessageId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::rows::{MessageRow, new_deliveries, new_items};
use super::windows::Windows;
use crate::domain::codes::{Class, MessageState};
use crate::domain::ids::{BroadcastId, all_made_within, made_within};
use crate::domain::message::Message;
use crate::domain::plan::Planned;

/// `SELECT` of whole messages `m`; the text says which ones.
macro_rules! select_messages {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            MessageRow,
            r#"SELECT m.estate_id, m.id, m.recipient_kind, m.customer_id, m.staff_subject, m.staff_role, m.webhook_endpoint_id,
                      m.message_class, m.template_key, m.template_version, m.language, m.state, m.suppress_reason,
                      m.defer_until_time, m.subject_kind, m.subject_id, m.event_id, m.household_id, m.routing_rule_id,
                      m.broadcast_id, m.content AS "content: Json<crate::domain::message::Content>", m.fact_time, m.held_until_time, m.hand_over_time,
                      m.steps AS "steps: Json<Vec<crate::domain::message::Step>>", m.row_version, m.create_time, m.update_time"#
                + $which
            $(, $argument)*
        )
    };
}

/// Place of a message in every list: newest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct MessageKey {
    create_time: Timestamp,
    id: MessageId,
}

impl MessageKey {
    /// The place of a message.
    pub(crate) fn of(message: &Message) -> Self {
        Self { create_time: message.create_time, id: message.id }
    }
}

/// Which messages a list shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MessageFilter {
    pub(crate) estate: Option<EstateId>,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) subject: Option<Uuid>,
    pub(crate) state: Option<MessageState>,
    pub(crate) class: Option<Class>,
    pub(crate) broadcast: Option<BroadcastId>,
}

/// Writes what became of a message that had waited, if nobody else did, with its deliveries, inbox item, contacts and
/// effects. One trip. The inner error is raw, so that the caller can tell a contended household.
pub(crate) async fn settle_message(
    db: impl PgExecutor<'_>,
    planned: &Planned,
    ledger: Option<serde_json::Value>,
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let message = &planned.message;
    let one = std::slice::from_ref(planned);
    let row = sqlx::query!(
        r#"WITH settled AS (
               UPDATE notification.messages
                  SET state = $5, suppress_reason = $6, defer_until_time = $7, content = $8, steps = $9, update_time = $10,
                      held_until_time = $15, hand_over_time = $16, row_version = row_version + 1
                WHERE estate_id = $1 AND id = $2 AND create_time = $3 AND row_version = $4
            RETURNING id
           ), made AS (
               INSERT INTO notification.deliveries (estate_id, id, message_id, message_create_time, channel, webhook_endpoint_id,
                   state, attempt_count, attempts_before, next_attempt_time, attempts, is_bulk, row_version, create_time, update_time)
               SELECT d.estate_id, d.id, d.message_id, d.message_create_time, d.channel, d.webhook_endpoint_id, d.state,
                      d.attempt_count, 0, d.next_attempt_time, d.attempts, d.is_bulk, 1, d.create_time, d.create_time
                 FROM jsonb_to_recordset($11::jsonb) AS d(estate_id uuid, id uuid, message_id uuid,
                          message_create_time timestamptz, channel text, webhook_endpoint_id uuid, state text,
                          attempt_count integer, next_attempt_time timestamptz, attempts jsonb, is_bulk boolean, create_time timestamptz)
                 JOIN settled s ON s.id = d.message_id
           ), items AS (
               INSERT INTO notification.inbox_arrivals (estate_id, message_id, message_create_time, delivery_id, customer_id,
                   staff_subject, staff_role, message_class, template_key, title, body, subject_kind, subject_id, create_time)
               SELECT i.estate_id, i.message_id, i.message_create_time, i.delivery_id, i.customer_id, i.staff_subject,
                      i.staff_role, i.message_class, i.template_key, i.title, i.body, i.subject_kind, i.subject_id, i.create_time
                 FROM jsonb_to_recordset($12::jsonb) AS i(estate_id uuid, message_id uuid, message_create_time timestamptz,
                          delivery_id uuid, customer_id uuid, staff_subject text, staff_role text, message_class text,
                          template_key text, title text, body text, subject_kind text, subject_id uuid, create_time timestamptz)
                 JOIN settled s ON s.id = i.message_id
           )
           SELECT (SELECT count(*) FROM settled) AS "settled!",
                  (SELECT notification.write_contacts($13, $10) FROM settled)::text AS contacts,
                  (SELECT notification.write_effects($14) FROM settled)::text AS effects"#,
        message.estate_id.as_uuid(),
        message.id.as_uuid(),
        message.create_time.to_sqlx() as jiff_sqlx::Timestamp,
        message.row_version,
        message.state.as_str(),
        message.suppress_reason.map(|reason| reason.as_str()),
        message.defer_until.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        Json(&message.content) as _,
        Json(&message.steps) as _,
        message.update_time.to_sqlx() as jiff_sqlx::Timestamp,
        Json(new_deliveries(&planned.deliveries)) as _,
        Json(new_items(one)) as _,
        ledger,
        effects.json(now),
        message.held_until.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        message.hand_over_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
    )
    .fetch_one(db)
    .await?;
    Ok(row.settled == 1)
}

/// Which of these messages are still to be judged, and whether they go by the lane of what is said to many. For the timers that wake
/// the worker. One trip.
pub(crate) async fn unsettled(tx: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, bool>> {
    let (from, to) = all_made_within(ids);
    let unsettled = sqlx::query!(
        r#"SELECT id, broadcast_id IS NOT NULL AND message_class <> 'emergency' AS "is_bulk!" FROM notification.messages
            WHERE id = ANY($1) AND create_time BETWEEN $2 AND $3 AND state IN ('deferred', 'queued')
           -- unscoped: named by timers"#,
        ids,
        from.to_sqlx() as jiff_sqlx::Timestamp,
        to.to_sqlx() as jiff_sqlx::Timestamp,
    );
    Ok(unsettled.fetch_all(tx).await.store()?.into_iter().map(|row| (row.id, row.is_bulk)).collect())
}

/// One message, if the scope has it. One trip.
pub(crate) async fn load_message(db: impl PgExecutor<'_>, scope: &Scope, id: MessageId) -> Result<Message> {
    let estates = scope.estates();
    let (from, to) = made_within(id.as_uuid());
    let row = select_messages!(
        " FROM notification.messages m
          WHERE m.id = $1 AND m.create_time BETWEEN $4 AND $5 AND ($2::uuid[] IS NULL OR m.estate_id = ANY($2)) AND ($3::uuid IS NULL OR m.customer_id = $3)",
        id.as_uuid(),
        estates.as_deref(),
        scope.own_customer(),
        from.to_sqlx() as jiff_sqlx::Timestamp,
        to.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.ok_or_else(|| Error::not_found("message", id))?.read()
}

/// The message that holds a business key.
pub(crate) async fn load_by_key(db: impl PgExecutor<'_>, scope: &Scope, key: &[u8]) -> Result<Option<Message>> {
    let estates = scope.estates();
    let row = select_messages!(
        " FROM notification.message_keys k JOIN notification.messages m ON m.id = k.message_id AND m.create_time = k.create_time
          WHERE k.key = $1 AND ($2::uuid[] IS NULL OR m.estate_id = ANY($2))",
        key,
        estates.as_deref(),
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.map(MessageRow::read).transpose()
}

/// A page of messages, newest first. One trip for each stretch of time that a page needs.
pub(crate) async fn list_messages(
    db: &PgPool,
    scope: &Scope,
    filter: &MessageFilter,
    page: &PageRequest<MessageKey>,
    now: Timestamp,
) -> Result<Vec<Message>> {
    let estates = scope.estates();
    let mut found = Vec::new();
    for (from, to) in Windows::back_from(now, page.after.map(|key| key.create_time)) {
        let left = page.size.limit() - i64::try_from(found.len()).unwrap_or(i64::MAX);
        if left <= 0 {
            break;
        }
        let rows = select_messages!(
            " FROM notification.messages m
              WHERE m.create_time >= $11 AND m.create_time < $12
                AND ($1::uuid[] IS NULL OR m.estate_id = ANY($1)) AND ($2::uuid IS NULL OR m.customer_id = $2)
                AND ($3::uuid IS NULL OR m.estate_id = $3) AND ($4::uuid IS NULL OR m.customer_id = $4)
                AND ($5::uuid IS NULL OR m.subject_id = $5) AND ($6::text IS NULL OR m.state = $6)
                AND ($7::text IS NULL OR m.message_class = $7) AND ($13::uuid IS NULL OR m.broadcast_id = $13)
                AND ($8::timestamptz IS NULL OR (m.create_time, m.id) < ($8, $9::uuid))
              ORDER BY m.create_time DESC, m.id DESC LIMIT $10",
            estates.as_deref(),
            scope.own_customer(),
            filter.estate.map(Uuid::from),
            filter.customer.map(Uuid::from),
            filter.subject,
            filter.state.map(|state| state.as_str()),
            filter.class.map(|class| class.as_str()),
            page.after.map(|key| key.create_time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
            page.after.map(|key| key.id.as_uuid()),
            left,
            from.to_sqlx() as jiff_sqlx::Timestamp,
            to.to_sqlx() as jiff_sqlx::Timestamp,
            filter.broadcast.map(Uuid::from),
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
