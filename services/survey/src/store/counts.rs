//! How a wave goes, counted. The cost is that of the wave, whatever else there is.

use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::ids::EstateId;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::{code, count};
use crate::domain::codes::Mode;
use crate::domain::ids::WaveId;
use crate::domain::{Numbers, QuotaNumbers};

/// The numbers of a wave. One trip.
pub(crate) async fn load_numbers(db: impl PgExecutor<'_>, estate: EstateId, wave: WaveId) -> Result<Numbers> {
    let row = sqlx::query!(
        r#"SELECT f.eligible AS "eligible!", f.excluded AS "excluded!", f.sampled AS "sampled!", f.skipped AS "skipped!",
                  i.invited AS "invited!", i.delivered AS "delivered!", i.opened AS "opened!", i.started AS "started!",
                  r.responded AS "responded!", r.valid AS "valid!", r.invalid AS "invalid!", r.held AS "held!",
                  m.modes AS "modes!: Json<Vec<(String, i64, i64)>>", q.cells AS "cells!: Json<Vec<(String, i32, i32, i32)>>"
             FROM (SELECT count(*) FILTER (WHERE verdict <> 'excluded') AS eligible, count(*) FILTER (WHERE verdict = 'excluded') AS excluded,
                          count(*) FILTER (WHERE verdict = 'sampled') AS sampled, count(*) FILTER (WHERE verdict = 'skipped') AS skipped
                     FROM survey.frame_members WHERE estate_id = $1 AND wave_id = $2) AS f,
                  (SELECT count(*) AS invited, count(deliver_time) AS delivered, count(open_time) AS opened, count(start_time) AS started
                     FROM survey.invitations WHERE estate_id = $1 AND wave_id = $2) AS i,
                  (SELECT count(*) AS responded, count(*) FILTER (WHERE verdict = 'valid') AS valid,
                          count(*) FILTER (WHERE verdict IN ('invalid', 'over_quota')) AS invalid,
                          count(*) FILTER (WHERE verdict IN ('held', 'pending_entry')) AS held
                     FROM survey.responses WHERE estate_id = $1 AND wave_id = $2) AS r,
                  (SELECT coalesce(jsonb_agg(jsonb_build_array(mode, n, valid) ORDER BY mode), '[]') AS modes
                     FROM (SELECT mode, count(*) AS n, count(*) FILTER (WHERE verdict = 'valid') AS valid
                             FROM survey.responses WHERE estate_id = $1 AND wave_id = $2 GROUP BY mode) AS by_mode) AS m,
                  (SELECT coalesce(jsonb_agg(jsonb_build_array(stratum, target, filled, reserved) ORDER BY stratum), '[]') AS cells
                     FROM survey.quota_cells WHERE estate_id = $1 AND wave_id = $2) AS q"#,
        estate.as_uuid(),
        wave.as_uuid(),
    )
    .fetch_one(db)
    .await
    .store()?;
    let mode = |(mode, n, valid): (String, i64, i64)| Ok((code(Mode::parse(&mode), "mode")?, n, valid));
    let cell = |(stratum, target, filled, reserved): (String, i32, i32, i32)| {
        Ok(QuotaNumbers { stratum, target: count(target)?, filled: count(filled)?, reserved: count(reserved)? })
    };
    Ok(Numbers {
        eligible: row.eligible,
        excluded: row.excluded,
        sampled: row.sampled,
        skipped: row.skipped,
        invited: row.invited,
        delivered: row.delivered,
        opened: row.opened,
        started: row.started,
        responded: row.responded,
        valid: row.valid,
        invalid: row.invalid,
        held: row.held,
        modes: row.modes.0.into_iter().map(mode).collect::<Result<_>>()?,
        quotas: row.cells.0.into_iter().map(cell).collect::<Result<_>>()?,
    })
}

/// Improvement plans that rest on a wave. One trip.
pub(crate) async fn load_plan_ids(db: impl PgExecutor<'_>, estate: EstateId, wave: WaveId) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT improvement_plan_id FROM survey.plan_waves WHERE estate_id = $1 AND wave_id = $2 ORDER BY improvement_plan_id",
        estate.as_uuid(),
        wave.as_uuid(),
    )
    .fetch_all(db)
    .await
    .store()
}
