//! The homes of a batch, and the slots of its days.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use steward_kit::Result;
use steward_kit::ids::{EstateId, UnitId};
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::documents::given;
use crate::domain::base::Stored;
use crate::domain::batch::{Batch, Figures, Unit};

/// The constraint that refuses a second batch of one code.
pub(crate) const CODE_TAKEN: &str = "delivery_batches_key";

/// Writes a batch with its homes and effects. One trip. The error is raw.
pub(crate) async fn insert_batch(
    db: impl PgExecutor<'_>,
    row: &Stored<Batch>,
    units: &[UnitId],
    effects: &Effects,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let units: Vec<Uuid> = units.iter().map(|unit| unit.as_uuid()).collect();
    sqlx::query!(
        r#"WITH given AS (
               SELECT * FROM jsonb_to_recordset($1::jsonb) AS g(estate_id uuid, id uuid, state text, sort_time timestamptz,
                   unique_key text, document jsonb, create_time timestamptz, update_time timestamptz)
           ), created AS (
               INSERT INTO care.delivery_batches (estate_id, id, state, sort_time, unique_key, document, row_version, create_time, update_time)
               SELECT estate_id, id, state, sort_time, unique_key, document, 1, create_time, update_time FROM given
               RETURNING estate_id, id
           ), units AS (
               INSERT INTO care.batch_units (estate_id, batch_id, unit_id, tracking_number, defect_count, is_first_visit, delivered_items)
               SELECT c.estate_id, c.id, unit_id, '', -1, false, '{}' FROM created c, unnest($2::uuid[]) AS unit_id
               ON CONFLICT DO NOTHING
           )
           SELECT (SELECT care.write_effects($3) FROM created)::text AS effects
           -- unscoped: the estate was found in the caller's scope before"#,
        given(std::slice::from_ref(row)) as _,
        &units,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

struct Row {
    unit_id: Uuid,
    notice_time: Option<jiff_sqlx::Timestamp>,
    tracking_number: String,
    defect_count: i32,
    slot_time: Option<jiff_sqlx::Timestamp>,
    handover_date: Option<jiff_sqlx::Date>,
    is_first_visit: bool,
    delivered_items: Vec<String>,
}

impl Row {
    fn read(self) -> Unit {
        Unit {
            unit_id: self.unit_id.into(),
            notice_time: self.notice_time.map(|time| time.to_jiff()),
            tracking_number: self.tracking_number,
            defect_count: self.defect_count,
            slot_time: self.slot_time.map(|time| time.to_jiff()),
            handover_date: self.handover_date.map(|date| date.to_jiff()),
            is_first_visit: self.is_first_visit,
            delivered_items: self.delivered_items,
        }
    }
}

/// A home of a batch. One trip.
pub(crate) async fn load_unit(db: impl PgExecutor<'_>, estate: EstateId, batch: Uuid, unit: UnitId) -> Result<Option<Unit>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT unit_id, notice_time, tracking_number, defect_count, slot_time, handover_date, is_first_visit, delivered_items
           FROM care.batch_units WHERE estate_id = $1 AND batch_id = $2 AND unit_id = $3
         -- unscoped: of a batch that was read through a scope",
        estate.as_uuid(),
        batch,
        unit.as_uuid(),
    )
    .fetch_optional(db)
    .await
    .store()?;
    Ok(row.map(Row::read))
}

/// A page of homes by their ids. One trip.
pub(crate) async fn list_units(
    db: impl PgExecutor<'_>,
    estate: EstateId,
    batch: Uuid,
    without_notice: bool,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Unit>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT unit_id, notice_time, tracking_number, defect_count, slot_time, handover_date, is_first_visit, delivered_items
           FROM care.batch_units
          WHERE estate_id = $1 AND batch_id = $2 AND (NOT $3 OR notice_time IS NULL) AND ($4::uuid IS NULL OR unit_id > $4)
          ORDER BY unit_id LIMIT $5
         -- unscoped: of a batch that was read through a scope",
        estate.as_uuid(),
        batch,
        without_notice,
        after,
        limit,
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(Row::read).collect())
}

/// Writes what was recorded of a home. One trip. The error is raw: it tells a repeated request.
pub(crate) async fn save_unit(
    db: impl PgExecutor<'_>,
    estate: EstateId,
    batch: Uuid,
    unit: &Unit,
    effects: &Effects,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"WITH updated AS (
               UPDATE care.batch_units
                  SET notice_time = $4, tracking_number = $5, defect_count = $6, handover_date = $7, is_first_visit = $8, delivered_items = $9
                WHERE estate_id = $1 AND batch_id = $2 AND unit_id = $3
               RETURNING unit_id
           )
           SELECT (SELECT care.write_effects($10) FROM updated)::text AS effects
           -- unscoped: of a batch that was read through a scope"#,
        estate.as_uuid(),
        batch,
        unit.unit_id.as_uuid(),
        unit.notice_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        unit.tracking_number,
        unit.defect_count,
        unit.handover_date.map(|date| date.to_sqlx()) as Option<jiff_sqlx::Date>,
        unit.is_first_visit,
        &unit.delivered_items,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// A slot for a home.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Booking {
    pub(crate) estate: EstateId,
    pub(crate) batch: Uuid,
    pub(crate) unit: UnitId,
    pub(crate) slot: Timestamp,
    /// Homes that the slot takes.
    pub(crate) capacity: u32,
}

/// Books a slot for a home, if a place is left, and gives back the one it had. False when the slot is full. One trip: the count of the
/// slot is the lock, so that a slot takes exactly its capacity however many ask at once. The error is raw.
pub(crate) async fn book_slot(db: impl PgExecutor<'_>, booking: &Booking, effects: &Effects, now: Timestamp) -> Result<bool, sqlx::Error> {
    let Booking { estate, batch, unit, slot, capacity } = *booking;
    let row = sqlx::query!(
        r#"WITH had AS (
               SELECT slot_time FROM care.batch_units WHERE estate_id = $1 AND batch_id = $2 AND unit_id = $3 FOR UPDATE
           ), booked AS (
               INSERT INTO care.handover_slots AS s (estate_id, batch_id, slot_time, booked_count)
               SELECT $1, $2, $4, 1 FROM had WHERE had.slot_time IS DISTINCT FROM $4
               ON CONFLICT ON CONSTRAINT handover_slots_pkey DO UPDATE SET booked_count = s.booked_count + 1 WHERE s.booked_count < $5
               RETURNING slot_time
           ), moved AS (
               UPDATE care.batch_units u SET slot_time = b.slot_time FROM booked b
                WHERE u.estate_id = $1 AND u.batch_id = $2 AND u.unit_id = $3
               RETURNING u.unit_id
           ), given_back AS (
               UPDATE care.handover_slots s SET booked_count = s.booked_count - 1 FROM had
                WHERE s.estate_id = $1 AND s.batch_id = $2 AND s.slot_time = had.slot_time AND EXISTS (SELECT FROM moved)
           ), done AS (
               SELECT unit_id FROM moved UNION ALL SELECT $3 FROM had WHERE had.slot_time = $4
           )
           SELECT EXISTS (SELECT FROM done) AS "done!", (SELECT care.write_effects($6) FROM done)::text AS effects
           -- unscoped: of a batch that was read through a scope"#,
        estate.as_uuid(),
        batch,
        unit.as_uuid(),
        slot.to_sqlx() as jiff_sqlx::Timestamp,
        i32::try_from(capacity).unwrap_or(i32::MAX),
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(row.done)
}

/// Which of these slots have a place left, the first first. One trip.
pub(crate) async fn free_slots(
    db: impl PgExecutor<'_>,
    estate: EstateId,
    batch: Uuid,
    slots: &[Timestamp],
    capacity: u32,
) -> Result<Vec<Timestamp>> {
    let slots: Vec<jiff_sqlx::Timestamp> = slots.iter().map(|slot| slot.to_sqlx()).collect();
    let rows = sqlx::query!(
        r#"SELECT t.slot AS "slot!" FROM unnest($3::timestamptz[]) AS t(slot)
            WHERE NOT EXISTS (SELECT FROM care.handover_slots s
                               WHERE s.estate_id = $1 AND s.batch_id = $2 AND s.slot_time = t.slot AND s.booked_count >= $4)
            ORDER BY t.slot LIMIT 3
           -- unscoped: of a batch that was read through a scope"#,
        estate.as_uuid(),
        batch,
        &slots as _,
        i32::try_from(capacity).unwrap_or(i32::MAX),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| row.slot.to_jiff()).collect())
}

/// What a batch amounts to (F-14, CA-24, CA-25). One trip.
pub(crate) async fn count_batch(db: impl PgExecutor<'_>, row: &Stored<Batch>) -> Result<Figures> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "units!", count(notice_time) AS "noticed!",
                  count(*) FILTER (WHERE handover_date BETWEEN $3 AND $4) AS "handed!",
                  count(*) FILTER (WHERE handover_date BETWEEN $3 AND $4 AND is_first_visit) AS "first!",
                  coalesce(sum(greatest(defect_count, 0)), 0)::bigint AS "defects!"
             FROM care.batch_units WHERE estate_id = $1 AND batch_id = $2
           -- unscoped: of a batch that was read through a scope"#,
        row.estate_id.as_uuid(),
        row.id,
        row.value.from_date.to_sqlx() as jiff_sqlx::Date,
        row.value.to_date.to_sqlx() as jiff_sqlx::Date,
    )
    .fetch_one(db)
    .await
    .store()?;
    Ok(Figures {
        unit_count: row.units,
        noticed_count: row.noticed,
        handed_over_count: row.handed,
        first_visit_count: row.first,
        defect_count: row.defects,
    })
}
