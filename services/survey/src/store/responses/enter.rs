//! What the rules ask about before an answer is judged.

use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::auth::Scope;
use steward_kit::crypto::FieldCipher;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::super::code;
use super::{Body, Row};
use crate::domain::codes::InvitationState;
use crate::domain::ids::{ResponseId, WaveId};
use crate::domain::{Response, Subject, Wave};

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
    /// What made it due, of a standing wave.
    pub(crate) subject: Option<Subject>,
    pub(crate) row_version: i64,
}

/// Reads everything the rules ask about. One trip.
pub(crate) async fn enter(db: impl PgExecutor<'_>, cipher: &FieldCipher, scope: &Scope, asked: &Question<'_>) -> Result<Entrance> {
    let row = sqlx::query!(
        r#"SELECT w.body AS "wave: Json<Wave>", w.row_version AS wave_version, w.update_time AS wave_update_time,
                  i.id AS "invitation_id?", i.household_id AS "invited_household?", i.unit_id AS "unit_id?",
                  i.customer_id AS "invited_customer?", i.state AS "invitation_state?", i.stratum AS "invitation_stratum?",
                  i.design_weight AS "invitation_weight?", i.holds_place AS "holds_place?", i.row_version AS "invitation_version?",
                  i.subject_kind AS "subject_kind?", i.subject_code AS "subject_code?",
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
            subject: row.subject_kind.zip(row.subject_code).map(|(kind, code)| Subject { kind, code }),
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
