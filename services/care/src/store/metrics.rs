//! The rows behind figures, for many estates at once: each estate with its own instants, because each has its own zone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use crate::domain::figures::{Detail, Row};

/// A period of an estate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    /// The estate, found in the caller's scope.
    pub(crate) estate: ScopedEstate,
    /// First instant.
    pub(crate) start: Timestamp,
    /// First instant after it.
    pub(crate) end: Timestamp,
}

/// Rows by estate.
pub(crate) type Rows = BTreeMap<Uuid, Vec<Row>>;

/// The same as columns.
pub(super) struct Columns {
    pub(super) estates: Vec<Uuid>,
    pub(super) starts: Vec<jiff_sqlx::Timestamp>,
    pub(super) ends: Vec<jiff_sqlx::Timestamp>,
}

pub(super) fn columns(stretches: &[Stretch]) -> Columns {
    Columns {
        estates: stretches.iter().map(|stretch| stretch.estate.as_uuid()).collect(),
        starts: stretches.iter().map(|stretch| stretch.start.to_sqlx()).collect(),
        ends: stretches.iter().map(|stretch| stretch.end.to_sqlx()).collect(),
    }
}

/// Households that answered in a talk of the relationship, each with its first one (F-08b). One trip.
pub(crate) async fn talks(db: impl PgExecutor<'_>, stretches: &[Stretch]) -> Result<Rows> {
    let Columns { estates, starts, ends } = columns(stretches);
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

/// Households of a layer, one for each stretch, of a programme, or where both are empty of all care: reached, else opted out, else held
/// out (F-09). One trip.
pub(crate) async fn covered(db: impl PgExecutor<'_>, stretches: &[Stretch], layers: &[String], programme: &str) -> Result<Rows> {
    let Columns { estates, starts, ends } = columns(stretches);
    let rows = sqlx::query!(
        r#"SELECT s.estate_id AS "estate_id!", t.household_id AS "household_id!", max(coalesce(t.mark_time, t.sort_time)) AS "at!",
                  bool_or(t.state = 'confirmed') AS "reached!", bool_or(t.state = 'held_out') AS "held_out!"
             FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::text[]) AS s(estate_id, start_time, end_time, layer)
             JOIN care.touchpoints t ON t.estate_id = s.estate_id AND (s.layer = '' OR t.layer = s.layer)
              AND ($5 = '' OR t.document ->> 'programme_code' = $5)
              AND (t.state = 'confirmed' AND t.mark_time >= s.start_time AND t.mark_time < s.end_time
                   OR (t.state = 'held_out' OR t.state = 'suppressed' AND t.document ->> 'reason_code' IN ('no_consent', 'preference', 'opted_out'))
                      AND t.sort_time >= s.start_time AND t.sort_time < s.end_time)
            GROUP BY s.estate_id, t.household_id"#,
        &estates,
        &starts as _,
        &ends as _,
        layers,
        programme,
    )
    .fetch_all(db)
    .await
    .store()?;
    let mut all = Rows::new();
    for row in rows {
        let reason = if row.held_out {
            "held_out"
        } else if row.reached {
            "reached"
        } else {
            "opted_out"
        };
        let counts = row.reached && !row.held_out;
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
    Ok(all)
}

/// Messages that were to go, and whether they arrived (F-10). One trip.
pub(crate) async fn targeted(db: impl PgExecutor<'_>, stretches: &[Stretch], programme: &str, is_before: bool) -> Result<Rows> {
    let Columns { estates, starts, ends } = columns(stretches);
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
    let Columns { estates, starts, ends } = columns(stretches);
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
    let Columns { estates, starts, ends } = columns(stretches);
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
        let kept = [row.notice, row.duration, row.form, row.training, row.kit];
        let faults = ["notice_late", "too_short", "form_late", "visitor_untrained", "kit_incomplete"];
        let fault = kept.iter().zip(faults).find(|(kept, _)| !**kept).map(|(_, fault)| fault);
        all.entry(row.estate_id).or_default().push(Row {
            kind: "visit",
            id: row.id,
            at: row.at.to_jiff(),
            in_numerator: fault.is_none(),
            in_denominator: true,
            reason: fault.unwrap_or("conforming").to_owned(),
            detail: Detail { kept, ..Detail::default() },
        });
    }
    Ok(all)
}
