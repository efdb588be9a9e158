//! Who stayed and who left, for many estates at once: each estate with its own days, because each has its own zone (F-13a, F-13b).

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::metrics::{JudgedRow, StoredRow, Stretch};
use super::word;
use crate::app::RowKey;
use crate::domain::figures::{EstateStay, Standing, Tally};

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

/// How the customers of estates stand, counted by estate, and once each over all of them: whoever has several estates counts in each,
/// and once in the group. One trip.
pub(crate) async fn tally_stays(
    pool: &PgPool,
    stretches: &[Stretch],
    kinds: &[String],
) -> Result<(BTreeMap<Uuid, Vec<Tally>>, Vec<Tally>)> {
    let Columns { estates, first_days, last_days, zones } = columns(stretches);
    let rows = sqlx::query!(
        r#"WITH stays AS MATERIALIZED (
               SELECT r.* FROM customer.stay_rows($1, $2::date[], $3::date[], $4, $5) r
           )
           SELECT s.estate_id AS "estate_id?", s.reason AS "reason!", count(*) AS "count!" FROM stays s GROUP BY s.estate_id, s.reason
           UNION ALL
           SELECT NULL, o.reason, count(*)
             FROM (SELECT DISTINCT ON (s.subject_id) s.reason FROM stays s
                    ORDER BY s.subject_id, array_position(ARRAY['lost', 'natural_exit', 'exit_not_chosen', 'active'], s.reason)) o
            GROUP BY o.reason"#,
        &estates,
        &first_days as _,
        &last_days as _,
        &zones,
        kinds,
    )
    .fetch_all(pool)
    .await
    .store()?;
    let (mut by_estate, mut all) = (BTreeMap::<Uuid, Vec<Tally>>::new(), Vec::new());
    for row in rows {
        let tally = (word(&row.reason, Standing::parse)?, row.count);
        match row.estate_id {
            Some(estate) => by_estate.entry(estate).or_default().push(tally),
            None => all.push(tally),
        }
    }
    Ok((by_estate, all))
}

/// The stays of an estate by time, after the page's start; one more than fit on it. One trip.
pub(crate) async fn list_stays(pool: &PgPool, stretch: &Stretch, kinds: &[String], page: &PageRequest<RowKey>) -> Result<Vec<JudgedRow>> {
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
    .fetch_all(pool)
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
pub(crate) async fn list_estate_stays(pool: &PgPool, stretches: &[Stretch]) -> Result<Vec<EstateRow>> {
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
    .fetch_all(pool)
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
