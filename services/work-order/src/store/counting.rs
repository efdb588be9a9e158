//! Orders whose clocks count by a calendar, for the recomputation after it was loaded.

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use steward_kit::auth::Scope;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;
use uuid::Uuid;

use crate::domain::CalendarLoaded;

/// Orders of these estates behind `after` that have a clock which may count by what was loaded, in order of estate and id.
/// A year reaches from the December before it; the day more on either side is for the zones of estates.
pub(crate) async fn list_counting(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    loaded: &CalendarLoaded,
    estates: &[Uuid],
    after: Option<(Uuid, Uuid)>,
    limit: i64,
) -> Result<Vec<(Uuid, Uuid)>> {
    let (window, hours) = match loaded {
        CalendarLoaded::Year(year) => (Some((midnight(year - 1, 11, 30)?, midnight(year + 1, 1, 2)?)), None),
        CalendarLoaded::Hours(name) => (None, Some(name.as_str())),
    };
    let rows = sqlx::query!(
        "SELECT DISTINCT estate_id, work_order_id FROM work_order.clocks
          WHERE state <> 'void' AND estate_id = ANY($3)
            AND ($4::uuid[] IS NULL OR estate_id = ANY($4))
            AND ($1::uuid IS NULL OR (estate_id, work_order_id) > ($1, $2))
            AND (($5::text IS NULL AND clock ->> 'limit' ~ '(wd|@[a-z0-9_]+)$'
                  AND start_time < $7 AND (due_time IS NULL OR due_time >= $6))
                 OR split_part(clock ->> 'limit', '@', 2) = $5)
          ORDER BY estate_id, work_order_id LIMIT $8",
        after.map(|(estate, _)| estate),
        after.map(|(_, order)| order) as Option<Uuid>,
        estates,
        scope.estates() as Option<Vec<Uuid>>,
        hours,
        window.map(|(from, _)| from.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        window.map(|(_, to)| to.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        limit,
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| (row.estate_id, row.work_order_id)).collect())
}

fn midnight(year: i16, month: i8, day: i8) -> Result<Timestamp> {
    TimeZone::UTC.to_timestamp(date(year, month, day).at(0, 0, 0, 0)).map_err(Error::internal)
}
