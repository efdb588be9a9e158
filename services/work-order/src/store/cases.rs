//! The cases behind a cell of the analysis, and which hot spots were told.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::{UnitId, WorkOrderId};
use steward_kit::metric::{Entry, Standing};
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use steward_kit_store::rollups::Stretch;
use uuid::Uuid;

use super::row::code;
use crate::domain::analysis::{CaseSlice, Hotspot, HotspotRule};
use crate::domain::{Channel, Kind};

/// A case as a list of the analysis shows it.
#[derive(Clone, Debug)]
pub(crate) struct CaseEntry {
    pub(crate) order: WorkOrderId,
    pub(crate) number: String,
    pub(crate) kind: Kind,
    pub(crate) category: String,
    pub(crate) channel: Channel,
    pub(crate) occur_time: Timestamp,
    pub(crate) unit: Option<UnitId>,
    pub(crate) building: String,
}

/// Place of a case in that list: oldest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct CaseEntryKey {
    occur_time: Timestamp,
    order: WorkOrderId,
}

impl CaseEntryKey {
    /// The place of a case.
    pub(crate) fn of(case: &CaseEntry) -> Self {
        Self { occur_time: case.occur_time, order: case.order }
    }
}

/// Cases of a stretch that a slice has, oldest first. One trip; reads of one index what is left of the stretch.
pub(crate) async fn list_cases(
    db: impl PgExecutor<'_>,
    stretch: &Stretch,
    zone: &str,
    slice: &CaseSlice,
    page: &PageRequest<CaseEntryKey>,
) -> Result<Vec<CaseEntry>> {
    let counted = Standing::ALL.into_iter().filter(|standing| standing.in_handled_rate() == Entry::Counts);
    let standings: Vec<String> = counted.map(|standing| standing.as_str().to_owned()).collect();
    let hours: Vec<i32> = slice.hours.iter().copied().map(i32::from).collect();
    let weekdays: Vec<i32> = slice.weekdays.iter().copied().map(i32::from).collect();
    let kinds: Vec<String> = slice.kinds.iter().map(ToString::to_string).collect();
    let channels: Vec<String> = slice.channels.iter().map(ToString::to_string).collect();
    let rows = sqlx::query!(
        r#"SELECT f.work_order_id, f.number, f.kind, f.category, f.channel, f.occur_time AS "occur_time: jiff_sqlx::Timestamp", f.unit_id,
                  coalesce(u.building_code, '') AS "building!"
             -- unscoped: a stretch is of an estate that the caller was found to have
             FROM work_order.case_facts f
             LEFT JOIN work_order.units u ON u.estate_id = f.estate_id AND u.id = f.unit_id
            WHERE f.estate_id = $1 AND f.occur_time >= $2 AND f.occur_time < $3 AND f.cycle = 1 AND f.standing = ANY($4)
              AND (cardinality($5::text[]) = 0 OR f.kind = ANY($5))
              AND (cardinality($6::text[]) = 0 OR EXISTS (
                      SELECT FROM unnest($6) AS b (branch) WHERE f.category = b.branch OR starts_with(f.category, b.branch || '.')))
              AND (cardinality($7::int[]) = 0 OR extract(hour FROM f.occur_time AT TIME ZONE $10::text) = ANY($7))
              AND (cardinality($8::int[]) = 0 OR extract(isodow FROM f.occur_time AT TIME ZONE $10) = ANY($8))
              AND (cardinality($9::text[]) = 0 OR f.channel = ANY($9))
              AND (cardinality($11::text[]) = 0 OR coalesce(u.building_code, '') = ANY($11))
              AND ($12::timestamptz IS NULL OR (f.occur_time, f.work_order_id) > ($12, $13::uuid))
            ORDER BY f.occur_time, f.work_order_id LIMIT $14"#,
        stretch.estate.as_uuid(),
        page.after.map_or(stretch.start, |key| key.occur_time.max(stretch.start)).to_sqlx() as jiff_sqlx::Timestamp,
        stretch.end.to_sqlx() as jiff_sqlx::Timestamp,
        &standings,
        &kinds,
        &slice.categories,
        &hours,
        &weekdays,
        &channels,
        zone,
        &slice.buildings,
        page.after.map(|key| key.occur_time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        page.after.map(|key| key.order.as_uuid()) as Option<Uuid>,
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    let read = rows.into_iter().map(|row| {
        Ok(CaseEntry {
            order: row.work_order_id.into(),
            number: row.number,
            kind: code(Kind::parse, &row.kind)?,
            category: row.category,
            channel: code(Channel::parse, &row.channel)?,
            occur_time: row.occur_time.to_jiff(),
            unit: row.unit_id.map(Into::into),
            building: row.building,
        })
    });
    read.collect()
}

/// Keeps which hot spots an estate has; says of each whether it is new. One trip.
pub(crate) async fn keep_hotspots(
    tx: &mut PgConnection,
    estate: ScopedEstate,
    found: &[(HotspotRule, Hotspot)],
    today: Date,
) -> Result<Vec<bool>> {
    #[derive(Serialize)]
    struct Spot<'a> {
        rule: &'a str,
        category: &'a str,
        building_code: &'a str,
    }
    let spots: Vec<Spot<'_>> =
        found.iter().map(|(rule, spot)| Spot { rule: &rule.code, category: &spot.category, building_code: &spot.building }).collect();
    let new = sqlx::query!(
        r#"WITH found AS (
               SELECT * FROM jsonb_to_recordset($2::jsonb) AS n(rule text, category text, building_code text)
           ), over AS (
               DELETE FROM work_order.hotspots h
                WHERE h.estate_id = $1 AND NOT EXISTS (
                      SELECT FROM found n WHERE n.rule = h.rule AND n.category = h.category AND n.building_code = h.building_code)
           )
           INSERT INTO work_order.hotspots (estate_id, rule, category, building_code, start_date)
           SELECT $1, n.rule, n.category, n.building_code, $3 FROM found n
           ON CONFLICT ON CONSTRAINT hotspots_pkey DO NOTHING
           RETURNING rule, category, building_code"#,
        estate.as_uuid(),
        Json(&spots) as _,
        today.to_sqlx() as jiff_sqlx::Date,
    )
    .fetch_all(tx)
    .await
    .store()?;
    let is_new = |spot: &Spot<'_>| {
        new.iter().any(|row| {
            (row.rule.as_str(), row.category.as_str(), row.building_code.as_str()) == (spot.rule, spot.category, spot.building_code)
        })
    };
    Ok(spots.iter().map(is_new).collect())
}
