//! Touchpoints beside what every document has: what waits, and what a household or a programme has.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::ids::{EstateId, HouseholdId};
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::documents::{Place, SealedRow};
use crate::domain::base::Stored;
use crate::domain::ids::ProgrammeId;
use crate::domain::touchpoint::Touchpoint;

type Row = SealedRow<Touchpoint>;

/// What is due or to be looked at again, the longest waiting first. One trip.
pub(crate) async fn load_waiting(db: impl PgExecutor<'_>, now: Timestamp, most: i64) -> Result<Vec<Stored<Touchpoint>>> {
    let rows = sqlx::query_as!(
        Row,
        r#"(SELECT estate_id AS "estate_id!", id AS "id!", document AS "document!: _", texts, row_version AS "row_version!",
                   create_time AS "create_time!", update_time AS "update_time!"
              FROM care.touchpoints WHERE state = 'planned' AND sort_time <= $1 ORDER BY sort_time, id LIMIT $2)
           UNION ALL
           (SELECT estate_id, id, document, texts, row_version, create_time, update_time
              FROM care.touchpoints WHERE state = 'excluded' AND mark_time <= $1 ORDER BY mark_time, id LIMIT $2)
           -- unscoped: background work"#,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        most,
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(SealedRow::read).collect())
}

/// Which touchpoints of a household stand where. One trip.
pub(crate) async fn ids_of_household(
    db: impl PgExecutor<'_>,
    estate: EstateId,
    household: HouseholdId,
    states: &[String],
    definition: Option<&str>,
) -> Result<Vec<Uuid>> {
    let rows = sqlx::query!(
        "SELECT id FROM care.touchpoints
          WHERE household_id = $2 AND estate_id = $1 AND state = ANY($3) AND ($4::text IS NULL OR definition_code = $4)
          ORDER BY sort_time DESC, id DESC LIMIT 200
         -- unscoped: a fact named the household",
        estate.as_uuid(),
        household.as_uuid(),
        states,
        definition,
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Which ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) household: Option<HouseholdId>,
    pub(crate) programme: Option<ProgrammeId>,
    pub(crate) states: Vec<String>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
}

/// A page of an estate's, the last due first. One trip.
pub(crate) async fn list_of_estate(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    filter: &Filter,
    page: &PageRequest<Place>,
) -> Result<Vec<Stored<Touchpoint>>> {
    let after = page.after.as_ref();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT estate_id, id, document AS "document: _", texts, row_version, create_time, update_time FROM care.touchpoints
            WHERE estate_id = $1 AND ($2::uuid IS NULL OR programme_id = $2) AND (cardinality($3::text[]) = 0 OR state = ANY($3))
              AND ($4::timestamptz IS NULL OR sort_time >= $4) AND ($5::timestamptz IS NULL OR sort_time < $5)
              AND ($6::timestamptz IS NULL OR (sort_time, id) < ($6, $7::uuid))
            ORDER BY sort_time DESC, id DESC LIMIT $8"#,
        estate.as_uuid(),
        filter.programme.map(Uuid::from),
        &filter.states,
        filter.from.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        filter.to.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|place| place.time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|place| place.id),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(SealedRow::read).collect())
}

/// A page of a household's, the last due first. One trip.
pub(crate) async fn list_of_household(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    household: HouseholdId,
    filter: &Filter,
    page: &PageRequest<Place>,
) -> Result<Vec<Stored<Touchpoint>>> {
    let after = page.after.as_ref();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT estate_id, id, document AS "document: _", texts, row_version, create_time, update_time FROM care.touchpoints
            WHERE household_id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))
              AND (cardinality($3::text[]) = 0 OR state = ANY($3))
              AND ($4::timestamptz IS NULL OR sort_time >= $4) AND ($5::timestamptz IS NULL OR sort_time < $5)
              AND ($6::timestamptz IS NULL OR (sort_time, id) < ($6, $7::uuid))
            ORDER BY sort_time DESC, id DESC LIMIT $8"#,
        household.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
        &filter.states,
        filter.from.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        filter.to.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|place| place.time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|place| place.id),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(SealedRow::read).collect())
}

/// What a programme did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) by_state: BTreeMap<String, i64>,
    pub(crate) by_tag: BTreeMap<String, i64>,
    pub(crate) by_reason: BTreeMap<String, i64>,
    pub(crate) spent_cents: i64,
}

/// What a programme did in an estate between two instants. One trip.
pub(crate) async fn count_programme(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    programme: ProgrammeId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Counts> {
    let rows = sqlx::query!(
        r#"WITH chosen AS (
               SELECT state, document, coalesce(nullif(document ->> 'reason_code', ''), '') AS reason,
                      document ->> 'act_time' IS NOT NULL AND state <> 'suppressed' AS is_done
                 FROM care.touchpoints WHERE estate_id = $1 AND programme_id = $2 AND sort_time >= $3 AND sort_time < $4
           )
           SELECT 'state' AS "part!", state AS "code!", count(*) AS "count!" FROM chosen GROUP BY state
           UNION ALL
           SELECT 'tag', tag, count(*) FROM chosen, jsonb_array_elements_text(document -> 'drive_tags') AS tag
            WHERE state = 'confirmed' GROUP BY tag
           UNION ALL
           SELECT 'reason', reason, count(*) FROM chosen WHERE state IN ('excluded', 'suppressed', 'cancelled') AND reason <> '' GROUP BY reason
           UNION ALL
           SELECT 'spent', '', coalesce(sum((document ->> 'cost_cents')::bigint), 0)::bigint FROM chosen WHERE is_done"#,
        estate.as_uuid(),
        programme.as_uuid(),
        from.to_sqlx() as jiff_sqlx::Timestamp,
        to.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_all(db)
    .await
    .store()?;
    let mut counts = Counts::default();
    for row in rows {
        match row.part.as_str() {
            "state" => drop(counts.by_state.insert(row.code, row.count)),
            "tag" => drop(counts.by_tag.insert(row.code, row.count)),
            "reason" => drop(counts.by_reason.insert(row.code, row.count)),
            _ => counts.spent_cents = row.count,
        }
    }
    Ok(counts)
}

/// Households of an estate that a layer reached, and those held out, between two instants (F-09). One trip.
pub(crate) async fn coverage(db: impl PgExecutor<'_>, estate: EstateId, layer: &str, from: Timestamp, to: Timestamp) -> Result<(i64, i64)> {
    let row = sqlx::query!(
        r#"SELECT (SELECT count(DISTINCT household_id) FROM care.touchpoints
                    WHERE estate_id = $1 AND ($2 = '' OR layer = $2) AND state = 'confirmed' AND mark_time >= $3 AND mark_time < $4) AS "reached!",
                  (SELECT count(DISTINCT household_id) FROM care.touchpoints
                    WHERE estate_id = $1 AND ($2 = '' OR layer = $2) AND state = 'held_out' AND sort_time >= $3 AND sort_time < $4) AS "held_out!"
           -- unscoped: the estate was found in the caller's scope before"#,
        estate.as_uuid(),
        layer,
        from.to_sqlx() as jiff_sqlx::Timestamp,
        to.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_one(db)
    .await
    .store()?;
    Ok((row.reached, row.held_out))
}

/// Touchpoints of a household since a day, by state; and when somebody last spoke with it. One trip.
pub(crate) async fn brief(
    db: impl PgExecutor<'_>,
    estate: EstateId,
    household: HouseholdId,
    since: Timestamp,
) -> Result<(BTreeMap<String, i64>, Option<Timestamp>)> {
    let rows = sqlx::query!(
        r#"SELECT state AS "state!", count(*) AS "count!",
                  (SELECT max(contact_time) FROM care.contacts WHERE household_id = $2 AND is_two_way) AS last_contact
             FROM care.touchpoints WHERE household_id = $2 AND estate_id = $1 AND sort_time >= $3 GROUP BY state
           -- unscoped: of a visit that was read through a scope"#,
        estate.as_uuid(),
        household.as_uuid(),
        since.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_all(db)
    .await
    .store()?;
    let last = rows.first().and_then(|row| row.last_contact).map(|time| time.to_jiff());
    Ok((rows.into_iter().map(|row| (row.state, row.count)).collect(), last))
}

/// Deletes what ended in estates before a day of each, at most so many rows. How many were. One trip.
pub(crate) async fn prune(db: impl PgExecutor<'_>, before: &[(EstateId, Timestamp)], most: i64) -> Result<u64> {
    let (estates, days): (Vec<Uuid>, Vec<jiff_sqlx::Timestamp>) =
        before.iter().map(|(estate, day)| (estate.as_uuid(), day.to_sqlx())).unzip();
    let done = sqlx::query!(
        "DELETE FROM care.touchpoints t
          USING (SELECT o.estate_id, o.id FROM unnest($1::uuid[], $2::timestamptz[]) AS e(estate_id, day)
                   JOIN care.touchpoints o ON o.estate_id = e.estate_id AND o.update_time < e.day
                    AND o.state IN ('confirmed', 'cancelled', 'skipped', 'suppressed', 'held_out')
                  LIMIT $3) AS old
          WHERE t.estate_id = old.estate_id AND t.id = old.id
         -- unscoped: housekeeping",
        &estates,
        &days as _,
        most,
    )
    .execute(db)
    .await
    .store()?;
    Ok(done.rows_affected())
}

/// The local midnight of a day, as lists and metrics cut periods.
pub(crate) fn midnight(date: Date, zone: &jiff::tz::TimeZone) -> Result<Timestamp> {
    zone.to_timestamp(date.at(0, 0, 0, 0)).map_err(steward_kit::Error::internal)
}

/// Whether a touchpoint waits to be done or looked at. One trip.
pub(crate) async fn is_waiting(db: impl PgExecutor<'_>, id: Uuid, now: Timestamp) -> Result<bool> {
    let row = sqlx::query!(
        r#"SELECT EXISTS (SELECT FROM care.touchpoints
                           WHERE id = $1 AND (state = 'planned' AND sort_time <= $2 OR state = 'excluded' AND mark_time <= $2)) AS "waiting!"
           -- unscoped: a timer named the touchpoint"#,
        id,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_one(db)
    .await
    .store()?;
    Ok(row.waiting)
}
