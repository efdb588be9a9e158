//! Frames: who was eligible, drawn, skipped, and why. Each batch of a job is one guarded statement: a job that was paused,
//! cancelled or taken up elsewhere writes nothing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::paging::PageRequest;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::{at, code, column, count};
use crate::domain::codes::FrameVerdict;
use crate::domain::{FrameJob, Quota, Wave};

/// A household of a frame.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) household: Uuid,
    pub(crate) unit: Uuid,
    pub(crate) customer: Option<Uuid>,
    pub(crate) verdict: FrameVerdict,
    pub(crate) reason: String,
    pub(crate) stratum: String,
    pub(crate) position: u32,
    pub(crate) weight: i64,
}

/// Place of a household in a frame's list.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct MemberKey(pub(crate) Uuid);

#[derive(Serialize)]
struct MemberRow<'a> {
    household_id: Uuid,
    unit_id: Uuid,
    customer_id: Option<Uuid>,
    verdict: &'static str,
    reason_code: &'a str,
    stratum: &'a str,
    draw_position: u32,
    design_weight: i64,
    invitation_id: Option<Uuid>,
}

/// Jobs that are at work, oldest first. One trip.
pub(crate) async fn list_running(db: impl PgExecutor<'_>, limit: i64) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT id FROM survey.frame_jobs WHERE state = 'running' ORDER BY sort_time, id LIMIT $1
         -- unscoped: the framer works for every estate",
        limit,
    )
    .fetch_all(db)
    .await
    .store()
}

/// Drops what an earlier job of the wave read. Part of a job's first batch.
pub(crate) async fn clear_frame(tx: &mut PgConnection, job: &FrameJob) -> Result<()> {
    sqlx::query!("DELETE FROM survey.frame_members WHERE estate_id = $1 AND wave_id = $2", job.estate_id.as_uuid(), job.wave_id.as_uuid(),)
        .execute(tx)
        .await
        .store()?;
    Ok(())
}

/// Writes a page that was read, and how far the job is; false when the job is not what it was. One trip.
pub(crate) async fn save_page(
    db: impl PgExecutor<'_>,
    job: &FrameJob,
    row_version: i64,
    members: &[Member],
    now: Timestamp,
) -> Result<bool> {
    let rows: Vec<MemberRow<'_>> = members.iter().map(|member| row(member, None)).collect();
    sqlx::query_scalar!(
        r#"WITH updated AS (
               UPDATE survey.frame_jobs SET body = $4, update_time = $5, row_version = row_version + 1
                WHERE estate_id = $1 AND id = $2 AND row_version = $3 AND state = 'running'
            RETURNING estate_id, parent_id
           ), added AS (
               INSERT INTO survey.frame_members (estate_id, wave_id, household_id, unit_id, customer_id, verdict, reason_code, stratum,
                   draw_position, design_weight)
               SELECT u.estate_id, u.parent_id, m.household_id, m.unit_id, m.customer_id, m.verdict, m.reason_code, m.stratum,
                      m.draw_position, m.design_weight
                 FROM updated u, jsonb_to_recordset($6::jsonb)
                   AS m(household_id uuid, unit_id uuid, customer_id uuid, verdict text, reason_code text, stratum text,
                        draw_position integer, design_weight bigint)
               ON CONFLICT ON CONSTRAINT frame_members_pkey DO NOTHING
           )
           SELECT EXISTS (SELECT FROM updated) AS "written!""#,
        job.estate_id.as_uuid(),
        job.id.as_uuid(),
        row_version,
        Json(job) as _,
        at(now) as jiff_sqlx::Timestamp,
        Json(&rows) as _,
    )
    .fetch_one(db)
    .await
    .store()
}

/// Writes what became of households that were drawn or checked, and how far the job is; false when it is not what it was.
pub(crate) async fn save_verdicts(
    db: impl PgExecutor<'_>,
    job: &FrameJob,
    row_version: i64,
    members: &[(Member, Option<Uuid>)],
    now: Timestamp,
) -> Result<bool> {
    let rows: Vec<MemberRow<'_>> = members.iter().map(|(member, invitation)| row(member, *invitation)).collect();
    sqlx::query_scalar!(
        r#"WITH updated AS (
               UPDATE survey.frame_jobs SET body = $4, update_time = $5, row_version = row_version + 1
                WHERE estate_id = $1 AND id = $2 AND row_version = $3 AND state = 'running'
            RETURNING estate_id, parent_id
           ), judged AS (
               UPDATE survey.frame_members f
                  SET verdict = m.verdict, reason_code = m.reason_code, draw_position = m.draw_position,
                      design_weight = m.design_weight, invitation_id = m.invitation_id
                 FROM updated u, jsonb_to_recordset($6::jsonb)
                   AS m(household_id uuid, verdict text, reason_code text, draw_position integer, design_weight bigint,
                        invitation_id uuid)
                WHERE f.estate_id = u.estate_id AND f.wave_id = u.parent_id AND f.household_id = m.household_id
           )
           SELECT EXISTS (SELECT FROM updated) AS "written!" -- unscoped: the job was read, and guards what is written"#,
        job.estate_id.as_uuid(),
        job.id.as_uuid(),
        row_version,
        Json(job) as _,
        at(now) as jiff_sqlx::Timestamp,
        Json(&rows) as _,
    )
    .fetch_one(db)
    .await
    .store()
}

/// Ends a job, and with it frames its wave and lays out its quotas; false when either is not what it was. On a transaction.
#[expect(clippy::too_many_arguments, reason = "one statement that writes everything that belongs together")]
pub(crate) async fn finish(
    tx: &mut PgConnection,
    job: &FrameJob,
    job_version: i64,
    wave: &Wave,
    wave_version: i64,
    quotas: &[Quota],
    effects: &Effects,
    now: Timestamp,
) -> Result<bool> {
    let (strata, targets): (Vec<String>, Vec<i32>) = quotas
        .iter()
        .map(|quota| column(quota.target).map(|target| (quota.stratum.clone(), target)))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .unzip();
    let written = sqlx::query_scalar!(
        r#"WITH updated AS (
               UPDATE survey.frame_jobs SET state = $4, body = $5, update_time = $6, row_version = row_version + 1
                WHERE estate_id = $1 AND id = $2 AND row_version = $3 AND state = 'running'
            RETURNING estate_id
           ), framed AS (
               UPDATE survey.waves w SET state = $9, body = $10, update_time = $6, row_version = w.row_version + 1
                 FROM updated u WHERE w.estate_id = u.estate_id AND w.id = $7 AND w.row_version = $8
            RETURNING w.estate_id, w.id
           ), cells AS (
               INSERT INTO survey.quota_cells (estate_id, wave_id, stratum, target, filled, reserved)
               SELECT f.estate_id, f.id, q.stratum, q.target, 0, 0 FROM framed f, unnest($11::text[], $12::integer[]) AS q(stratum, target)
           )
           SELECT (SELECT survey.write_effects($13) FROM framed)::text IS NOT NULL AS "written!" -- unscoped: job and wave were read"#,
        job.estate_id.as_uuid(),
        job.id.as_uuid(),
        job_version,
        job.state.as_str(),
        Json(job) as _,
        at(now) as jiff_sqlx::Timestamp,
        wave.id.as_uuid(),
        wave_version,
        wave.state.as_str(),
        Json(wave) as _,
        &strata,
        &targets,
        effects.json(now),
    )
    .fetch_one(tx)
    .await
    .store()?;
    Ok(written)
}

struct Read {
    household_id: Uuid,
    unit_id: Uuid,
    customer_id: Option<Uuid>,
    verdict: String,
    reason_code: String,
    stratum: String,
    draw_position: i32,
    design_weight: i64,
}

impl Read {
    fn member(self) -> Result<Member> {
        Ok(Member {
            household: self.household_id,
            unit: self.unit_id,
            customer: self.customer_id,
            verdict: code(FrameVerdict::parse(&self.verdict), "verdict")?,
            reason: self.reason_code,
            stratum: self.stratum,
            position: count(self.draw_position)?,
            weight: self.design_weight,
        })
    }
}

macro_rules! select_members {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Read,
            "SELECT household_id, unit_id, customer_id, verdict, reason_code, stratum, draw_position, design_weight
               FROM survey.frame_members WHERE " + $which
            $(, $argument)*
        )
    };
}

/// The eligible households of a wave, by id: what is drawn from. One trip.
pub(crate) async fn load_eligible(db: impl PgExecutor<'_>, job: &FrameJob) -> Result<Vec<Member>> {
    let rows = select_members!(
        "estate_id = $1 AND wave_id = $2 AND verdict <> 'excluded' ORDER BY household_id",
        job.estate_id.as_uuid(),
        job.wave_id.as_uuid(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(Read::member).collect()
}

/// The next candidates of a draw. One trip.
pub(crate) async fn load_candidates(db: impl PgExecutor<'_>, job: &FrameJob, limit: i64) -> Result<Vec<Member>> {
    let rows = select_members!(
        "estate_id = $1 AND wave_id = $2 AND draw_position > $3 ORDER BY draw_position LIMIT $4",
        job.estate_id.as_uuid(),
        job.wave_id.as_uuid(),
        job.checked,
        limit,
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(Read::member).collect()
}

/// Households of a frame, by id. One trip.
pub(crate) async fn list_members(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    wave: &Wave,
    verdict: Option<FrameVerdict>,
    page: &PageRequest<MemberKey>,
) -> Result<Vec<Member>> {
    let rows = select_members!(
        "estate_id = $1 AND wave_id = $2 AND ($3::uuid[] IS NULL OR estate_id = ANY($3)) AND ($4::text IS NULL OR verdict = $4)
           AND ($5::uuid IS NULL OR household_id > $5) ORDER BY household_id LIMIT $6",
        wave.estate_id.as_uuid(),
        wave.id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
        verdict.map(FrameVerdict::as_str),
        page.after.map(|key| key.0),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(Read::member).collect()
}

fn row(member: &Member, invitation: Option<Uuid>) -> MemberRow<'_> {
    MemberRow {
        household_id: member.household,
        unit_id: member.unit,
        customer_id: member.customer,
        verdict: member.verdict.as_str(),
        reason_code: &member.reason,
        stratum: &member.stratum,
        draw_position: member.position,
        design_weight: member.weight,
        invitation_id: invitation,
    }
}
