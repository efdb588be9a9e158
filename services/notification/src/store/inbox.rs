//! Inboxes: positions given, items read, reading remembered.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use steward_kit::Result;
use steward_kit::ids::EstateId;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::code;
use crate::domain::codes::Class;
use crate::domain::inbox::{InboxItem, Reader};

/// Most items that get their position in one statement.
const BATCH: i64 = 1000;

/// Gives committed items their positions and answers the highest one. One trip.
///
/// The row of `inbox_head` is the lock: the second of two at once waits for the first to commit, so positions become
/// visible in their order, and no reader's cursor passes an item that comes later.
pub(crate) async fn sequence_items(db: impl PgExecutor<'_>) -> Result<i64> {
    let row = sqlx::query!(
        r#"WITH waiting AS (
               SELECT message_id, row_number() OVER (ORDER BY create_time, message_id) AS place
                 FROM (SELECT message_id, create_time FROM notification.inbox_items WHERE position IS NULL
                        ORDER BY create_time, message_id LIMIT $1) w
           ), head AS (
               UPDATE notification.inbox_head SET position = position + (SELECT count(*) FROM waiting)
                WHERE EXISTS (SELECT FROM waiting)
            RETURNING position
           ), given AS (
               UPDATE notification.inbox_items i
                  SET position = h.position - (SELECT count(*) FROM waiting) + w.place
                 FROM head h, waiting w WHERE i.message_id = w.message_id AND i.position IS NULL
           )
           SELECT coalesce((SELECT position FROM head), (SELECT position FROM notification.inbox_head)) AS "position!"
           -- unscoped: positions are given to the items of every estate"#,
        BATCH,
    )
    .fetch_one(db)
    .await
    .store()?;
    Ok(row.position)
}

struct ItemRow {
    estate_id: Uuid,
    message_id: Uuid,
    message_create_time: jiff_sqlx::Timestamp,
    delivery_id: Uuid,
    staff_role: Option<String>,
    message_class: String,
    template_key: String,
    title: String,
    body: String,
    subject_kind: String,
    subject_id: Option<Uuid>,
    create_time: jiff_sqlx::Timestamp,
    position: i64,
    read_time: Option<jiff_sqlx::Timestamp>,
}

impl ItemRow {
    fn read(self) -> Result<InboxItem> {
        Ok(InboxItem {
            message_id: self.message_id.into(),
            message_create_time: self.message_create_time.to_jiff(),
            delivery_id: self.delivery_id.into(),
            estate_id: self.estate_id.into(),
            class: code(Class::parse(&self.message_class), "message_class")?,
            template_key: self.template_key,
            title: self.title,
            body: self.body,
            subject_kind: self.subject_kind,
            subject_id: self.subject_id,
            staff_role: self.staff_role,
            create_time: self.create_time.to_jiff(),
            position: self.position,
            read_time: self.read_time.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// The reader's items below position `before` (or from the newest), newest first. One trip. Each of the reader's inboxes is
/// read by its own index, at most `limit` rows of it.
pub(crate) async fn list_items(
    db: impl PgExecutor<'_>,
    reader: &Reader,
    unread_only: bool,
    estate: Option<EstateId>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<InboxItem>> {
    let rows = sqlx::query_as!(
        ItemRow,
        r#"WITH mine AS (
               (SELECT i.message_id, i.position FROM notification.inbox_items i
                 WHERE i.customer_id = $1 AND i.position < coalesce($6, 9223372036854775807) AND ($7::uuid IS NULL OR i.estate_id = $7)
                   AND NOT ($8 AND EXISTS (SELECT FROM notification.inbox_reads r WHERE r.message_id = i.message_id AND r.subject = $5))
                 ORDER BY i.position DESC LIMIT $9)
               UNION ALL
               (SELECT i.message_id, i.position FROM notification.inbox_items i
                 WHERE i.staff_subject = $2 AND i.position < coalesce($6, 9223372036854775807) AND ($7::uuid IS NULL OR i.estate_id = $7)
                   AND NOT ($8 AND EXISTS (SELECT FROM notification.inbox_reads r WHERE r.message_id = i.message_id AND r.subject = $5))
                 ORDER BY i.position DESC LIMIT $9)
               UNION ALL
               (SELECT x.message_id, x.position FROM unnest($3::text[]) AS role, LATERAL (
                 SELECT i.message_id, i.position FROM notification.inbox_items i
                  WHERE $4::uuid[] IS NULL AND i.staff_role = role AND i.position < coalesce($6, 9223372036854775807)
                    AND ($7::uuid IS NULL OR i.estate_id = $7)
                    AND NOT ($8 AND EXISTS (SELECT FROM notification.inbox_reads r WHERE r.message_id = i.message_id AND r.subject = $5))
                  ORDER BY i.position DESC LIMIT $9) x)
               UNION ALL
               (SELECT x.message_id, x.position FROM unnest($3::text[]) AS role, unnest($4::uuid[]) AS estate, LATERAL (
                 SELECT i.message_id, i.position FROM notification.inbox_items i
                  WHERE i.staff_role = role AND i.estate_id = estate AND i.position < coalesce($6, 9223372036854775807)
                    AND ($7::uuid IS NULL OR i.estate_id = $7)
                    AND NOT ($8 AND EXISTS (SELECT FROM notification.inbox_reads r WHERE r.message_id = i.message_id AND r.subject = $5))
                  ORDER BY i.position DESC LIMIT $9) x)
           )
           SELECT i.estate_id, i.message_id, i.message_create_time, i.delivery_id, i.staff_role, i.message_class, i.template_key,
                  i.title, i.body, i.subject_kind, i.subject_id, i.create_time, m.position AS "position!", r.read_time AS "read_time?"
             FROM (SELECT DISTINCT message_id, position FROM mine ORDER BY position DESC LIMIT $9) m
             JOIN notification.inbox_items i ON i.message_id = m.message_id
             LEFT JOIN notification.inbox_reads r ON r.message_id = m.message_id AND r.subject = $5
            ORDER BY m.position DESC"#,
        reader.customer_id,
        reader.staff_subject,
        &reader.roles,
        reader.estates.as_deref(),
        reader.subject,
        before,
        estate.map(Uuid::from),
        unread_only,
        limit,
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(ItemRow::read).collect()
}

/// The reader's items after position `after` up to `until`, oldest first. One trip.
pub(crate) async fn items_between(db: impl PgExecutor<'_>, reader: &Reader, after: i64, until: i64, limit: i64) -> Result<Vec<InboxItem>> {
    let rows = sqlx::query_as!(
        ItemRow,
        r#"SELECT i.estate_id, i.message_id, i.message_create_time, i.delivery_id, i.staff_role, i.message_class, i.template_key,
                  i.title, i.body, i.subject_kind, i.subject_id, i.create_time, i.position AS "position!",
                  r.read_time AS "read_time?"
             FROM notification.inbox_items i
             LEFT JOIN notification.inbox_reads r ON r.message_id = i.message_id AND r.subject = $5
            WHERE i.position > $6 AND i.position <= $7
              AND (i.customer_id = $1 OR i.staff_subject = $2
                   OR i.staff_role = ANY($3) AND ($4::uuid[] IS NULL OR i.estate_id = ANY($4)))
            ORDER BY i.position LIMIT $8"#,
        reader.customer_id,
        reader.staff_subject,
        &reader.roles,
        reader.estates.as_deref(),
        reader.subject,
        after,
        until,
        limit,
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(ItemRow::read).collect()
}

/// Those of `ids` that are in the reader's inbox. One trip.
pub(crate) async fn find_items(db: impl PgExecutor<'_>, reader: &Reader, ids: &[Uuid]) -> Result<Vec<InboxItem>> {
    let rows = sqlx::query_as!(
        ItemRow,
        r#"SELECT i.estate_id, i.message_id, i.message_create_time, i.delivery_id, i.staff_role, i.message_class, i.template_key,
                  i.title, i.body, i.subject_kind, i.subject_id, i.create_time, coalesce(i.position, 0) AS "position!",
                  r.read_time AS "read_time?"
             FROM notification.inbox_items i
             LEFT JOIN notification.inbox_reads r ON r.message_id = i.message_id AND r.subject = $5
            WHERE i.message_id = ANY($6)
              AND (i.customer_id = $1 OR i.staff_subject = $2
                   OR i.staff_role = ANY($3) AND ($4::uuid[] IS NULL OR i.estate_id = ANY($4)))"#,
        reader.customer_id,
        reader.staff_subject,
        &reader.roles,
        reader.estates.as_deref(),
        reader.subject,
        ids,
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(ItemRow::read).collect()
}

/// Remembers that the reader read `items`, and raises those sent to the reader in person to `read`, with the effects. One
/// trip. The inner error is raw, so that the caller can tell a repeated request.
pub(crate) async fn mark_read(
    db: impl PgExecutor<'_>,
    reader: &Reader,
    items: &[&InboxItem],
    step: serde_json::Value,
    effects: &Effects,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = items.iter().map(|item| item.message_id.as_uuid()).collect();
    let own: Vec<&InboxItem> = items.iter().copied().filter(|item| item.staff_role.is_none()).collect();
    let estates: Vec<Uuid> = own.iter().map(|item| item.estate_id.as_uuid()).collect();
    let messages: Vec<Uuid> = own.iter().map(|item| item.message_id.as_uuid()).collect();
    let created: Vec<jiff_sqlx::Timestamp> = own.iter().map(|item| item.message_create_time.to_sqlx()).collect();
    let deliveries: Vec<Uuid> = own.iter().map(|item| item.delivery_id.as_uuid()).collect();
    sqlx::query!(
        r#"WITH noted AS (
               INSERT INTO notification.inbox_reads (message_id, subject, read_time)
               SELECT id, $2, $3 FROM unnest($1::uuid[]) AS id ON CONFLICT ON CONSTRAINT inbox_reads_pkey DO NOTHING
           ), own AS (
               SELECT * FROM unnest($4::uuid[], $5::uuid[], $6::timestamptz[], $7::uuid[]) AS o(estate_id, id, create_time, delivery_id)
           ), deliveries AS (
               UPDATE notification.deliveries d SET state = 'read', update_time = $3, row_version = d.row_version + 1
                 FROM own o WHERE d.estate_id = o.estate_id AND d.id = o.delivery_id AND d.state = 'delivered'
           ), messages AS (
               UPDATE notification.messages m
                  SET state = 'read', steps = m.steps || $8::jsonb, update_time = $3, row_version = m.row_version + 1
                 FROM own o
                WHERE m.estate_id = o.estate_id AND m.id = o.id AND m.create_time = o.create_time AND m.state <> 'read'
           )
           SELECT notification.write_effects($9)::text AS effects
           -- unscoped: the items were found in the caller's own inbox"#,
        &ids,
        reader.subject,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        &estates,
        &messages,
        &created as &[jiff_sqlx::Timestamp],
        &deliveries,
        step,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}
