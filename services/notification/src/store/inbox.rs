//! Inboxes: positions given, items read, reading remembered.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::{PgExecutor, PgPool};
use steward_kit::Result;
use steward_kit::ids::EstateId;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::code;
use super::windows::Windows;
use crate::domain::codes::Class;
use crate::domain::ids::made_within;
use crate::domain::inbox::{InboxItem, Reader};

/// Most items that get their position in one statement.
pub(crate) const BATCH: i64 = 1000;

/// Gives committed items their positions and answers the highest one. One trip.
///
/// The row of `inbox_head` is the lock: the second of two at once waits for the first to commit, so positions become
/// visible in their order, and no reader's cursor passes an item that comes later. Times of places never go back, so that
/// a month of the table is a stretch of positions.
pub(crate) async fn sequence_items(db: impl PgExecutor<'_>, now: Timestamp) -> Result<i64> {
    let row = sqlx::query!(
        r#"WITH taken AS (
               DELETE FROM notification.inbox_arrivals WHERE message_id IN (
                   SELECT message_id FROM notification.inbox_arrivals ORDER BY create_time, message_id LIMIT $1)
            RETURNING *
           ), head AS (
               UPDATE notification.inbox_head
                  SET position = position + (SELECT count(*) FROM taken), place_time = greatest(place_time, $2)
                WHERE EXISTS (SELECT FROM taken)
            RETURNING position, place_time
           ), placed AS (
               INSERT INTO notification.inbox_items (estate_id, message_id, message_create_time, delivery_id, customer_id,
                   staff_subject, staff_role, message_class, template_key, title, body, subject_kind, subject_id, create_time,
                   position, place_time)
               SELECT t.estate_id, t.message_id, t.message_create_time, t.delivery_id, t.customer_id, t.staff_subject,
                      t.staff_role, t.message_class, t.template_key, t.title, t.body, t.subject_kind, t.subject_id, t.create_time,
                      h.position - (SELECT count(*) FROM taken) + row_number() OVER (ORDER BY t.create_time, t.message_id),
                      h.place_time
                 FROM taken t CROSS JOIN head h
           )
           SELECT coalesce((SELECT position FROM head), (SELECT position FROM notification.inbox_head)) AS "position!"
           -- unscoped: positions are given to the items of every estate"#,
        BATCH,
        now.to_sqlx() as jiff_sqlx::Timestamp,
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
    place_time: jiff_sqlx::Timestamp,
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
            place_time: self.place_time.to_jiff(),
            read_time: self.read_time.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// Place of an item in every list: newest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ItemKey {
    position: i64,
    place_time: Timestamp,
}

impl ItemKey {
    /// The place of an item.
    pub(crate) fn of(item: &InboxItem) -> Self {
        Self { position: item.position, place_time: item.place_time }
    }
}

/// Which items a list shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ItemFilter {
    pub(crate) unread_only: bool,
    pub(crate) estate: Option<EstateId>,
    /// Not those placed before this.
    pub(crate) since: Option<Timestamp>,
}

/// The reader's items below `before` (or from the newest), newest first. One trip for each stretch of time that `limit`
/// items need.
pub(crate) async fn list_items(
    db: &PgPool,
    reader: &Reader,
    filter: ItemFilter,
    before: Option<ItemKey>,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<InboxItem>> {
    let mut found = Vec::new();
    for (from, to) in Windows::back_from(now, before.map(|key| key.place_time)) {
        let left = limit - i64::try_from(found.len()).unwrap_or(i64::MAX);
        let from = filter.since.map_or(from, |since| from.max(since));
        if left <= 0 || from >= to {
            break;
        }
        found.extend(items_within(db, reader, filter, before.map(|key| key.position), left, (from, to)).await?);
    }
    Ok(found)
}

/// Each of the reader's inboxes is read by its own index, at most `limit` rows of it.
async fn items_within(
    db: &PgPool,
    reader: &Reader,
    filter: ItemFilter,
    before: Option<i64>,
    limit: i64,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<InboxItem>> {
    let rows = sqlx::query_as!(
        ItemRow,
        r#"WITH mine AS (
               (SELECT i.message_id, i.place_time, i.position FROM notification.inbox_items i
                 WHERE i.customer_id = $1 AND i.place_time >= $10 AND i.place_time < $11
                   AND i.position < coalesce($6, 9223372036854775807) AND ($7::uuid IS NULL OR i.estate_id = $7)
                   AND NOT ($8 AND EXISTS (SELECT FROM notification.inbox_reads r WHERE r.message_id = i.message_id AND r.subject = $5))
                 ORDER BY i.position DESC LIMIT $9)
               UNION ALL
               (SELECT i.message_id, i.place_time, i.position FROM notification.inbox_items i
                 WHERE i.staff_subject = $2 AND i.place_time >= $10 AND i.place_time < $11
                   AND i.position < coalesce($6, 9223372036854775807) AND ($7::uuid IS NULL OR i.estate_id = $7)
                   AND NOT ($8 AND EXISTS (SELECT FROM notification.inbox_reads r WHERE r.message_id = i.message_id AND r.subject = $5))
                 ORDER BY i.position DESC LIMIT $9)
               UNION ALL
               (SELECT x.message_id, x.place_time, x.position FROM unnest($3::text[]) AS role, LATERAL (
                 SELECT i.message_id, i.place_time, i.position FROM notification.inbox_items i
                  WHERE $4::uuid[] IS NULL AND i.staff_role = role AND i.place_time >= $10 AND i.place_time < $11
                   AND i.position < coalesce($6, 9223372036854775807)
                    AND ($7::uuid IS NULL OR i.estate_id = $7)
                    AND NOT ($8 AND EXISTS (SELECT FROM notification.inbox_reads r WHERE r.message_id = i.message_id AND r.subject = $5))
                  ORDER BY i.position DESC LIMIT $9) x)
               UNION ALL
               (SELECT x.message_id, x.place_time, x.position FROM unnest($3::text[]) AS role, unnest($4::uuid[]) AS estate, LATERAL (
                 SELECT i.message_id, i.place_time, i.position FROM notification.inbox_items i
                  WHERE i.staff_role = role AND i.estate_id = estate AND i.place_time >= $10 AND i.place_time < $11
                   AND i.position < coalesce($6, 9223372036854775807)
                    AND ($7::uuid IS NULL OR i.estate_id = $7)
                    AND NOT ($8 AND EXISTS (SELECT FROM notification.inbox_reads r WHERE r.message_id = i.message_id AND r.subject = $5))
                  ORDER BY i.position DESC LIMIT $9) x)
           )
           SELECT i.estate_id, i.message_id, i.message_create_time, i.delivery_id, i.staff_role, i.message_class, i.template_key,
                  i.title, i.body, i.subject_kind, i.subject_id, i.create_time, m.position AS "position!",
                  m.place_time AS "place_time!", r.read_time AS "read_time?"
             FROM (SELECT DISTINCT message_id, place_time, position FROM mine ORDER BY position DESC LIMIT $9) m
             -- By key, one by one: OFFSET keeps the planner from reading a month to join it.
             CROSS JOIN LATERAL (SELECT * FROM notification.inbox_items t
                                  WHERE t.message_id = m.message_id AND t.place_time = m.place_time
                                    AND t.place_time >= $10 AND t.place_time < $11 OFFSET 0) i
             LEFT JOIN notification.inbox_reads r ON r.message_id = m.message_id AND r.subject = $5
            ORDER BY m.position DESC"#,
        reader.customer_id,
        reader.staff_subject,
        &reader.roles,
        reader.estates.as_deref(),
        reader.subject,
        before,
        filter.estate.map(Uuid::from),
        filter.unread_only,
        limit,
        from.to_sqlx() as jiff_sqlx::Timestamp,
        to.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(ItemRow::read).collect()
}

/// The reader's items after position `after` up to `until`, oldest first; none of them was placed before `since`. One trip.
pub(crate) async fn items_between(
    db: impl PgExecutor<'_>,
    reader: &Reader,
    (after, until): (i64, i64),
    since: Timestamp,
    limit: i64,
) -> Result<Vec<InboxItem>> {
    let rows = sqlx::query_as!(
        ItemRow,
        r#"SELECT i.estate_id, i.message_id, i.message_create_time, i.delivery_id, i.staff_role, i.message_class, i.template_key,
                  i.title, i.body, i.subject_kind, i.subject_id, i.create_time, i.position AS "position!",
                  i.place_time AS "place_time!", r.read_time AS "read_time?"
             FROM notification.inbox_items i
             LEFT JOIN notification.inbox_reads r ON r.message_id = i.message_id AND r.subject = $5
            WHERE i.position > $6 AND i.position <= $7 AND i.place_time >= $9
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
        since.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(ItemRow::read).collect()
}

/// Those of `ids` that are in the reader's inbox. One trip.
pub(crate) async fn find_items(db: impl PgExecutor<'_>, reader: &Reader, ids: &[Uuid]) -> Result<Vec<InboxItem>> {
    // An item is placed after its message was made.
    let since = ids.iter().map(|id| made_within(*id).0).min().unwrap_or(Timestamp::UNIX_EPOCH);
    let rows = sqlx::query_as!(
        ItemRow,
        r#"SELECT i.estate_id, i.message_id, i.message_create_time, i.delivery_id, i.staff_role, i.message_class, i.template_key,
                  i.title, i.body, i.subject_kind, i.subject_id, i.create_time, i.position AS "position!",
                  i.place_time AS "place_time!", r.read_time AS "read_time?"
             FROM notification.inbox_items i
             LEFT JOIN notification.inbox_reads r ON r.message_id = i.message_id AND r.subject = $5
            WHERE i.message_id = ANY($6) AND i.place_time >= $7
              AND (i.customer_id = $1 OR i.staff_subject = $2
                   OR i.staff_role = ANY($3) AND ($4::uuid[] IS NULL OR i.estate_id = ANY($4)))"#,
        reader.customer_id,
        reader.staff_subject,
        &reader.roles,
        reader.estates.as_deref(),
        reader.subject,
        ids,
        since.to_sqlx() as jiff_sqlx::Timestamp,
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
                 FROM own o
                WHERE d.estate_id = o.estate_id AND d.id = o.delivery_id AND d.create_time >= o.create_time AND d.create_time <= $3
                  AND d.state = 'delivered'
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
