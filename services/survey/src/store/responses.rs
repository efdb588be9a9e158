//! Answers. Taking one in is two statements: [`enter`] reads everything the rules ask about, [`insert_response`] writes the
//! response with all that follows, or nothing: who was faster, a full quota and a household that counts already make it void.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::auth::Scope;
use steward_kit::crypto::FieldCipher;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::{at, code, column, count, maybe_at, texts};
use crate::domain::codes::{InvitationState, Mode, Verdict};
use crate::domain::ids::{ResponseId, WaveId};
use crate::domain::{Answer, EntryCheck, Finding, Response, Revision, Wave};

/// The constraint that refuses a second response of one id.
pub(crate) const ID_TAKEN: &str = "response_keys_pkey";
/// The constraint that refuses a paper that was entered already.
pub(crate) const SOURCE_TAKEN: &str = "response_keys_source_ref_key";
/// The constraint that lets one response of a household count.
pub(crate) const HOUSEHOLD_COUNTED: &str = "participants_pkey";

/// What a row's `body` holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) answers: Vec<Answer>,
    findings: Vec<Finding>,
    enterer: Option<String>,
    source_ref: Option<String>,
    entry_check: Option<EntryCheck>,
    start_time: Option<Timestamp>,
}

impl Body {
    pub(super) fn of(response: &Response) -> Self {
        Self {
            answers: response.answers.clone(),
            findings: response.findings.clone(),
            enterer: response.enterer.clone(),
            source_ref: response.source_ref.clone(),
            entry_check: response.entry_check.clone(),
            start_time: response.start_time,
        }
    }
}

pub(super) struct Row {
    id: Uuid,
    estate_id: Uuid,
    wave_id: Uuid,
    invitation_id: Option<Uuid>,
    household_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    mode: String,
    verdict: String,
    stratum: String,
    design_weight: i64,
    revision: i32,
    body: Json<Body>,
    texts: Vec<u8>,
    device_mark: Option<Vec<u8>>,
    occur_time: jiff_sqlx::Timestamp,
    receive_time: jiff_sqlx::Timestamp,
    row_version: i64,
}

impl Row {
    pub(super) fn read(self, cipher: &FieldCipher) -> Result<Response> {
        let mut body = self.body.0;
        texts::open_answers(cipher, self.id, &self.texts, &mut body.answers)?;
        Ok(Response {
            id: self.id.into(),
            estate_id: self.estate_id.into(),
            wave_id: self.wave_id.into(),
            invitation_id: self.invitation_id.map(Into::into),
            household_id: self.household_id.map(Into::into),
            customer_id: self.customer_id.map(Into::into),
            mode: code(Mode::parse(&self.mode), "mode")?,
            answers: body.answers,
            verdict: code(Verdict::parse(&self.verdict), "verdict")?,
            findings: body.findings,
            stratum: self.stratum,
            weight: self.design_weight,
            revision: count(self.revision)?,
            enterer: body.enterer,
            source_ref: body.source_ref,
            entry_check: body.entry_check,
            start_time: body.start_time,
            occur_time: self.occur_time.to_jiff(),
            receive_time: self.receive_time.to_jiff(),
            device_mark: self.device_mark,
            row_version: self.row_version,
        })
    }
}

/// What is asked about an answer before it is judged.
#[derive(Clone, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) wave: WaveId,
    pub(crate) response: ResponseId,
    pub(crate) invitation: Option<Uuid>,
    pub(crate) household: Option<Uuid>,
    pub(crate) device_mark: Option<&'a [u8]>,
}

/// Everything the rules ask about.
#[derive(Debug)]
pub(crate) struct Entrance {
    pub(crate) wave: Wave,
    pub(crate) invited: Option<Invited>,
    /// The response of the household that counts, if there is one.
    pub(crate) counted: Option<Uuid>,
    /// When other responses of the same device came, in seconds of the epoch, newest first.
    pub(crate) same_device: Vec<i64>,
    pub(crate) has_quota: bool,
    /// The response of this id, if it came before.
    pub(crate) before: Option<Response>,
}

/// The invitation, as far as an answer needs it.
#[derive(Clone, Debug)]
pub(crate) struct Invited {
    pub(crate) id: Uuid,
    pub(crate) household: Uuid,
    pub(crate) unit: Uuid,
    pub(crate) customer: Option<Uuid>,
    pub(crate) state: InvitationState,
    pub(crate) stratum: String,
    pub(crate) weight: i64,
    pub(crate) holds_place: bool,
    pub(crate) row_version: i64,
}

/// Reads everything the rules ask about. One trip.
pub(crate) async fn enter(db: impl PgExecutor<'_>, cipher: &FieldCipher, scope: &Scope, asked: &Question<'_>) -> Result<Entrance> {
    let row = sqlx::query!(
        r#"SELECT w.body AS "wave: Json<Wave>", w.row_version AS wave_version, w.update_time AS wave_update_time,
                  i.id AS "invitation_id?", i.household_id AS "invited_household?", i.unit_id AS "unit_id?",
                  i.customer_id AS "invited_customer?", i.state AS "invitation_state?", i.stratum AS "invitation_stratum?",
                  i.design_weight AS "invitation_weight?", i.holds_place AS "holds_place?", i.row_version AS "invitation_version?",
                  p.response_id AS "counted?",
                  ARRAY(SELECT extract(epoch FROM d.receive_time)::bigint FROM survey.responses d
                         WHERE $6::bytea IS NOT NULL AND d.wave_id = w.id AND d.device_mark = $6 AND d.id <> $2
                         ORDER BY d.receive_time DESC LIMIT 500) AS "same_device!",
                  EXISTS (SELECT FROM survey.quota_cells q WHERE q.estate_id = w.estate_id AND q.wave_id = w.id AND q.stratum = i.stratum)
                      AS "has_quota!",
                  r.id AS "id?", r.estate_id AS "estate_id?", r.wave_id AS "wave_id?", r.invitation_id AS "response_invitation?",
                  r.household_id AS "household_id?", r.customer_id AS "customer_id?", r.mode AS "mode?", r.verdict AS "verdict?",
                  r.stratum AS "stratum?", r.design_weight AS "design_weight?", r.revision AS "revision?",
                  r.body AS "body?: Json<Body>", r.texts AS "texts?", r.device_mark AS "device_mark?", r.occur_time AS "occur_time?",
                  r.receive_time AS "receive_time?", r.row_version AS "row_version?"
             FROM survey.waves w
             LEFT JOIN survey.invitations i
               ON i.estate_id = w.estate_id AND i.wave_id = w.id
              AND (i.id = $3 OR $3::uuid IS NULL AND i.household_id = $4) AND ($5::uuid IS NULL OR i.customer_id = $5)
             LEFT JOIN survey.participants p
               ON p.estate_id = w.estate_id AND p.wave_id = w.id AND p.household_id = coalesce(i.household_id, $4)
             LEFT JOIN survey.response_keys k ON k.id = $2
             LEFT JOIN survey.responses r ON r.estate_id = k.estate_id AND r.id = k.id AND r.receive_time = k.receive_time
            WHERE w.id = $1 AND ($7::uuid[] IS NULL OR w.estate_id = ANY($7))"#,
        asked.wave.as_uuid(),
        asked.response.as_uuid(),
        asked.invitation,
        asked.household,
        scope.own_customer(),
        asked.device_mark,
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_optional(db)
    .await
    .store()?
    .ok_or_else(|| Error::not_found("wave", asked.wave))?;
    let wave = Wave { row_version: row.wave_version, update_time: row.wave_update_time.to_jiff(), ..row.wave.0 };
    let invited = match row.invitation_id {
        None => None,
        Some(id) => Some(Invited {
            id,
            household: there(row.invited_household)?,
            unit: there(row.unit_id)?,
            customer: row.invited_customer,
            state: code(row.invitation_state.as_deref().and_then(InvitationState::parse), "state")?,
            stratum: there(row.invitation_stratum)?,
            weight: there(row.invitation_weight)?,
            holds_place: there(row.holds_place)?,
            row_version: there(row.invitation_version)?,
        }),
    };
    let before = match row.id {
        None => None,
        Some(id) => Some(
            Row {
                id,
                estate_id: there(row.estate_id)?,
                wave_id: there(row.wave_id)?,
                invitation_id: row.response_invitation,
                household_id: row.household_id,
                customer_id: row.customer_id,
                mode: there(row.mode)?,
                verdict: there(row.verdict)?,
                stratum: there(row.stratum)?,
                design_weight: there(row.design_weight)?,
                revision: there(row.revision)?,
                body: there(row.body)?,
                texts: there(row.texts)?,
                device_mark: row.device_mark,
                occur_time: there(row.occur_time)?,
                receive_time: there(row.receive_time)?,
                row_version: there(row.row_version)?,
            }
            .read(cipher)?,
        ),
    };
    Ok(Entrance { wave, invited, counted: row.counted, same_device: row.same_device, has_quota: row.has_quota, before })
}

fn there<T>(value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::bug("a joined row lacks a column"))
}

/// What follows a response beside its row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consequences {
    /// It is the response of its household that counts.
    pub(crate) occupies: bool,
    /// Its cell has a quota, and this many places more are filled.
    pub(crate) filled: i32,
    /// This many places are held no more.
    pub(crate) released: i32,
    /// Responses of the same device from here on are held, but for the first.
    pub(crate) holds_device_since: Option<Timestamp>,
}

/// Adds a response with all that follows; false when its invitation changed meanwhile. One trip. The inner error is raw: its
/// constraint tells a repetition, an id or paper that is taken, a full quota, a household that counts already.
#[expect(clippy::too_many_arguments, reason = "one statement that writes everything that belongs together")]
pub(crate) async fn insert_response(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    response: &Response,
    invited: Option<&Invited>,
    then: &Consequences,
    author: &str,
    effects: &Effects,
    now: Timestamp,
) -> Result<Result<bool, sqlx::Error>> {
    let written = sqlx::query_scalar!(
        r#"WITH invited AS (
               UPDATE survey.invitations SET state = 'responded', respond_time = $4, holds_place = false, row_version = row_version + 1
                WHERE estate_id = $1 AND id = $5 AND row_version = $6
            RETURNING id
           ), gate AS (
               SELECT 1 AS open WHERE $5::uuid IS NULL OR EXISTS (SELECT FROM invited)
           ), keyed AS (
               INSERT INTO survey.response_keys (id, estate_id, wave_id, source_ref, receive_time)
               SELECT $2, $1, $3, $7, $4 FROM gate
           ), counted AS (
               INSERT INTO survey.participants (estate_id, wave_id, household_id, response_id)
               SELECT $1, $3, $8::uuid, $2 FROM gate WHERE $9 AND $8::uuid IS NOT NULL
           ), cell AS (
               UPDATE survey.quota_cells SET filled = filled + $10, reserved = reserved - $11
                WHERE estate_id = $1 AND wave_id = $3 AND stratum = $12 AND ($10 <> 0 OR $11 <> 0) AND EXISTS (SELECT FROM gate)
           ), burst AS (
               UPDATE survey.responses SET verdict = 'held', row_version = row_version + 1
                WHERE estate_id = $1 AND wave_id = $3 AND verdict = 'valid' AND device_mark = $13 AND receive_time >= $14::timestamptz
                  AND id <> (SELECT f.id FROM survey.responses f
                              WHERE f.wave_id = $3 AND f.device_mark = $13 AND f.receive_time >= $14::timestamptz
                              ORDER BY f.receive_time, f.id LIMIT 1)
                  AND EXISTS (SELECT FROM gate)
           ), added AS (
               INSERT INTO survey.responses (estate_id, id, wave_id, invitation_id, household_id, customer_id, mode, verdict, stratum,
                   design_weight, revision, body, texts, device_mark, occur_time, receive_time, row_version)
               SELECT $1, $2, $3, $5, $8::uuid, $15::uuid, $16, $17, $12, $18, 1, $19, $20, $13, $21, $4, 1 FROM gate
           ), said AS (
               INSERT INTO survey.response_revisions (estate_id, response_id, revision, verdict, body, texts, author, record_time)
               SELECT $1, $2, 1, $17, $19, $20, $22, $23 FROM gate
           )
           SELECT (SELECT survey.write_effects($24) FROM gate)::text IS NOT NULL AS "written!""#,
        response.estate_id.as_uuid(),
        response.id.as_uuid(),
        response.wave_id.as_uuid(),
        at(response.receive_time) as jiff_sqlx::Timestamp,
        invited.map(|invited| invited.id) as Option<Uuid>,
        invited.map_or(0, |invited| invited.row_version),
        response.source_ref.as_deref(),
        response.household_id.map(Uuid::from) as Option<Uuid>,
        then.occupies,
        then.filled,
        then.released,
        response.stratum,
        response.device_mark.as_deref() as Option<&[u8]>,
        maybe_at(then.holds_device_since) as Option<jiff_sqlx::Timestamp>,
        response.customer_id.map(Uuid::from) as Option<Uuid>,
        response.mode.as_str(),
        response.verdict.as_str(),
        response.weight,
        Json(Body::of(response)) as _,
        texts::seal_answers(cipher, response.id.as_uuid(), &response.answers)?,
        at(response.occur_time) as jiff_sqlx::Timestamp,
        author,
        at(now) as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await;
    Ok(written)
}

/// Writes a response that was amended, compared or decided about, and keeps what it says now as a revision; false when it changed
/// meanwhile. One trip. `occupied` says whether it counted for its household before.
#[expect(clippy::too_many_arguments, reason = "one statement that writes everything that belongs together")]
pub(crate) async fn save_response(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    response: &Response,
    occupied: bool,
    then: &Consequences,
    author: &str,
    effects: &Effects,
    now: Timestamp,
) -> Result<Result<bool, sqlx::Error>> {
    let written = sqlx::query_scalar!(
        r#"WITH updated AS (
               UPDATE survey.responses SET verdict = $5, revision = $6, body = $7, texts = $8, row_version = row_version + 1
                WHERE estate_id = $1 AND id = $2 AND receive_time = $3 AND row_version = $4
            RETURNING estate_id, id, wave_id, household_id, stratum
           ), counted AS (
               INSERT INTO survey.participants (estate_id, wave_id, household_id, response_id)
               SELECT estate_id, wave_id, household_id, id FROM updated WHERE $9 AND NOT $10 AND household_id IS NOT NULL
           ), freed AS (
               DELETE FROM survey.participants p USING updated u
                WHERE $10 AND NOT $9 AND p.estate_id = u.estate_id AND p.wave_id = u.wave_id AND p.household_id = u.household_id
                  AND p.response_id = u.id
           ), cell AS (
               UPDATE survey.quota_cells q SET filled = q.filled + $11
                 FROM updated u WHERE $11 <> 0 AND q.estate_id = u.estate_id AND q.wave_id = u.wave_id AND q.stratum = u.stratum
           ), said AS (
               INSERT INTO survey.response_revisions (estate_id, response_id, revision, verdict, body, texts, author, record_time)
               SELECT estate_id, id, $6, $5, $7, $8, $12, $13 FROM updated
           )
           SELECT (SELECT survey.write_effects($14) FROM updated)::text IS NOT NULL AS "written!""#,
        response.estate_id.as_uuid(),
        response.id.as_uuid(),
        at(response.receive_time) as jiff_sqlx::Timestamp,
        response.row_version,
        response.verdict.as_str(),
        column(response.revision)?,
        Json(Body::of(response)) as _,
        texts::seal_answers(cipher, response.id.as_uuid(), &response.answers)?,
        then.occupies,
        occupied,
        then.filled,
        author,
        at(now) as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await;
    Ok(written)
}

macro_rules! select_responses {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"SELECT r.id, r.estate_id, r.wave_id, r.invitation_id, r.household_id, r.customer_id, r.mode, r.verdict, r.stratum,
                      r.design_weight, r.revision, r.body AS "body: Json<Body>", r.texts, r.device_mark, r.occur_time, r.receive_time,
                      r.row_version
                 FROM survey.responses r "# + $which
            $(, $argument)*
        )
    };
}

/// One response within the scope, by way of its key. One trip.
pub(crate) async fn load_response(db: impl PgExecutor<'_>, cipher: &FieldCipher, scope: &Scope, id: ResponseId) -> Result<Response> {
    let row = select_responses!(
        "JOIN survey.response_keys k ON k.estate_id = r.estate_id AND k.id = r.id AND k.receive_time = r.receive_time
         WHERE k.id = $1 AND ($2::uuid[] IS NULL OR r.estate_id = ANY($2)) AND ($3::uuid IS NULL OR r.customer_id = $3)",
        id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.ok_or_else(|| Error::not_found("response", id))?.read(cipher)
}

/// Place of a response in every list, newest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ResponseKey {
    time: Timestamp,
    id: Uuid,
}

impl ResponseKey {
    /// The place of a response.
    pub(crate) fn of(response: &Response) -> Self {
        Self { time: response.receive_time, id: response.id.as_uuid() }
    }
}

/// Responses of a wave, newest first; `mismatched` are those whose two entries differ. One trip.
pub(crate) async fn list_responses(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    wave: &Wave,
    verdict: Option<Verdict>,
    mismatched: bool,
    page: &PageRequest<ResponseKey>,
) -> Result<Vec<Response>> {
    let after = page.after.as_ref();
    let rows = select_responses!(
        "WHERE r.estate_id = $1 AND r.wave_id = $2 AND ($3::text IS NULL OR r.verdict = $3)
           AND (NOT $4 OR jsonb_array_length(coalesce(r.body #> '{entry_check,differing}', '[]')) > 0)
           AND ($5::timestamptz IS NULL OR (r.receive_time, r.id) < ($5, $6))
         ORDER BY r.receive_time DESC, r.id DESC LIMIT $7",
        wave.estate_id.as_uuid(),
        wave.id.as_uuid(),
        verdict.map(Verdict::as_str),
        mismatched,
        maybe_at(after.map(|key| key.time)) as Option<jiff_sqlx::Timestamp>,
        after.map(|key| key.id),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(|row| row.read(cipher)).collect()
}

/// What a response said, oldest first. One trip.
pub(crate) async fn list_revisions(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    response: &Response,
    page: &PageRequest<u32>,
) -> Result<Vec<Revision>> {
    let rows = sqlx::query!(
        r#"SELECT revision, verdict, body AS "body: Json<Body>", texts, author, record_time FROM survey.response_revisions
            WHERE estate_id = $1 AND response_id = $2 AND ($3::integer IS NULL OR revision > $3) ORDER BY revision LIMIT $4"#,
        response.estate_id.as_uuid(),
        response.id.as_uuid(),
        page.after.map(column).transpose()?,
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    let read = |row: (i32, String, Body, Vec<u8>, String, jiff_sqlx::Timestamp)| {
        let (revision, verdict, mut body, sealed, author, record_time) = row;
        texts::open_answers(cipher, response.id.as_uuid(), &sealed, &mut body.answers)?;
        Ok(Revision {
            revision: count(revision)?,
            answers: body.answers,
            verdict: code(Verdict::parse(&verdict), "verdict")?,
            author,
            record_time: record_time.to_jiff(),
        })
    };
    rows.into_iter().map(|row| read((row.revision, row.verdict, row.body.0, row.texts, row.author, row.record_time))).collect()
}
