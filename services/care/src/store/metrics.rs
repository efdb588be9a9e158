//! The rows behind figures, for many estates at once: each estate with its own instants, because each has its own zone.

use std::collections::BTreeMap;

use sqlx::PgExecutor;
use steward_kit::Result;
use steward_kit::metric::VisitProof;
use steward_kit_store::StoreResult;
use steward_kit_store::rollups::Stretch;
use uuid::Uuid;

use crate::domain::figures::{Detail, Row};

/// Rows by estate.
pub(crate) type Rows = BTreeMap<Uuid, Vec<Row>>;

/// Households that answered in a talk of the relationship, each with its first one (F-08b). One trip.
pub(crate) async fn talks(db: impl PgExecutor<'_>, stretches: &[Stretch]) -> Result<Rows> {
    let (estates, starts, ends) = Stretch::columns(stretches);
    let rows = sqlx::query!(
        r#"SELECT s.estate_id AS "estate_id!", c.household_id AS "household_id!", min(c.contact_time) AS "at!"
             FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS s(estate_id, start_time, end_time)
             JOIN care.contacts c ON c.estate_id = s.estate_id AND c.purpose = 'relationship' AND c.is_two_way
                                 AND c.contact_time >= s.start_time AND c.contact_time < s.end_time
            GROUP BY s.estate_id, c.household_id"#,
        &estates,
        &starts as _,
        &ends as _,
    )
    .fetch_all(db)
    .await
    .store()?;
    let mut all = Rows::new();
    for row in rows {
        all.entry(row.estate_id).or_default().push(Row {
            kind: "household",
            id: row.household_id,
            at: row.at.to_jiff(),
            in_numerator: true,
            in_denominator: true,
            reason: "two_way_contact".to_owned(),
            detail: Detail::default(),
        });
    }
    Ok(all)
}

/// What a household had of the care that is asked for.
struct Cared {
    estate_id: Uuid,
    household_id: Uuid,
    at: jiff_sqlx::Timestamp,
    is_reached: bool,
    is_held_out: bool,
}

/// Households of a layer, one for each stretch, of a programme, or where both are empty of all care: reached, else opted out, else held
/// out (F-09). One trip.
pub(crate) async fn covered(db: impl PgExecutor<'_>, stretches: &[Stretch], layers: &[String], programme: &str) -> Result<Rows> {
    let (estates, starts, ends) = Stretch::columns(stretches);
    let cared = sqlx::query_as!(
        Cared,
        r#"SELECT s.estate_id AS "estate_id!", t.household_id AS "household_id!", max(coalesce(t.mark_time, t.sort_time)) AS "at!",
                  bool_or(t.state = 'confirmed') AS "is_reached!", bool_or(t.state = 'held_out') AS "is_held_out!"
             FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::text[]) AS s(estate_id, start_time, end_time, layer)
             JOIN care.touchpoints t ON t.estate_id = s.estate_id AND (s.layer = '' OR t.layer = s.layer)
              AND ($5 = '' OR t.document ->> 'programme_code' = $5)
              AND care.is_care_of(t.state, t.mark_time, t.sort_time, t.document, s.start_time, s.end_time)
            GROUP BY s.estate_id, t.household_id"#,
        &estates,
        &starts as _,
        &ends as _,
        layers,
        programme,
    );
    Ok(households(cared.fetch_all(db).await.store()?))
}

/// Of some households, each with a stretch of its estate and its layer, those that [`covered`] finds too. One trip, as long as the list.
pub(crate) async fn covered_among(
    db: impl PgExecutor<'_>,
    stretches: &[Stretch],
    layers: &[String],
    some: &[Uuid],
    programme: &str,
) -> Result<Rows> {
    let (estates, starts, ends) = Stretch::columns(stretches);
    let cared = sqlx::query_as!(
        Cared,
        r#"SELECT s.estate_id AS "estate_id!", t.household_id AS "household_id!", max(coalesce(t.mark_time, t.sort_time)) AS "at!",
                  bool_or(t.state = 'confirmed') AS "is_reached!", bool_or(t.state = 'held_out') AS "is_held_out!"
             FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::uuid[])
                  AS s(estate_id, start_time, end_time, layer, household_id)
             JOIN care.touchpoints t ON t.household_id = s.household_id AND t.estate_id = s.estate_id AND (s.layer = '' OR t.layer = s.layer)
              AND ($6 = '' OR t.document ->> 'programme_code' = $6)
              AND care.is_care_of(t.state, t.mark_time, t.sort_time, t.document, s.start_time, s.end_time)
            GROUP BY s.estate_id, t.household_id"#,
        &estates,
        &starts as _,
        &ends as _,
        layers,
        some,
        programme,
    );
    Ok(households(cared.fetch_all(db).await.store()?))
}

fn households(cared: Vec<Cared>) -> Rows {
    let mut all = Rows::new();
    for row in cared {
        let reason = match (row.is_held_out, row.is_reached) {
            (true, _) => "held_out",
            (false, true) => "reached",
            (false, false) => "opted_out",
        };
        let counts = reason == "reached";
        all.entry(row.estate_id).or_default().push(Row {
            kind: "household",
            id: row.household_id,
            at: row.at.to_jiff(),
            in_numerator: counts,
            in_denominator: counts,
            reason: reason.to_owned(),
            detail: Detail::default(),
        });
    }
    all
}

/// Messages that were to go, and whether they arrived (F-10). One trip.
pub(crate) async fn targeted(db: impl PgExecutor<'_>, stretches: &[Stretch], programme: &str, is_before: bool) -> Result<Rows> {
    let (estates, starts, ends) = Stretch::columns(stretches);
    let rows = sqlx::query!(
        r#"SELECT t.estate_id, t.id, t.sort_time, t.state
             FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS s(estate_id, start_time, end_time)
             JOIN care.touchpoints t ON t.estate_id = s.estate_id AND t.sort_time >= s.start_time AND t.sort_time < s.end_time
            WHERE t.document -> 'action' ->> 'kind' = 'message' AND ($4 = '' OR t.document ->> 'programme_code' = $4)
              AND t.state IN ('acted', 'confirmed', 'overdue', 'suppressed')"#,
        &estates,
        &starts as _,
        &ends as _,
        programme,
    )
    .fetch_all(db)
    .await
    .store()?;
    let mut all = Rows::new();
    for row in rows {
        all.entry(row.estate_id).or_default().push(Row {
            kind: "touchpoint",
            id: row.id,
            at: row.sort_time.to_jiff(),
            in_numerator: row.state == "confirmed",
            in_denominator: true,
            reason: row.state,
            detail: Detail { is_before, ..Detail::default() },
        });
    }
    Ok(all)
}

/// Units of batches whose window begins in the period (F-14). One trip.
pub(crate) async fn handovers(db: impl PgExecutor<'_>, stretches: &[Stretch], batch: &str) -> Result<Rows> {
    let (estates, starts, ends) = Stretch::columns(stretches);
    let rows = sqlx::query!(
        r#"SELECT b.estate_id, u.unit_id, b.sort_time, u.notice_time IS NOT NULL AS "noticed!", u.defect_count, u.is_first_visit,
                  coalesce(u.handover_date BETWEEN (b.document ->> 'from_date')::date AND (b.document ->> 'to_date')::date, false) AS "handed!"
             FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS s(estate_id, start_time, end_time)
             JOIN care.delivery_batches b ON b.estate_id = s.estate_id AND b.sort_time >= s.start_time AND b.sort_time < s.end_time
              AND ($4 = '' OR b.unique_key = $4)
             JOIN care.batch_units u ON u.estate_id = b.estate_id AND u.batch_id = b.id"#,
        &estates,
        &starts as _,
        &ends as _,
        batch,
    )
    .fetch_all(db)
    .await
    .store()?;
    let mut all = Rows::new();
    for row in rows {
        let reason = match (row.noticed, row.handed) {
            (true, true) => "handed_over_in_window",
            (true, false) => "not_handed_over_in_window",
            (false, _) => "not_noticed",
        };
        all.entry(row.estate_id).or_default().push(Row {
            kind: "unit",
            id: row.unit_id,
            at: row.sort_time.to_jiff(),
            in_numerator: row.noticed && row.handed,
            in_denominator: row.noticed,
            reason: reason.to_owned(),
            detail: Detail { defects: row.defect_count.max(0).into(), is_first_visit: row.is_first_visit, ..Detail::default() },
        });
    }
    Ok(all)
}

/// Visits that were over in the period, and the rules that they kept (F-21). One trip.
pub(crate) async fn visits(db: impl PgExecutor<'_>, stretches: &[Stretch]) -> Result<Rows> {
    let (estates, starts, ends) = Stretch::columns(stretches);
    let rows = sqlx::query!(
        r#"SELECT v.estate_id, v.id, v.mark_time AS "at!",
                  coalesce((v.document -> 'conformity' ->> 'notice')::boolean, false) AS "notice!",
                  coalesce((v.document -> 'conformity' ->> 'duration')::boolean, false) AS "duration!",
                  coalesce((v.document -> 'conformity' ->> 'form')::boolean, false) AS "form!",
                  coalesce((v.document -> 'conformity' ->> 'training')::boolean, false) AS "training!",
                  coalesce((v.document -> 'conformity' ->> 'kit')::boolean, false) AS "kit!"
             FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS s(estate_id, start_time, end_time)
             JOIN care.visits v ON v.estate_id = s.estate_id AND v.state IN ('done', 'closed')
                               AND v.mark_time >= s.start_time AND v.mark_time < s.end_time"#,
        &estates,
        &starts as _,
        &ends as _,
    )
    .fetch_all(db)
    .await
    .store()?;
    let mut all = Rows::new();
    for row in rows {
        let visit = VisitProof {
            notice_in_time: row.notice,
            long_enough: row.duration,
            form_in_time: row.form,
            is_trained: row.training,
            has_kit: row.kit,
        };
        all.entry(row.estate_id).or_default().push(Row {
            kind: "visit",
            id: row.id,
            at: row.at.to_jiff(),
            in_numerator: visit.conforms(),
            in_denominator: true,
            reason: visit.first_fault().unwrap_or("conforming").to_owned(),
            detail: Detail { visit, ..Detail::default() },
        });
    }
    Ok(all)
}
