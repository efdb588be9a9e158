//! Feedback by topic, plans that rest on waves, and what reports need to know.

use jiff::Timestamp;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::EstateId;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::at;

/// Items of a period by topic, most first; those not coded under an empty topic. One trip.
pub(crate) async fn count_topics(
    db: impl PgExecutor<'_>,
    estate: ScopedEstate,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"SELECT coalesce(body ->> 'topic', '') AS "topic!", count(*) AS "count!" FROM survey.feedback_items
            WHERE estate_id = $1 AND sort_time >= $2 AND sort_time < $3 GROUP BY 1 ORDER BY 2 DESC, 1"#,
        estate.as_uuid(),
        at(from) as jiff_sqlx::Timestamp,
        at(until) as jiff_sqlx::Timestamp,
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| (row.topic, row.count)).collect())
}

/// Which of these are waves of the estate. One trip.
pub(crate) async fn list_known_waves(db: impl PgExecutor<'_>, estate: ScopedEstate, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!("SELECT id FROM survey.waves WHERE estate_id = $1 AND id = ANY($2)", estate.as_uuid(), ids)
        .fetch_all(db)
        .await
        .store()
}

/// Lays down on which waves a plan rests. On the transaction of its change.
pub(crate) async fn set_plan_waves(tx: &mut PgConnection, estate: EstateId, plan: Uuid, waves: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "WITH dropped AS (
             DELETE FROM survey.plan_waves WHERE estate_id = $1 AND improvement_plan_id = $2 AND wave_id <> ALL($3)
         )
         INSERT INTO survey.plan_waves (estate_id, wave_id, improvement_plan_id) SELECT $1, w, $2 FROM unnest($3::uuid[]) AS w
         ON CONFLICT ON CONSTRAINT plan_waves_pkey DO NOTHING",
        estate.as_uuid(),
        plan,
        waves,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// Waves of an estate closed between two instants. One trip.
pub(crate) async fn list_closed_waves(db: impl PgExecutor<'_>, estate: EstateId, from: Timestamp, until: Timestamp) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT id FROM survey.waves
          WHERE estate_id = $1 AND state IN ('closed', 'archived') AND survey.instant(body ->> 'close_time') >= $2
            AND survey.instant(body ->> 'close_time') < $3 ORDER BY id",
        estate.as_uuid(),
        at(from) as jiff_sqlx::Timestamp,
        at(until) as jiff_sqlx::Timestamp,
    )
    .fetch_all(db)
    .await
    .store()
}

/// Which of these reports are there. One trip.
pub(crate) async fn list_present_reports(db: impl PgExecutor<'_>, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!("SELECT id FROM survey.reports WHERE id = ANY($1) -- unscoped: the reporter works for every estate", ids)
        .fetch_all(db)
        .await
        .store()
}

/// How often each option was chosen in a wave's valid responses, and each need named in its sessions. One trip.
pub(crate) async fn rank_needs(db: impl PgExecutor<'_>, estate: EstateId, wave: Uuid, top: i64) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"SELECT code AS "code!", sum(n)::bigint AS "count!"
             FROM (SELECT t ->> 'code' AS code, (t ->> 'mentions')::bigint AS n
                     FROM survey.sessions s, jsonb_array_elements(s.body -> 'themes') AS t
                    WHERE s.estate_id = $1 AND s.parent_id = $2 AND s.state = 'held'
                    UNION ALL
                   SELECT chosen.code, 1
                     FROM survey.responses r, jsonb_array_elements(r.body -> 'answers') AS a,
                          jsonb_array_elements_text(a #> '{value,choices}') AS chosen(code)
                    WHERE r.estate_id = $1 AND r.wave_id = $2 AND r.verdict = 'valid') AS named
            GROUP BY code ORDER BY 2 DESC, 1 LIMIT $3"#,
        estate.as_uuid(),
        wave,
        top,
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| (row.code, row.count)).collect())
}
