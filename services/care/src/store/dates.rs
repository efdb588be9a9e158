//! Dates of an estate that others are counted from, and what a write of one moves with it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::ids::EstateId;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::documents::{SealedRow, given};
use crate::domain::base::Stored;
use crate::domain::obligation::Obligation;

/// A date of an estate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EstateDate {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) subject_code: String,
    pub(crate) date: Date,
    pub(crate) is_reached: bool,
    pub(crate) row_version: i64,
    pub(crate) update_time: Timestamp,
}

/// Dates of an estate after a place, by kind and subject; of one kind if it is given. One trip.
pub(crate) async fn list_dates(
    db: impl PgExecutor<'_>,
    estate: EstateId,
    kind: Option<&str>,
    after: Option<(&str, &str)>,
    limit: i64,
) -> Result<Vec<EstateDate>> {
    let rows = sqlx::query!(
        "SELECT id, kind, subject_code, date, is_reached, row_version, update_time FROM care.estate_dates
          WHERE estate_id = $1 AND ($2::text IS NULL OR kind = $2) AND ($3::text IS NULL OR (kind, subject_code) > ($3, $4::text))
          ORDER BY kind, subject_code LIMIT $5
         -- unscoped: the estate was found in the caller's scope, or a timer named it",
        estate.as_uuid(),
        kind,
        after.map(|after| after.0),
        after.map(|after| after.1),
        limit,
    )
    .fetch_all(db)
    .await
    .store()?;
    let read = rows.into_iter().map(|row| EstateDate {
        id: row.id,
        kind: row.kind,
        subject_code: row.subject_code,
        date: row.date.to_jiff(),
        is_reached: row.is_reached,
        row_version: row.row_version,
        update_time: row.update_time.to_jiff(),
    });
    Ok(read.collect())
}

/// The id and version of a date, if it was set before, and those of the obligations that are there already. One trip.
pub(crate) async fn around_date(
    db: impl PgExecutor<'_>,
    estate: EstateId,
    kind: &str,
    subject: &str,
    obligations: &[Uuid],
) -> Result<(Option<(Uuid, i64)>, Vec<Stored<Obligation>>)> {
    let rows = sqlx::query!(
        r#"SELECT d.id AS "date_id?", d.row_version AS "date_version?", o.estate_id AS "estate_id?", o.id AS "id?",
                  o.document AS "document?: Json<Obligation>", o.texts AS "texts?", o.row_version AS "row_version?",
                  o.create_time AS "create_time?", o.update_time AS "update_time?"
             FROM (SELECT) AS one
             LEFT JOIN care.estate_dates d ON d.estate_id = $1 AND d.kind = $2 AND d.subject_code = $3
             LEFT JOIN care.obligations o ON o.estate_id = $1 AND o.id = ANY($4)
           -- unscoped: the estate was found in the caller's scope before"#,
        estate.as_uuid(),
        kind,
        subject,
        obligations,
    )
    .fetch_all(db)
    .await
    .store()?;
    let date = rows.first().and_then(|row| Some((row.date_id?, row.date_version?)));
    let stored = rows.into_iter().filter_map(|row| {
        let (estate_id, id, document, row_version) = (row.estate_id?, row.id?, row.document?, row.row_version?);
        let (create_time, update_time) = (row.create_time?, row.update_time?);
        Some(SealedRow { estate_id, id, document, texts: row.texts, row_version, create_time, update_time }.read())
    });
    Ok((date, stored.collect()))
}

/// Writes a date with what is counted from it and the effects: all of it, or nothing when any part of it changed since it was read. One
/// trip. The error is raw: it tells a repeated request.
pub(crate) async fn write_date(
    db: impl PgExecutor<'_>,
    estate: EstateId,
    date: &EstateDate,
    obligations: &[Stored<Obligation>],
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let row = sqlx::query!(
        r#"WITH given AS (
               SELECT * FROM jsonb_to_recordset($1::jsonb) AS g(estate_id uuid, id uuid, state text, sort_time timestamptz,
                   mark_time timestamptz, document jsonb, texts bytea, expected bigint, create_time timestamptz, update_time timestamptz)
           ), locked AS (
               SELECT o.id FROM care.obligations o JOIN given g ON g.estate_id = o.estate_id AND g.id = o.id
                WHERE o.row_version = g.expected ORDER BY o.id FOR UPDATE OF o
           ), put AS (
               INSERT INTO care.estate_dates AS d (estate_id, id, kind, subject_code, date, is_reached, row_version, update_time)
               SELECT $2, $3, $4, $5, $6, $7, 1, $8
                WHERE (SELECT count(*) FROM locked) = (SELECT count(*) FROM given WHERE expected > 0)
               ON CONFLICT ON CONSTRAINT estate_dates_pkey DO UPDATE
                  SET date = EXCLUDED.date, is_reached = EXCLUDED.is_reached, row_version = d.row_version + 1,
                      update_time = EXCLUDED.update_time
                WHERE d.row_version = $9
               RETURNING d.id
           ), written AS (
               INSERT INTO care.obligations AS t (estate_id, id, state, sort_time, mark_time, document, texts, row_version, create_time,
                   update_time)
               SELECT estate_id, id, state, sort_time, mark_time, document, texts, 1, create_time, update_time
                 FROM given WHERE EXISTS (SELECT FROM put) ORDER BY id
               ON CONFLICT (estate_id, id) DO UPDATE
                  SET state = EXCLUDED.state, sort_time = EXCLUDED.sort_time, mark_time = EXCLUDED.mark_time,
                      document = EXCLUDED.document, texts = EXCLUDED.texts, update_time = EXCLUDED.update_time,
                      row_version = t.row_version + 1
           )
           SELECT EXISTS (SELECT FROM put) AS "put!", (SELECT care.write_effects($10) FROM put)::text AS effects
           -- unscoped: the estate was found in the caller's scope before"#,
        given(obligations) as _,
        estate.as_uuid(),
        date.id,
        date.kind,
        date.subject_code,
        date.date.to_sqlx() as jiff_sqlx::Date,
        date.is_reached,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        date.row_version - 1,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(row.put)
}
