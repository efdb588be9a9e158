//! Visits beside what every document has: with their round, with their pieces of time, counted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::ids::{EstateId, HouseholdId};
use steward_kit::paging::PageRequest;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::documents::{Place, SealedRow, given};
use crate::domain::base::Stored;
use crate::domain::codes::RoundKind;
use crate::domain::ids::VisitRoundId;
use crate::domain::round::{Figures, Round};
use crate::domain::visit::Visit;

/// The key that refuses a visitor who is busy.
pub(crate) const SLOT_TAKEN: &str = "visit_slots_pkey";

/// A visit, its texts sealed, and its round without them. One trip.
pub(crate) async fn load_with_round(db: impl PgExecutor<'_>, scope: &Scope, id: Uuid) -> Result<Option<(Stored<Visit>, Round)>> {
    let row = sqlx::query!(
        r#"SELECT v.estate_id, v.id, v.document AS "document: Json<Visit>", v.texts, v.row_version, v.create_time, v.update_time,
                  r.document AS "round: Json<Round>"
             FROM care.visits v JOIN care.visit_rounds r ON r.estate_id = v.estate_id AND r.id = v.round_id
            WHERE v.id = $1 AND ($2::uuid[] IS NULL OR v.estate_id = ANY($2))"#,
        id,
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_optional(db)
    .await
    .store()?;
    Ok(row.map(|row| {
        let stored = SealedRow {
            estate_id: row.estate_id,
            id: row.id,
            document: row.document,
            texts: row.texts,
            row_version: row.row_version,
            create_time: row.create_time,
            update_time: row.update_time,
        };
        (stored.read(), row.round.0)
    }))
}

#[derive(Serialize)]
struct Slot<'a> {
    visitor: &'a str,
    slot_time: Timestamp,
}

/// Writes a visit with the pieces of time that it now takes: those it had and has no more are given back, new ones are taken, or the
/// key refuses. One trip. False when it changed meanwhile. The error is raw.
pub(crate) async fn save_visit(
    db: impl PgExecutor<'_>,
    row: &Stored<Visit>,
    slots: &[(String, Timestamp)],
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let slots: Vec<Slot<'_>> = slots.iter().map(|(visitor, slot_time)| Slot { visitor, slot_time: *slot_time }).collect();
    let saved = sqlx::query!(
        r#"WITH given AS (
               SELECT * FROM jsonb_to_recordset($1::jsonb) AS g(estate_id uuid, id uuid, state text, sort_time timestamptz,
                   mark_time timestamptz, document jsonb, texts bytea, expected bigint, update_time timestamptz)
           ), updated AS (
               UPDATE care.visits v
                  SET state = g.state, sort_time = g.sort_time, mark_time = g.mark_time, document = g.document, texts = g.texts,
                      update_time = g.update_time, row_version = v.row_version + 1
                 FROM given g WHERE v.estate_id = g.estate_id AND v.id = g.id AND v.row_version = g.expected
               RETURNING v.estate_id, v.id
           ), wanted AS (
               SELECT s.visitor, s.slot_time FROM jsonb_to_recordset($2::jsonb) AS s(visitor text, slot_time timestamptz)
           ), given_back AS (
               DELETE FROM care.visit_slots s USING updated u
                WHERE s.visit_id = u.id AND NOT EXISTS (SELECT FROM wanted w WHERE w.visitor = s.visitor AND w.slot_time = s.slot_time)
           ), taken AS (
               INSERT INTO care.visit_slots (visitor, slot_time, estate_id, visit_id)
               SELECT w.visitor, w.slot_time, u.estate_id, u.id FROM wanted w, updated u
                WHERE NOT EXISTS (SELECT FROM care.visit_slots s
                                   WHERE s.visit_id = u.id AND s.visitor = w.visitor AND s.slot_time = w.slot_time)
                ORDER BY w.visitor, w.slot_time
           )
           SELECT (SELECT count(*) FROM updated) AS "saved!", (SELECT care.write_effects($3) FROM updated)::text AS effects
           -- unscoped: the visit was read through a scope"#,
        given(std::slice::from_ref(row)) as _,
        Json(slots) as _,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(saved.saved == 1)
}

/// Place of a visit in its lists: the first first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Upward(pub(crate) Place);

impl Upward {
    /// The place of a visit.
    pub(crate) fn of(row: &Stored<Visit>) -> Self {
        Self(Place::of(row))
    }
}

type Row = SealedRow<Visit>;

/// A page of a round's, by when they are due. One trip.
pub(crate) async fn list_of_round(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    round: VisitRoundId,
    states: &[String],
    page: &PageRequest<Upward>,
) -> Result<Vec<Stored<Visit>>> {
    let after = page.after.map(|after| after.0);
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT v.estate_id, v.id, v.document AS "document: _", v.texts, v.row_version, v.create_time, v.update_time
             FROM care.visits v
            WHERE v.estate_id = (SELECT r.estate_id FROM care.visit_rounds r
                                  WHERE r.id = $1 AND ($2::uuid[] IS NULL OR r.estate_id = ANY($2)))
              AND v.round_id = $1 AND (cardinality($3::text[]) = 0 OR v.state = ANY($3))
              AND ($4::timestamptz IS NULL OR (v.sort_time, v.id) > ($4, $5::uuid))
            ORDER BY v.sort_time, v.id LIMIT $6"#,
        round.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
        states,
        after.map(|place| place.time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|place| place.id),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(SealedRow::read).collect())
}

/// A page of the schedule of a visitor who leads, by when visits begin. One trip.
pub(crate) async fn list_of_visitor(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    visitor: &str,
    states: &[String],
    page: &PageRequest<Upward>,
) -> Result<Vec<Stored<Visit>>> {
    let after = page.after.map(|after| after.0);
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT estate_id, id, document AS "document: _", texts, row_version, create_time, update_time FROM care.visits
            WHERE estate_id = $1 AND lead_visitor = $2 AND (cardinality($3::text[]) = 0 OR state = ANY($3))
              AND ($4::timestamptz IS NULL OR (sort_time, id) > ($4, $5::uuid))
            ORDER BY sort_time, id LIMIT $6"#,
        estate.as_uuid(),
        visitor,
        states,
        after.map(|place| place.time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|place| place.id),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(SealedRow::read).collect())
}

/// Visits of a round by state. One trip.
pub(crate) async fn count_by_state(db: impl PgExecutor<'_>, estate: EstateId, round: VisitRoundId) -> Result<BTreeMap<String, i64>> {
    let rows = sqlx::query!(
        r#"SELECT state, count(*) AS "count!" FROM care.visits WHERE estate_id = $1 AND round_id = $2 GROUP BY state
           -- unscoped: of a round that was read through a scope, or that a timer named"#,
        estate.as_uuid(),
        round.as_uuid(),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| (row.state, row.count)).collect())
}

/// Visits of a round that may still be left out or added again, and those to cancel: id and household. One trip.
pub(crate) async fn ids_of_round(
    db: impl PgExecutor<'_>,
    estate: EstateId,
    round: VisitRoundId,
    states: &[String],
) -> Result<Vec<(Uuid, HouseholdId)>> {
    let rows = sqlx::query!(
        r#"SELECT id, household_id AS "household_id!" FROM care.visits WHERE estate_id = $1 AND round_id = $2 AND state = ANY($3) ORDER BY id
           -- unscoped: of a round that was read through a scope, or that a timer named"#,
        estate.as_uuid(),
        round.as_uuid(),
        states,
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| (row.id, row.household_id.into())).collect())
}

/// What the forms of a round amount to, and those of the round of its kind before (CA-48). One trip.
pub(crate) async fn figures(
    db: impl PgExecutor<'_>,
    estate: EstateId,
    round: VisitRoundId,
    kind: RoundKind,
    before: Timestamp,
) -> Result<(Figures, Option<Figures>)> {
    let rows = sqlx::query!(
        r#"WITH rounds AS (
               SELECT $2::uuid AS id, 'this' AS which
               UNION ALL
               (SELECT id, 'previous' FROM care.visit_rounds
                 WHERE estate_id = $1 AND id <> $2 AND document ->> 'kind' = $3 AND sort_time < $4 AND state <> 'preparing'
                 ORDER BY sort_time DESC, id DESC LIMIT 1)
           ), forms AS (
               SELECT r.which, v.state, coalesce((v.document -> 'form' ->> 'score')::bigint, 0) AS score, v.document
                 FROM rounds r JOIN care.visits v ON v.estate_id = $1 AND v.round_id = r.id
           )
           SELECT which AS "which!", 'done' AS "part!", '' AS "code!", count(*) AS "count!" FROM forms WHERE state IN ('done', 'closed') GROUP BY which
           UNION ALL
           SELECT which, 'due', '', count(*) FROM forms
            WHERE state NOT IN ('excluded', 'cancelled') OR document ->> 'reason_code' = 'round_ended' GROUP BY which
           UNION ALL
           SELECT which, 'score', '', coalesce(sum(score), 0)::bigint FROM forms GROUP BY which
           UNION ALL
           SELECT which, 'scores', '', count(*) FROM forms WHERE score > 0 GROUP BY which
           UNION ALL
           SELECT which, 'issue', issue ->> 'category', count(*) FROM forms, jsonb_array_elements(
                  CASE WHEN jsonb_typeof(document -> 'form' -> 'issues') = 'array' THEN document -> 'form' -> 'issues' ELSE '[]' END) AS issue
            GROUP BY which, issue ->> 'category'
           -- unscoped: of a round that was read through a scope"#,
        estate.as_uuid(),
        round.as_uuid(),
        kind.as_str(),
        before.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_all(db)
    .await
    .store()?;
    let (mut this, mut previous) = (Figures::default(), None);
    for row in rows {
        let figures = if row.which == "this" { &mut this } else { previous.get_or_insert_with(Figures::default) };
        match row.part.as_str() {
            "done" => figures.done_count = row.count,
            "due" => figures.due_count = row.count,
            "score" => figures.score_sum = row.count,
            "scores" => figures.score_count = row.count,
            _ => drop(figures.issue_counts.insert(row.code, row.count)),
        }
    }
    Ok((this, previous))
}

/// Excluded visits' rounds that are under way and have a household. One trip.
pub(crate) async fn rounds_of_household(db: impl PgExecutor<'_>, estate: EstateId, household: HouseholdId) -> Result<Vec<Uuid>> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT r.id FROM care.visit_rounds r JOIN care.visits v ON v.estate_id = r.estate_id AND v.round_id = r.id
            WHERE r.estate_id = $1 AND r.state = 'active' AND v.household_id = $2 AND v.state IN ('open', 'scheduled', 'excluded')
           -- unscoped: a fact named the household"#,
        estate.as_uuid(),
        household.as_uuid(),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Rounds of an estate that are under way. One trip.
pub(crate) async fn active_rounds(db: impl PgExecutor<'_>, estate: EstateId) -> Result<Vec<Uuid>> {
    let rows = sqlx::query!(
        "SELECT id FROM care.visit_rounds WHERE estate_id = $1 AND state = 'active'
         -- unscoped: a fact named the estate",
        estate.as_uuid()
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Gives back the time of visits that are not scheduled any more. One trip.
pub(crate) async fn free_unscheduled(db: impl PgExecutor<'_>, ids: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "DELETE FROM care.visit_slots s USING care.visits v
          WHERE s.visit_id = ANY($1) AND v.estate_id = s.estate_id AND v.id = s.visit_id AND v.state IN ('open', 'excluded', 'cancelled')
         -- unscoped: of a round that a timer named",
        ids,
    )
    .execute(db)
    .await
    .store()?;
    Ok(())
}

/// The visit that carried out a touchpoint: its id, who led it, when it was over. One trip.
pub(crate) async fn visit_of_touchpoint(db: impl PgExecutor<'_>, touchpoint: Uuid) -> Result<Option<(Uuid, String, Timestamp)>> {
    let row = sqlx::query!(
        r#"SELECT v.id, coalesce(v.lead_visitor, '') AS "lead!", v.mark_time AS "mark!" FROM care.visits v
            WHERE v.household_id = (SELECT household_id FROM care.touchpoints WHERE id = $1)
              AND v.document ->> 'touchpoint_id' = $1::text AND v.mark_time IS NOT NULL
            ORDER BY v.mark_time LIMIT 1
           -- unscoped: a timer named the touchpoint"#,
        touchpoint,
    )
    .fetch_optional(db)
    .await
    .store()?;
    Ok(row.map(|row| (row.id, row.lead, row.mark.to_jiff())))
}

/// Whether a round's visits are still to be drawn up, or to be cancelled. One trip.
pub(crate) async fn is_preparing(db: impl PgExecutor<'_>, round: Uuid) -> Result<bool> {
    let row = sqlx::query!(
        r#"SELECT EXISTS (SELECT FROM care.visit_rounds r
                           WHERE r.id = $1 AND (r.state = 'preparing' OR r.state = 'ended' AND EXISTS (
                                 SELECT FROM care.visits v WHERE v.estate_id = r.estate_id AND v.round_id = r.id
                                    AND v.state IN ('open', 'scheduled')))) AS "preparing!"
           -- unscoped: a timer named the round"#,
        round,
    )
    .fetch_one(db)
    .await
    .store()?;
    Ok(row.preparing)
}
