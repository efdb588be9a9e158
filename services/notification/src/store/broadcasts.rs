//! Broadcasts. One is a caller's when all of its estates are.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::auth::Scope;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::code;
use crate::domain::broadcast::{Broadcast, BroadcastChange, BroadcastDocument};
use crate::domain::codes::{BroadcastState, Class};
use crate::domain::ids::BroadcastId;

/// Place of a broadcast in every list: newest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct BroadcastKey {
    create_time: Timestamp,
    id: BroadcastId,
}

impl BroadcastKey {
    /// The place of a broadcast.
    pub(crate) fn of(broadcast: &Broadcast) -> Self {
        Self { create_time: broadcast.create_time, id: broadcast.id }
    }
}

struct BroadcastRow {
    id: Uuid,
    title: String,
    estate_ids: Vec<Uuid>,
    message_class: String,
    template_version_id: Uuid,
    template_key: String,
    template_version: i32,
    document: Json<BroadcastDocument>,
    subject_kind: String,
    subject_id: Option<Uuid>,
    start_time: jiff_sqlx::Timestamp,
    due_time: Option<jiff_sqlx::Timestamp>,
    state: String,
    is_late: bool,
    begin_time: Option<jiff_sqlx::Timestamp>,
    end_time: Option<jiff_sqlx::Timestamp>,
    changes: Json<Vec<BroadcastChange>>,
    estate_done_count: i32,
    household_count: i32,
    message_count: i32,
    page_count: i32,
    row_version: i64,
    create_time: jiff_sqlx::Timestamp,
    update_time: jiff_sqlx::Timestamp,
}

impl BroadcastRow {
    fn read(self) -> Result<Broadcast> {
        Ok(Broadcast {
            id: self.id.into(),
            title: self.title,
            estate_ids: self.estate_ids.into_iter().map(EstateId::from).collect(),
            class: code(Class::parse(&self.message_class), "message_class")?,
            template_version_id: self.template_version_id.into(),
            template_key: self.template_key,
            template_version: self.template_version,
            document: self.document.0,
            subject_kind: self.subject_kind,
            subject_id: self.subject_id,
            start_time: self.start_time.to_jiff(),
            due_time: self.due_time.map(jiff_sqlx::Timestamp::to_jiff),
            state: code(BroadcastState::parse(&self.state), "state")?,
            is_late: self.is_late,
            begin_time: self.begin_time.map(jiff_sqlx::Timestamp::to_jiff),
            end_time: self.end_time.map(jiff_sqlx::Timestamp::to_jiff),
            changes: self.changes.0,
            estate_done_count: self.estate_done_count,
            household_count: self.household_count,
            message_count: self.message_count,
            page_count: self.page_count,
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
        })
    }
}

/// `SELECT` of whole broadcasts; the text says which ones.
macro_rules! select_broadcasts {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            BroadcastRow,
            r#"SELECT id, title, estate_ids, message_class, template_version_id, template_key, template_version,
                      document AS "document: Json<BroadcastDocument>", subject_kind, subject_id, start_time, due_time, state, is_late,
                      begin_time, end_time, changes AS "changes: Json<Vec<BroadcastChange>>", estate_done_count, household_count,
                      message_count, page_count, row_version, create_time, update_time
                 FROM notification.broadcasts WHERE "# + $which
                + " -- unscoped: the scope is on estate_ids, all of which must be the caller's"
            $(, $argument)*
        )
    };
}

/// Adds a broadcast with its estates and effects. One trip. The inner error is raw, so that the caller can tell a repeated request.
pub(crate) async fn insert_broadcast(
    db: impl PgExecutor<'_>,
    new: &Broadcast,
    effects: &Effects,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let estates: Vec<Uuid> = new.estate_ids.iter().map(|id| id.as_uuid()).collect();
    sqlx::query!(
        r#"WITH created AS (
               INSERT INTO notification.broadcasts (id, title, estate_ids, message_class, template_version_id, template_key,
                   template_version, document, subject_kind, subject_id, start_time, due_time, state, is_late, changes,
                   estate_done_count, household_count, message_count, page_count, row_version, create_time, update_time)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, false, $14, 0, 0, 0, 0, $15, $16, $16)
            RETURNING id
           ), estates AS (
               INSERT INTO notification.broadcast_estates (broadcast_id, estate_id, position, page_token, is_done, household_count,
                   message_count, without_contact_count, told_already_count, excluded_counts)
               SELECT c.id, e.estate_id, e.position, '', false, 0, 0, 0, 0, '{}'
                 FROM created c CROSS JOIN unnest($3::uuid[]) WITH ORDINALITY AS e(estate_id, position)
           )
           SELECT (SELECT notification.write_effects($17) FROM created)::text AS effects
           -- unscoped: each of estate_ids was found in the caller's scope before"#,
        new.id.as_uuid(),
        new.title,
        &estates,
        new.class.as_str(),
        new.template_version_id.as_uuid(),
        new.template_key,
        new.template_version,
        Json(&new.document) as _,
        new.subject_kind,
        new.subject_id,
        new.start_time.to_sqlx() as jiff_sqlx::Timestamp,
        new.due_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        new.state.as_str(),
        Json(&new.changes) as _,
        new.row_version,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// One broadcast, if all of its estates are in scope. One trip.
pub(crate) async fn load_broadcast(db: impl PgExecutor<'_>, scope: &Scope, id: BroadcastId) -> Result<Broadcast> {
    let estates = scope.estates();
    let row = select_broadcasts!("id = $1 AND ($2::uuid[] IS NULL OR estate_ids <@ $2)", id.as_uuid(), estates.as_deref())
        .fetch_optional(db)
        .await
        .store()?;
    row.ok_or_else(|| Error::not_found("broadcast", id))?.read()
}

/// A page of broadcasts, newest first. One trip.
pub(crate) async fn list_broadcasts(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    estate: Option<EstateId>,
    state: Option<BroadcastState>,
    page: &PageRequest<BroadcastKey>,
) -> Result<Vec<Broadcast>> {
    let estates = scope.estates();
    let rows = select_broadcasts!(
        "($1::uuid[] IS NULL OR estate_ids <@ $1) AND ($2::uuid IS NULL OR estate_ids @> ARRAY[$2::uuid])
            AND ($3::text IS NULL OR state = $3) AND ($4::timestamptz IS NULL OR (create_time, id) < ($4, $5::uuid))
          ORDER BY create_time DESC, id DESC LIMIT $6",
        estates.as_deref(),
        estate.map(Uuid::from),
        state.map(|state| state.as_str()),
        page.after.map(|key| key.create_time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        page.after.map(|key| key.id.as_uuid()),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(BroadcastRow::read).collect()
}

/// Writes what somebody did to a broadcast, with the effects, if nobody did anything since version `before`. Pages do not count:
/// their figures stay as they are. One trip. The inner error is raw, so that the caller can tell a repeated request.
pub(crate) async fn save_change(
    db: impl PgExecutor<'_>,
    after: &Broadcast,
    before: i64,
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let row = sqlx::query!(
        r#"WITH updated AS (
               UPDATE notification.broadcasts
                  SET state = $3, changes = $4, end_time = $5, is_late = is_late OR $6, update_time = $7, row_version = $8
                WHERE id = $1 AND row_version = $2
            RETURNING id
           )
           SELECT (SELECT count(*) FROM updated) AS "saved!", (SELECT notification.write_effects($9) FROM updated)::text AS effects
           -- unscoped: the broadcast was found in the caller's scope before"#,
        after.id.as_uuid(),
        before,
        after.state.as_str(),
        Json(&after.changes) as _,
        after.end_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.is_late,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        after.row_version,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(row.saved == 1)
}

/// Which of these broadcasts have pages to make, and whether they are for the lane of what is said to many. For the timers that
/// wake the worker. One trip.
pub(crate) async fn unfinished(tx: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, bool>> {
    let rows = sqlx::query!(
        r#"SELECT id, message_class <> 'emergency' AS "is_bulk!" FROM notification.broadcasts
            WHERE id = ANY($1) AND state IN ('scheduled', 'running') -- unscoped: named by timers"#,
        ids,
    )
    .fetch_all(tx)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| (row.id, row.is_bulk)).collect())
}

/// Locks these broadcasts, before their timers are touched: as whoever steers one or writes its pages does. One trip.
pub(crate) async fn lock_broadcasts(tx: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    let locked = sqlx::query_scalar!(
        "SELECT id FROM notification.broadcasts WHERE id = ANY($1) ORDER BY id FOR UPDATE -- unscoped: named by timers",
        ids,
    );
    locked.fetch_all(tx).await.store()?;
    Ok(())
}

/// Notes that a broadcast was not done when it was due, and answers it; none when it was over by then. One trip.
pub(crate) async fn note_late(tx: &mut PgConnection, id: Uuid) -> Result<Option<Broadcast>> {
    let late = sqlx::query_scalar!(
        "UPDATE notification.broadcasts SET is_late = true WHERE id = $1 AND state NOT IN ('stopped', 'done') RETURNING id
         -- unscoped: named by a timer",
        id,
    );
    match late.fetch_optional(&mut *tx).await.store()? {
        Some(id) => load_broadcast(tx, &Scope::system("a broadcast is late"), id.into()).await.map(Some),
        None => Ok(None),
    }
}
