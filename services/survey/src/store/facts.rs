//! Reading what figures are counted from, of many estates at once. Each query reads one range of one index per estate: the rows of
//! its stretch and no others. `OFFSET 0` keeps Postgres to it, estate by estate, where it would rather read a table once than ask it
//! often.

use futures::{Stream, StreamExt, TryStreamExt};
use jiff::Timestamp;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::EstateId;
use steward_kit_store::StoreResult;
use steward_kit_store::rollups::Stretch;
use uuid::Uuid;

use super::{at, code, maybe_of};
use crate::domain::Answer;
use crate::domain::codes::{FeedbackState, Mode};
use crate::domain::figures::{ItemRow, PlanRow, Row, WaveSheet};
use crate::domain::ids::{QuestionnaireVersionId, WaveId};

/// A wave that counts, and by which instruments it and the one that it is compared with were asked.
#[derive(Clone, Debug)]
pub(crate) struct WaveFacts {
    pub(crate) estate: EstateId,
    pub(crate) sheet: WaveSheet,
    pub(crate) version: QuestionnaireVersionId,
    pub(crate) baseline_version: Option<QuestionnaireVersionId>,
}

/// Waves that were launched in the stretches, in that order, with their numbers; standing ones only of these programmes: there is
/// one a month for each occasion, and nobody but who names its programme counts it. One trip.
pub(crate) async fn list_waves(db: impl PgExecutor<'_>, stretches: &[Stretch], programmes: &[String]) -> Result<Vec<WaveFacts>> {
    let (estates, starts, ends) = Stretch::columns(stretches);
    let rows = sqlx::query!(
        r#"SELECT w.estate_id, w.id, w.body ->> 'programme_code' AS "programme!", w.is_standing AS "is_standing!",
                  w.body ->> 'under_sample_reason' IS NOT NULL AS "is_under_sample!", (w.body ->> 'version_id')::uuid AS "version!",
                  b.id AS "baseline?", (b.body ->> 'version_id')::uuid AS baseline_version,
                  (SELECT count(*) FROM survey.frame_members f
                    WHERE f.estate_id = w.estate_id AND f.wave_id = w.id AND f.verdict <> 'excluded') AS "eligible!",
                  (SELECT count(*) FROM survey.invitations i WHERE i.estate_id = w.estate_id AND i.wave_id = w.id) AS "invited!"
             -- unscoped: a stretch is of an estate that the caller was found to have
             FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS p (estate_id, start_time, end_time, place)
            CROSS JOIN LATERAL (
                SELECT o.*, survey.instant(o.body ->> 'launch_time') AS launch_time,
                       coalesce((o.body ->> 'is_standing')::boolean, false) AS is_standing
                  FROM survey.waves o
                 WHERE o.estate_id = p.estate_id AND survey.instant(o.body ->> 'launch_time') >= p.start_time
                   AND survey.instant(o.body ->> 'launch_time') < p.end_time AND o.state IN ('launched', 'closed', 'archived')
                OFFSET 0) w
             LEFT JOIN survey.waves b ON b.estate_id = w.estate_id AND b.id = (w.body #>> '{design,pair_wave_id}')::uuid
            WHERE NOT w.is_standing OR w.body ->> 'programme_code' = ANY($4)
            ORDER BY p.place, w.launch_time, w.id"#,
        &estates,
        &starts as &[jiff_sqlx::Timestamp],
        &ends as &[jiff_sqlx::Timestamp],
        programmes,
    )
    .fetch_all(db)
    .await
    .store()?;
    let read = rows.into_iter().map(|row| {
        let sheet = WaveSheet {
            id: row.id.into(),
            programme: row.programme,
            is_standing: row.is_standing,
            is_under_sample: row.is_under_sample,
            eligible: row.eligible,
            invited: row.invited,
            baseline: row.baseline.map(WaveId::from),
        };
        let baseline_version = row.baseline_version.map(Into::into);
        WaveFacts { estate: row.estate_id.into(), sheet, version: row.version.into(), baseline_version }
    });
    Ok(read.collect())
}

/// The valid responses of waves, one by one, each with its estate and wave and without what was written freely. One trip.
pub(crate) fn stream_rows<'a>(
    db: &'a mut PgConnection,
    waves: &'a [(EstateId, WaveId)],
) -> impl Stream<Item = Result<(EstateId, WaveId, Row)>> + 'a {
    let estates: Vec<Uuid> = waves.iter().map(|(estate, _)| estate.as_uuid()).collect();
    let waves: Vec<Uuid> = waves.iter().map(|(_, wave)| wave.as_uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT r.estate_id, r.wave_id, r.id, r.receive_time, r.mode, r.design_weight, r.answers AS "answers!: Json<Vec<Answer>>"
             -- unscoped: waves are of estates that the caller was found to have
             FROM unnest($1::uuid[], $2::uuid[]) AS w (estate_id, wave_id)
            CROSS JOIN LATERAL (
                SELECT estate_id, wave_id, id, receive_time, mode, design_weight, body -> 'answers' AS answers FROM survey.responses
                 WHERE estate_id = w.estate_id AND wave_id = w.wave_id AND verdict = 'valid' ORDER BY receive_time DESC, id DESC
                OFFSET 0) r"#,
        &estates,
        &waves,
    )
    .fetch(db);
    rows.map(|row| {
        let row = row.store()?;
        let (mode, at) = (code(Mode::parse(&row.mode), "mode")?, row.receive_time.to_jiff());
        let read = Row { id: row.id, at, mode, weight: row.design_weight, answers: row.answers.0 };
        Ok((row.estate_id.into(), row.wave_id.into(), read))
    })
}

/// The valid responses of one wave, newest first. One trip.
pub(crate) async fn list_rows(db: &mut PgConnection, estate: EstateId, wave: WaveId) -> Result<Vec<Row>> {
    stream_rows(db, &[(estate, wave)]).map_ok(|(_, _, row)| row).try_collect().await
}

/// `SELECT` of records of a table that something happened to in the stretches: the instant that stands in the body, what else must
/// hold, and what is asked of each.
macro_rules! select_facts {
    ($table:tt, $instant:tt, $also:tt, $asked:tt, $db:expr, $stretches:expr) => {{
        let (estates, starts, ends) = Stretch::columns($stretches);
        sqlx::query!(
            r#"SELECT r.estate_id, r.id, survey.instant(r.body ->> '"#
                + $instant
                + r#"') AS "at!", "#
                + $asked
                + r#" -- unscoped: a stretch is of an estate that the caller was found to have
                      FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS p (estate_id, start_time, end_time)
                     CROSS JOIN LATERAL (
                         SELECT * FROM survey."#
                + $table
                + r#" f WHERE f.estate_id = p.estate_id AND survey.instant(f.body ->> '"#
                + $instant
                + r#"') >= p.start_time AND survey.instant(f.body ->> '"#
                + $instant
                + r#"') < p.end_time AND "#
                + $also
                + r#" OFFSET 0) r"#,
            &estates,
            &starts as &[jiff_sqlx::Timestamp],
            &ends as &[jiff_sqlx::Timestamp],
        )
        .fetch_all($db)
        .await
        .store()?
    }};
}

/// The same of feedback.
macro_rules! select_items {
    ($instant:tt, $also:tt, $db:expr, $stretches:expr) => {{
        let asked = select_facts!(
            "feedback_items",
            $instant,
            $also,
            r#"r.state, survey.instant(r.body ->> 'collate_time') AS collate_time"#,
            $db,
            $stretches
        );
        let read = asked.into_iter().map(|row| {
            let (state, collate_time) = (code(FeedbackState::parse(&row.state), "state")?, maybe_of(row.collate_time));
            Ok((row.estate_id.into(), ItemRow { id: row.id, at: row.at.to_jiff(), state, collate_time }))
        });
        read.collect()
    }};
}

/// Feedback assessed in the stretches. One trip.
pub(crate) async fn list_assessed(db: impl PgExecutor<'_>, stretches: &[Stretch]) -> Result<Vec<(EstateId, ItemRow)>> {
    select_items!("assess_time", "f.state <> 'new'", db, stretches)
}

/// Feedback whose collation was due in the stretches. One trip.
pub(crate) async fn list_collating(db: impl PgExecutor<'_>, stretches: &[Stretch]) -> Result<Vec<(EstateId, ItemRow)>> {
    select_items!("collate_due_time", "true", db, stretches)
}

/// The same of plans.
macro_rules! select_plans {
    ($instant:tt, $also:tt, $db:expr, $stretches:expr) => {{
        let asked = select_facts!(
            "improvement_plans",
            $instant,
            $also,
            r#"(r.body #>> '{effect,difference_millionths}')::bigint AS difference"#,
            $db,
            $stretches
        );
        let read =
            asked.into_iter().map(|row| (row.estate_id.into(), PlanRow { id: row.id, at: row.at.to_jiff(), difference: row.difference }));
        Ok(read.collect())
    }};
}

/// Plans whose last measure was done in the stretches. One trip.
pub(crate) async fn list_implemented(db: impl PgExecutor<'_>, stretches: &[Stretch]) -> Result<Vec<(EstateId, PlanRow)>> {
    select_plans!("implement_time", "f.state <> 'cancelled'", db, stretches)
}

/// Plans whose effect became known in the stretches. One trip.
pub(crate) async fn list_verified(db: impl PgExecutor<'_>, stretches: &[Stretch]) -> Result<Vec<(EstateId, PlanRow)>> {
    select_plans!("end_time", "f.state = 'verified'", db, stretches)
}

/// Rounds of interviews held in the stretches: one a wave, and one for those of none (SV-20). One trip.
pub(crate) async fn count_interview_rounds(db: impl PgExecutor<'_>, stretches: &[Stretch]) -> Result<Vec<(EstateId, i64)>> {
    let (estates, starts, ends) = Stretch::columns(stretches);
    let rows = sqlx::query!(
        r#"SELECT p.estate_id AS "estate_id!", r.rounds AS "rounds!"
             -- unscoped: a stretch is of an estate that the caller was found to have
             FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS p (estate_id, start_time, end_time)
            CROSS JOIN LATERAL (
                SELECT count(DISTINCT coalesce(s.parent_id, s.estate_id)) AS rounds FROM survey.sessions s
                 WHERE s.estate_id = p.estate_id AND s.state = 'held' AND s.body ->> 'kind' = 'interview'
                   AND survey.instant(s.body ->> 'hold_time') >= p.start_time
                   AND survey.instant(s.body ->> 'hold_time') < p.end_time) r"#,
        &estates,
        &starts as &[jiff_sqlx::Timestamp],
        &ends as &[jiff_sqlx::Timestamp],
    )
    .fetch_all(db)
    .await
    .store()?;
    Ok(rows.into_iter().map(|row| (row.estate_id.into(), row.rounds)).collect())
}

/// How many waves of an estate were launched between two instants, and what they cost, in fen (SV-50). One trip.
pub(crate) async fn sum_wave_costs(db: impl PgExecutor<'_>, estate: ScopedEstate, span: (Timestamp, Timestamp)) -> Result<(i64, i64)> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "waves!", coalesce(sum((body ->> 'cost_fen')::bigint), 0)::bigint AS "cost!" FROM survey.waves
            WHERE estate_id = $1 AND survey.instant(body ->> 'launch_time') >= $2 AND survey.instant(body ->> 'launch_time') < $3"#,
        estate.as_uuid(),
        at(span.0) as jiff_sqlx::Timestamp,
        at(span.1) as jiff_sqlx::Timestamp,
    )
    .fetch_one(db)
    .await
    .store()?;
    Ok((row.waves, row.cost))
}
