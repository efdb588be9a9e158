//! Messages on their way in: with their keys, deliveries and inbox items, by one statement.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::rows::{new_deliveries, new_items, new_messages};
use crate::domain::plan::Planned;

/// A statement that writes new messages: `$1` messages, `$2` deliveries, `$3` inbox items. `$before` are parts of the statement that
/// stand before, `$which` those messages that are written at all, `$after` is what is answered; `keys` are the messages written.
macro_rules! write_messages {
    ($before:tt, $which:tt, $after:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query!(
            $before + r#"given AS (
               SELECT * FROM jsonb_to_recordset($1::jsonb) AS g(key text, estate_id uuid, id uuid, recipient_kind text,
                   customer_id uuid, staff_subject text, staff_role text, webhook_endpoint_id uuid, message_class text,
                   template_key text, template_version integer, language text, state text, suppress_reason text,
                   defer_until_time timestamptz, subject_kind text, subject_id uuid, event_id uuid, household_id uuid,
                   routing_rule_id uuid, broadcast_id uuid, content jsonb, steps jsonb, fact_time timestamptz,
                   held_until_time timestamptz, hand_over_time timestamptz, create_time timestamptz, update_time timestamptz)"# + $which + r#"
           ), keys AS (
               INSERT INTO notification.message_keys (key, message_id, create_time)
               SELECT decode(key, 'base64'), id, create_time FROM given ORDER BY key
               ON CONFLICT ON CONSTRAINT message_keys_pkey DO NOTHING
               RETURNING message_id
           ), created AS (
               INSERT INTO notification.messages (estate_id, id, recipient_kind, customer_id, staff_subject, staff_role,
                   webhook_endpoint_id, message_class, template_key, template_version, language, state, suppress_reason,
                   defer_until_time, subject_kind, subject_id, event_id, household_id, routing_rule_id, broadcast_id, content, steps,
                   fact_time, held_until_time, hand_over_time, row_version, create_time, update_time)
               SELECT g.estate_id, g.id, g.recipient_kind, g.customer_id, g.staff_subject, g.staff_role, g.webhook_endpoint_id,
                      g.message_class, g.template_key, g.template_version, g.language, g.state, g.suppress_reason,
                      g.defer_until_time, g.subject_kind, g.subject_id, g.event_id, g.household_id, g.routing_rule_id,
                      g.broadcast_id, g.content, g.steps, g.fact_time, g.held_until_time, g.hand_over_time, 1, g.create_time,
                      g.update_time
                 FROM given g JOIN keys k ON k.message_id = g.id
           ), made AS (
               INSERT INTO notification.deliveries (estate_id, id, message_id, message_create_time, channel, webhook_endpoint_id,
                   state, attempt_count, attempts_before, next_attempt_time, attempts, is_bulk, row_version, create_time, update_time)
               SELECT d.estate_id, d.id, d.message_id, d.message_create_time, d.channel, d.webhook_endpoint_id, d.state,
                      d.attempt_count, 0, d.next_attempt_time, d.attempts, d.is_bulk, 1, d.create_time, d.create_time
                 FROM jsonb_to_recordset($2::jsonb) AS d(estate_id uuid, id uuid, message_id uuid, message_create_time timestamptz,
                          channel text, webhook_endpoint_id uuid, state text, attempt_count integer,
                          next_attempt_time timestamptz, attempts jsonb, is_bulk boolean, create_time timestamptz)
                 JOIN keys k ON k.message_id = d.message_id
           ), items AS (
               INSERT INTO notification.inbox_arrivals (estate_id, message_id, message_create_time, delivery_id, customer_id,
                   staff_subject, staff_role, message_class, template_key, title, body, subject_kind, subject_id, create_time)
               SELECT i.estate_id, i.message_id, i.message_create_time, i.delivery_id, i.customer_id, i.staff_subject,
                      i.staff_role, i.message_class, i.template_key, i.title, i.body, i.subject_kind, i.subject_id, i.create_time
                 FROM jsonb_to_recordset($3::jsonb) AS i(estate_id uuid, message_id uuid, message_create_time timestamptz,
                          delivery_id uuid, customer_id uuid, staff_subject text, staff_role text, message_class text,
                          template_key text, title text, body text, subject_kind text, subject_id uuid, create_time timestamptz)
                 JOIN keys k ON k.message_id = i.message_id
           )"# + $after
            $(, $argument)*
        )
    };
}
pub(super) use write_messages;

/// Writes those messages whose business key is new, with their deliveries and inbox items, and says which they were
/// (NT-40). `effects` are written in the same statement if any message was new; a consumer passes none and returns the
/// effects of the new ones. `ledger` is written with them: counted contacts go with one message only. One trip. The inner
/// error is raw, so that the caller can tell a repeated request and a contended household.
pub(crate) async fn insert_messages(
    db: impl PgExecutor<'_>,
    planned: &[Planned],
    ledger: Option<serde_json::Value>,
    effects: Option<serde_json::Value>,
    now: Timestamp,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let row = write_messages!(
        "WITH ",
        "",
        r#"
           SELECT ARRAY(SELECT message_id FROM keys) AS "created!",
                  (SELECT notification.write_contacts(jsonb_set($5::jsonb, '{entries}', coalesce((
                              SELECT jsonb_agg(e) FROM jsonb_array_elements($5::jsonb -> 'entries') AS e
                               WHERE (e ->> 'message_id')::uuid IN (SELECT message_id FROM keys)), '[]'::jsonb)), $6)
                    WHERE $5::jsonb IS NOT NULL AND EXISTS (SELECT FROM keys))::text AS contacts,
                  (SELECT notification.write_effects($4) WHERE $4::jsonb IS NOT NULL AND EXISTS (SELECT FROM keys))::text AS effects
           -- unscoped: each new row names its estate, which was found in scope before"#,
        Json(new_messages(planned)) as _,
        Json(new_deliveries(planned.iter().flat_map(|one| &one.deliveries))) as _,
        Json(new_items(planned)) as _,
        effects,
        ledger,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_one(db)
    .await?;
    Ok(row.created)
}

/// Which of these business keys are taken. One trip.
pub(crate) async fn taken_keys(db: impl PgExecutor<'_>, keys: &[Vec<u8>]) -> Result<HashSet<Vec<u8>>> {
    let taken = sqlx::query_scalar!("SELECT key FROM notification.message_keys WHERE key = ANY($1) -- unscoped: keys tell nothing", keys);
    Ok(taken.fetch_all(db).await.store()?.into_iter().collect())
}
