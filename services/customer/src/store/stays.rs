//! Who stayed and who left, for many estates at once: each estate with its own days, because each has its own zone (F-13a, F-13b).

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::metrics::{JudgedRow, Standings, StoredRow, Stretch};
use super::word;
use crate::app::RowKey;
use crate::domain::figures::{EstateStay, Standing};

struct Columns {
    estates: Vec<Uuid>,
    first_days: Vec<jiff_sqlx::Date>,
    last_days: Vec<jiff_sqlx::Date>,
    zones: Vec<String>,
}

fn columns(stretches: &[Stretch]) -> Columns {
    Columns {
        estates: stretches.iter().map(|stretch| stretch.estate.as_uuid()).collect(),
        first_days: stretches.iter().map(|stretch| stretch.first_day.to_sqlx()).collect(),
        last_days: stretches.iter().map(|stretch| stretch.day.to_sqlx()).collect(),
        zones: stretches.iter().map(|stretch| stretch.zone.clone()).collect(),
    }
}

/// How the customers of estates stand: their numbers, which are written in what is shown of them. One trip.
pub(crate) async fn find_stays(db: &mut PgConnection, stretches: &[Stretch], kinds: &[String]) -> Result<Standings<Vec<i64>>> {
    let Columns { estates, first_days, last_days, zones } = columns(stretches);
    let rows = sqlx::query!(
        r#"SELECT r.estate_id AS "estate_id!", r.reason AS "reason!", array_agg(right(r.subject_number, -3)::bigint) AS "numbers!"
             FROM customer.stay_rows($1, $2::date[], $3::date[], $4, $5) r GROUP BY r.estate_id, r.reason"#,
        &estates,
        &first_days as _,
        &last_days as _,
        &zones,
        kinds,
    )
    .fetch_all(db)
    .await
    .store()?;
    let mut standings = Standings::new();
    for row in rows {
        standings.entry(row.estate_id).or_default().push((word(&row.reason, Standing::parse)?, row.numbers));
    }
    Ok(standings)
}

/// The stays of an estate by time, after the page's start; one more than fit on it. One trip.
pub(crate) async fn list_stays(
    db: &mut PgConnection,
    stretch: &Stretch,
    kinds: &[String],
    page: &PageRequest<RowKey>,
) -> Result<Vec<JudgedRow>> {
    let Columns { estates, first_days, last_days, zones } = columns(std::slice::from_ref(stretch));
    let rows = sqlx::query_as!(
        StoredRow,
        r#"SELECT r.subject_id AS "subject_id!", r.subject_number AS "subject_number!", r.event_time AS "event_time!", r.reason AS "reason!"
             FROM customer.stay_rows($1, $2::date[], $3::date[], $4, $5) r
            WHERE $6::timestamptz IS NULL OR (r.event_time, r.subject_id) > ($6, $7::uuid)
            ORDER BY r.event_time, r.subject_id LIMIT $8"#,
        &estates,
        &first_days as _,
        &last_days as _,
        &zones,
        kinds,
        page.after.map(|after| after.at.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        page.after.map(|after| after.id),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(StoredRow::judged).collect()
}

/// An estate of a period, with when it counts: its last day, or the period's first.
#[derive(Clone, Debug)]
pub(crate) struct EstateRow {
    pub(crate) estate: Uuid,
    pub(crate) code: String,
    pub(crate) at: Timestamp,
    pub(crate) stay: EstateStay,
}

/// How estates stand. There when the period began is what was registered by then and had not left. One trip.
pub(crate) async fn list_estate_stays(db: &mut PgConnection, stretches: &[Stretch]) -> Result<Vec<EstateRow>> {
    let Columns { estates, first_days, last_days, zones } = columns(stretches);
    let starts: Vec<jiff_sqlx::Timestamp> = stretches.iter().map(|stretch| stretch.start.to_sqlx()).collect();
    let rows = sqlx::query!(
        r#"SELECT e.id, e.code, e.unit_count, a.area AS "area!",
                  (coalesce(x.exit_date, s.first_day)::timestamp AT TIME ZONE s.zone) AS "at!",
                  CASE WHEN e.create_time >= s.start_time OR x.exit_date < s.first_day THEN 'not_active_at_start'
                       WHEN x.exit_date IS NOT NULL THEN 'lost' ELSE 'active' END AS "reason!"
             -- unscoped: a stretch is of an estate that the caller was found to have
             FROM unnest($1::uuid[], $2::date[], $3::date[], $4::text[], $5::timestamptz[])
                  AS s(estate_id, first_day, last_day, zone, start_time)
             JOIN customer.estates e ON e.id = s.estate_id
            CROSS JOIN LATERAL (SELECT coalesce(sum(u.area_square_metres), 0)::bigint AS area
                                  FROM customer.units u WHERE u.estate_id = e.id) a
            CROSS JOIN LATERAL (SELECT min(x.exit_date) AS exit_date FROM customer.exits x
                                 WHERE x.estate_id = e.id AND x.customer_id IS NULL AND x.exit_date <= s.last_day) x"#,
        &estates,
        &first_days as _,
        &last_days as _,
        &zones,
        &starts as _,
    )
    .fetch_all(db)
    .await
    .store()?;
    let rows = rows.into_iter().map(|row| {
        let standing = word(&row.reason, Standing::parse)?;
        Ok(EstateRow {
            estate: row.id,
            code: row.code,
            at: row.at.to_jiff(),
            stay: EstateStay { standing, households: row.unit_count.into(), area: row.area },
        })
    });
    rows.collect()
}
