//! Stock: movements under the lock of the item's row, which keeps how many there are.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::paging::PageRequest;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::code;
use crate::domain::community_codes::{StockItemKind, StockMovementKind};
use crate::domain::stock::{Item, Movement, Moving};

/// The check that refuses more than there is.
pub(crate) const TOO_FEW: &str = "stock_items_on_hand_check";
/// The index that refuses the same gift twice.
pub(crate) const ISSUED: &str = "stock_movements_issue_key";
/// The index that refuses to take an issue back twice.
pub(crate) const RETURNED: &str = "stock_movements_returned_key";

struct ItemRow {
    estate_id: Uuid,
    id: Uuid,
    code: String,
    name_zh: String,
    name_en: String,
    kind: String,
    unit_code: String,
    low_mark: i64,
    on_hand: i64,
    movement_count: i64,
    row_version: i64,
    create_time: jiff_sqlx::Timestamp,
}

impl ItemRow {
    fn read(self) -> Result<Item> {
        Ok(Item {
            id: self.id,
            estate_id: self.estate_id.into(),
            code: self.code,
            name_zh: self.name_zh,
            name_en: self.name_en,
            kind: code(StockItemKind::parse(&self.kind), "kind")?,
            unit_code: self.unit_code,
            low_mark: self.low_mark,
            on_hand: self.on_hand,
            movement_count: self.movement_count,
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
        })
    }
}

macro_rules! select_items {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            ItemRow,
            "SELECT estate_id, id, code, name_zh, name_en, kind, unit_code, low_mark, on_hand, movement_count, row_version, create_time
               FROM care.stock_items WHERE " + $which
            $(, $argument)*
        )
    };
}

/// One item of the caller's estates. One trip.
pub(crate) async fn load_item(db: impl PgExecutor<'_>, scope: &Scope, id: Uuid) -> Result<Option<Item>> {
    let row = select_items!("id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))", id, scope.estates() as Option<Vec<Uuid>>)
        .fetch_optional(db)
        .await
        .store()?;
    row.map(ItemRow::read).transpose()
}

/// The item of a code. One trip.
pub(crate) async fn item_of_code(db: impl PgExecutor<'_>, estate: ScopedEstate, code: &str) -> Result<Option<Item>> {
    let row = select_items!("estate_id = $1 AND code = $2", estate.as_uuid(), code).fetch_optional(db).await.store()?;
    row.map(ItemRow::read).transpose()
}

/// A page of an estate's, by code. One trip.
pub(crate) async fn list_items(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    low_only: bool,
    page: &PageRequest<String>,
) -> Result<Vec<Item>> {
    let rows = select_items!(
        "estate_id = $1 AND (NOT $2 OR on_hand < low_mark) AND ($3::text IS NULL OR code > $3) ORDER BY code LIMIT $4",
        estate.as_uuid(),
        low_only,
        page.after.as_deref(),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(ItemRow::read).collect()
}

/// Writes how an item is called, a new one or the version that was read, with the effects. False when somebody was faster. One trip. The
/// error is raw.
pub(crate) async fn put_item(db: impl PgExecutor<'_>, item: &Item, effects: &Effects, now: Timestamp) -> Result<bool, sqlx::Error> {
    let row = sqlx::query!(
        r#"WITH written AS (
               INSERT INTO care.stock_items AS i (estate_id, id, code, name_zh, name_en, kind, unit_code, low_mark, row_version, create_time,
                   update_time)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)
               ON CONFLICT ON CONSTRAINT stock_items_code_key DO UPDATE
                  SET name_zh = EXCLUDED.name_zh, name_en = EXCLUDED.name_en, unit_code = EXCLUDED.unit_code,
                      low_mark = EXCLUDED.low_mark, row_version = i.row_version + 1, update_time = EXCLUDED.update_time
                WHERE i.row_version = $10::bigint - 1
               RETURNING id
           )
           SELECT (SELECT count(*) FROM written) AS "written!", (SELECT care.write_effects($11) FROM written)::text AS effects
           -- unscoped: the estate was found in the caller's scope before"#,
        item.estate_id.as_uuid(),
        item.id,
        item.code,
        item.name_zh,
        item.name_en,
        item.kind.as_str(),
        item.unit_code,
        item.low_mark,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        item.row_version,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(row.written == 1)
}

/// How the stock stands after a movement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    pub(crate) number: i64,
    pub(crate) change: i64,
    pub(crate) on_hand: i64,
}

/// A movement on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewMovement<'a> {
    pub(crate) id: Uuid,
    pub(crate) item: &'a Item,
    pub(crate) moving: &'a Moving,
    pub(crate) actor: &'a str,
}

/// Moves stock, with `low` where the item begins to run low and else with `plain`. One trip. The error is raw: it tells what is not there,
/// and what was done before.
pub(crate) async fn move_stock(
    db: impl PgExecutor<'_>,
    new: NewMovement<'_>,
    plain: &Effects,
    low: &Effects,
    now: Timestamp,
) -> Result<Option<Moved>, sqlx::Error> {
    let NewMovement { id, item, moving, actor } = new;
    let row = sqlx::query!(
        r#"WITH before AS (
               SELECT on_hand, coalesce($4::bigint, $5 - on_hand) AS change FROM care.stock_items WHERE estate_id = $1 AND id = $2 FOR UPDATE
           ), item AS (
               UPDATE care.stock_items i SET on_hand = i.on_hand + b.change, movement_count = i.movement_count + 1 FROM before b
                WHERE i.estate_id = $1 AND i.id = $2
               RETURNING i.movement_count AS number, b.change, i.on_hand, b.on_hand >= i.low_mark AND i.on_hand < i.low_mark AS runs_low
           ), given_back AS (
               UPDATE care.stock_movements SET stands = false WHERE estate_id = $1 AND item_id = $2 AND id = $14 AND stands
           ), movement AS (
               INSERT INTO care.stock_movements (estate_id, item_id, number, id, kind, change, on_hand, household_id, subject_kind,
                   subject_id, recipient_sign_reference, attachment_references, reason, returned_movement_id, actor_subject, move_time,
                   stands)
               SELECT $1, $2, number, $3, $6, change, on_hand, $7, $8, $9, $10, $11, $12, $14, $13, $15, $16 FROM item
           )
           SELECT number AS "number!", change AS "change!", on_hand AS "on_hand!",
                  care.write_effects(CASE WHEN runs_low THEN $18::jsonb ELSE $17::jsonb END)::text AS effects
             FROM item
           -- unscoped: of an item that was read through a scope"#,
        item.estate_id.as_uuid(),
        item.id,
        id,
        moving.change(),
        moving.quantity,
        moving.kind.as_str(),
        moving.household_id.map(Uuid::from),
        moving.subject_kind,
        moving.subject_id,
        moving.sign_reference,
        &moving.attachments,
        moving.reason,
        actor,
        moving.returned,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        moving.stands(item.kind),
        plain.json(now),
        low.json(now),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Moved { number: row.number, change: row.change, on_hand: row.on_hand }))
}

struct MovementRow {
    estate_id: Uuid,
    item_id: Uuid,
    number: i64,
    id: Uuid,
    kind: String,
    change: i64,
    on_hand: i64,
    household_id: Option<Uuid>,
    subject_kind: String,
    subject_id: Option<Uuid>,
    recipient_sign_reference: String,
    attachment_references: Vec<String>,
    reason: String,
    returned_movement_id: Option<Uuid>,
    actor_subject: String,
    move_time: jiff_sqlx::Timestamp,
}

impl MovementRow {
    fn read(self) -> Result<Movement> {
        let kind = code(StockMovementKind::parse(&self.kind), "kind")?;
        Ok(Movement {
            id: self.id,
            item_id: self.item_id,
            estate_id: self.estate_id.into(),
            number: self.number,
            moving: Moving {
                kind,
                quantity: if kind == StockMovementKind::Counted { self.on_hand } else { self.change.abs() },
                household_id: self.household_id.map(Into::into),
                subject_kind: self.subject_kind,
                subject_id: self.subject_id,
                sign_reference: self.recipient_sign_reference,
                attachments: self.attachment_references,
                reason: self.reason,
                returned: self.returned_movement_id,
            },
            change: self.change,
            on_hand: self.on_hand,
            actor_subject: self.actor_subject,
            move_time: self.move_time.to_jiff(),
        })
    }
}

macro_rules! select_movements {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            MovementRow,
            "SELECT estate_id, item_id, number, id, kind, change, on_hand, household_id, subject_kind, subject_id,
                    recipient_sign_reference, attachment_references, reason, returned_movement_id, actor_subject, move_time
               FROM care.stock_movements WHERE " + $which
            $(, $argument)*
        )
    };
}

/// One movement of the caller's estates. One trip.
pub(crate) async fn load_movement(db: impl PgExecutor<'_>, scope: &Scope, id: Uuid) -> Result<Option<Movement>> {
    let row = select_movements!("id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))", id, scope.estates() as Option<Vec<Uuid>>)
        .fetch_optional(db)
        .await
        .store()?;
    row.map(MovementRow::read).transpose()
}

/// A page of an item's, the last first. One trip.
pub(crate) async fn list_movements(db: impl PgExecutor<'_>, item: &Item, page: &PageRequest<i64>) -> Result<Vec<Movement>> {
    let rows = select_movements!(
        "estate_id = $1 AND item_id = $2 AND ($3::bigint IS NULL OR number < $3) ORDER BY number DESC LIMIT $4",
        item.estate_id.as_uuid(),
        item.id,
        page.after,
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(MovementRow::read).collect()
}
