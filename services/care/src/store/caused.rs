//! Cases that name what care did, and those whom campaigns reached (F-05c).

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::Result;
use steward_kit::ids::{CustomerId, EstateId, UnitId, WorkOrderId};
use steward_kit_store::StoreResult;
use steward_kit_store::rollups::Stretch;

use super::metrics::Rows;
use crate::domain::caused::{Cause, CausedCase, complaining_standings};
use crate::domain::figures::{Detail, Row};

/// Notes a case as it now is, with the campaign that it is about; a cause that care never did is kept without one. One trip.
pub(crate) async fn note_case(tx: &mut PgConnection, case: &CausedCase, now: Timestamp) -> Result<()> {
    let (touchpoint, campaign) = match &case.cause {
        Cause::Touchpoint(id) => (Some(id.as_uuid()), None),
        Cause::Campaign(code) => (None, Some(code.as_str())),
    };
    sqlx::query!(
        "INSERT INTO care.caused_cases AS k (estate_id, work_order_id, customer_id, unit_id, touchpoint_id, campaign_code, programme_code,
             kind, standing, case_time, update_time)
         SELECT $1, $2, $3, $4, $5, $6,
                CASE WHEN $5::uuid IS NOT NULL
                     THEN (SELECT nullif(t.document ->> 'programme_code', '') FROM care.touchpoints t WHERE t.estate_id = $1 AND t.id = $5)
                     ELSE (SELECT p.code FROM care.programmes p
                            WHERE p.code = $6 AND (p.estate_id = $1 OR p.estate_id IS NULL) AND p.state <> 'draft' LIMIT 1) END,
                $7, $8, $9, $10
         ON CONFLICT ON CONSTRAINT caused_cases_pkey DO UPDATE
            SET customer_id = EXCLUDED.customer_id, unit_id = EXCLUDED.unit_id, touchpoint_id = EXCLUDED.touchpoint_id,
                campaign_code = EXCLUDED.campaign_code, kind = EXCLUDED.kind, standing = EXCLUDED.standing,
                case_time = EXCLUDED.case_time, update_time = EXCLUDED.update_time,
                -- The touchpoint may be forgotten by now.
                programme_code = CASE WHEN (k.touchpoint_id, k.campaign_code) IS NOT DISTINCT FROM
                                           (EXCLUDED.touchpoint_id, EXCLUDED.campaign_code)
                                      THEN coalesce(k.programme_code, EXCLUDED.programme_code) ELSE EXCLUDED.programme_code END
         -- unscoped: a fact of another service names the estate",
        case.estate_id.as_uuid(),
        case.id.as_uuid(),
        case.customer_id.map(CustomerId::as_uuid),
        case.unit_id.map(UnitId::as_uuid),
        touchpoint,
        campaign,
        case.kind,
        case.standing.as_str(),
        case.case_time.to_sqlx() as jiff_sqlx::Timestamp,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// The case names nothing that care did any more. One trip.
pub(crate) async fn forget_case(tx: &mut PgConnection, estate: EstateId, id: WorkOrderId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM care.caused_cases WHERE estate_id = $1 AND work_order_id = $2
         -- unscoped: a fact of another service names the estate",
        estate.as_uuid(),
        id.as_uuid(),
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// Customers whom a campaign, or any, reached in the period, and which of them have complained of it by the end of what is laid to it:
/// themselves, or somebody of their home, from the moment on that it was due at them (F-05c). Complaints that count for nobody come
/// with their reason. `until` is the end for each stretch. One trip.
pub(crate) async fn complained(db: impl PgExecutor<'_>, stretches: &[Stretch], until: &[Timestamp], programme: &str) -> Result<Rows> {
    let (estates, starts, ends) = Stretch::columns(stretches);
    let until: Vec<jiff_sqlx::Timestamp> = until.iter().map(|end| end.to_sqlx()).collect();
    let rows = sqlx::query!(
        r#"WITH asked AS (
               SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[])
                          AS s(estate_id, start_time, end_time, until_time)
           ), reached AS (
               SELECT t.estate_id, (t.document ->> 'customer_id')::uuid AS customer_id, (t.document ->> 'unit_id')::uuid AS unit_id,
                      t.document ->> 'programme_code' AS code, min(t.sort_time) AS since, min(t.mark_time) AS at, s.until_time
                 FROM asked s
                 JOIN care.touchpoints t ON t.estate_id = s.estate_id AND t.state = 'confirmed'
                                        AND t.mark_time >= s.start_time AND t.mark_time < s.end_time
                WHERE t.document ->> 'programme_code' <> '' AND ($5 = '' OR t.document ->> 'programme_code' = $5)
                  AND t.document ->> 'customer_id' IS NOT NULL
                GROUP BY 1, 2, 3, 4, s.until_time
           ), cases AS (
               SELECT c.*, s.start_time, c.standing = ANY ($6::text[]) AS counts
                 FROM asked s
                 JOIN care.caused_cases c ON c.estate_id = s.estate_id AND c.kind = 'complaint' AND c.programme_code IS NOT NULL
                                         AND c.case_time < s.until_time
                WHERE $5 = '' OR c.programme_code = $5
           ), laid AS (
               SELECT r.estate_id, r.customer_id, r.at, c.work_order_id
                 FROM reached r
                 LEFT JOIN cases c ON c.estate_id = r.estate_id AND c.programme_code = r.code AND c.counts AND c.case_time >= r.since
                                  AND (c.customer_id = r.customer_id OR c.unit_id = r.unit_id)
           )
           SELECT l.estate_id AS "estate_id!", 'customer' AS "kind!", l.customer_id AS "id!", min(l.at) AS "at!",
                  CASE WHEN count(l.work_order_id) > 0 THEN 'complained' ELSE 'delivered' END AS "reason!"
             FROM laid l GROUP BY l.estate_id, l.customer_id
           UNION ALL
           SELECT c.estate_id, 'work_order', c.work_order_id, c.case_time, CASE WHEN c.counts THEN 'not_delivered' ELSE c.standing END
             FROM cases c
            WHERE c.case_time >= c.start_time
              AND NOT EXISTS (SELECT FROM laid l WHERE l.estate_id = c.estate_id AND l.work_order_id = c.work_order_id)"#,
        &estates,
        &starts as _,
        &ends as _,
        &until as _,
        programme,
        &complaining_standings(),
    )
    .fetch_all(db)
    .await
    .store()?;
    let mut all = Rows::new();
    for row in rows {
        let is_customer = row.kind == "customer";
        all.entry(row.estate_id).or_default().push(Row {
            kind: if is_customer { "customer" } else { "work_order" },
            id: row.id,
            at: row.at.to_jiff(),
            in_numerator: row.reason == "complained",
            in_denominator: is_customer,
            reason: row.reason,
            detail: Detail::default(),
        });
    }
    Ok(all)
}
