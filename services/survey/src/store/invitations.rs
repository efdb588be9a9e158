//! Invitations: asked, delivered, opened, begun. What was answered is elsewhere.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor};
use steward_kit::auth::Scope;
use steward_kit::ids::CustomerId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::{at, code, count, maybe_at, maybe_of};
use crate::domain::codes::InvitationState;
use crate::domain::ids::{InvitationId, WaveId};
use crate::domain::{Invitation, Subject, Wave};

/// Place of an invitation in every list, newest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct InvitationKey(pub(crate) Uuid);

pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) estate_id: Uuid,
    pub(super) wave_id: Uuid,
    pub(super) household_id: Uuid,
    pub(super) unit_id: Uuid,
    pub(super) customer_id: Option<Uuid>,
    pub(super) state: String,
    pub(super) stratum: String,
    pub(super) design_weight: i64,
    pub(super) reminder_count: i32,
    pub(super) holds_place: bool,
    pub(super) failure_code: String,
    pub(super) invite_time: jiff_sqlx::Timestamp,
    pub(super) deliver_time: Option<jiff_sqlx::Timestamp>,
    pub(super) open_time: Option<jiff_sqlx::Timestamp>,
    pub(super) start_time: Option<jiff_sqlx::Timestamp>,
    pub(super) respond_time: Option<jiff_sqlx::Timestamp>,
    pub(super) token_mark: Option<Vec<u8>>,
    pub(super) subject_kind: Option<String>,
    pub(super) subject_code: Option<String>,
    pub(super) row_version: i64,
}

impl Row {
    pub(super) fn read(self) -> Result<Invitation> {
        Ok(Invitation {
            id: self.id.into(),
            estate_id: self.estate_id.into(),
            wave_id: self.wave_id.into(),
            household_id: self.household_id.into(),
            unit_id: self.unit_id.into(),
            customer_id: self.customer_id.map(Into::into),
            state: code(InvitationState::parse(&self.state), "state")?,
            stratum: self.stratum,
            weight: self.design_weight,
            reminder_count: count(self.reminder_count)?,
            holds_place: self.holds_place,
            failure_code: self.failure_code,
            invite_time: self.invite_time.to_jiff(),
            deliver_time: maybe_of(self.deliver_time),
            open_time: maybe_of(self.open_time),
            start_time: maybe_of(self.start_time),
            respond_time: maybe_of(self.respond_time),
            token_mark: self.token_mark,
            subject: self.subject_kind.zip(self.subject_code).map(|(kind, code)| Subject { kind, code }),
            row_version: self.row_version,
        })
    }
}

macro_rules! select_invitations {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            "SELECT id, estate_id, wave_id, household_id, unit_id, customer_id, state, stratum, design_weight, reminder_count, holds_place,
                    failure_code, invite_time, deliver_time, open_time, start_time, respond_time, token_mark, subject_kind, subject_code, row_version
               FROM survey.invitations WHERE " + $which
            $(, $argument)*
        )
    };
}

/// One invitation within the scope. One trip.
pub(crate) async fn load_invitation(db: impl PgExecutor<'_>, scope: &Scope, id: InvitationId) -> Result<Invitation> {
    let row = select_invitations!(
        "id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2)) AND ($3::uuid IS NULL OR customer_id = $3)",
        id.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.ok_or_else(|| Error::not_found("invitation", id))?.read()
}

/// Invitations of a wave, newest first. One trip.
pub(crate) async fn list_of_wave(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    wave: &Wave,
    state: Option<InvitationState>,
    page: &PageRequest<InvitationKey>,
) -> Result<Vec<Invitation>> {
    let rows = select_invitations!(
        "estate_id = $1 AND wave_id = $2 AND ($3::uuid IS NULL OR customer_id = $3) AND ($4::text IS NULL OR state = $4)
           AND ($5::uuid IS NULL OR id < $5) ORDER BY id DESC LIMIT $6",
        wave.estate_id.as_uuid(),
        wave.id.as_uuid(),
        scope.own_customer(),
        state.map(InvitationState::as_str),
        page.after.map(|key| key.0),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(Row::read).collect()
}

/// A customer's own invitations, newest first. One trip.
pub(crate) async fn list_of_customer(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    customer: CustomerId,
    state: Option<InvitationState>,
    page: &PageRequest<InvitationKey>,
) -> Result<Vec<Invitation>> {
    let rows = select_invitations!(
        "customer_id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2)) AND ($3::text IS NULL OR state = $3)
           AND ($4::uuid IS NULL OR id < $4) ORDER BY id DESC LIMIT $5",
        customer.as_uuid(),
        scope.estates() as Option<Vec<Uuid>>,
        state.map(InvitationState::as_str),
        page.after.map(|key| key.0),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(Row::read).collect()
}

/// Writes an invitation that was opened; false when it changed meanwhile. One trip.
pub(crate) async fn save_opened(
    db: impl PgExecutor<'_>,
    invitation: &Invitation,
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"WITH updated AS (
               UPDATE survey.invitations SET state = $4, open_time = $5, row_version = row_version + 1
                WHERE estate_id = $1 AND id = $2 AND row_version = $3
            RETURNING id
           )
           SELECT (SELECT survey.write_effects($6) FROM updated)::text IS NOT NULL AS "written!""#,
        invitation.estate_id.as_uuid(),
        invitation.id.as_uuid(),
        invitation.row_version,
        invitation.state.as_str(),
        maybe_at(invitation.open_time) as Option<jiff_sqlx::Timestamp>,
        effects.json(now),
    )
    .fetch_one(db)
    .await
}

/// The name of the check that keeps a quota: a statement that would pass it is void.
pub(crate) const QUOTA_FULL: &str = "quota_cells_target_check";

/// Writes an invitation that was begun, and holds its place in the quota if `reserves`; false when it changed meanwhile. One
/// trip. The inner error is raw: [`QUOTA_FULL`] says that there is no place.
pub(crate) async fn save_started(
    db: impl PgExecutor<'_>,
    invitation: &Invitation,
    reserves: bool,
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"WITH updated AS (
               UPDATE survey.invitations SET state = $4, open_time = $5, start_time = $6, holds_place = $7, row_version = row_version + 1
                WHERE estate_id = $1 AND id = $2 AND row_version = $3
            RETURNING estate_id, wave_id, stratum
           ), held AS (
               UPDATE survey.quota_cells q SET reserved = q.reserved + 1
                 FROM updated u WHERE $8 AND q.estate_id = u.estate_id AND q.wave_id = u.wave_id AND q.stratum = u.stratum
           )
           SELECT (SELECT survey.write_effects($9) FROM updated)::text IS NOT NULL AS "written!""#,
        invitation.estate_id.as_uuid(),
        invitation.id.as_uuid(),
        invitation.row_version,
        invitation.state.as_str(),
        maybe_at(invitation.open_time) as Option<jiff_sqlx::Timestamp>,
        maybe_at(invitation.start_time) as Option<jiff_sqlx::Timestamp>,
        invitation.holds_place,
        reserves,
        effects.json(now),
    )
    .fetch_one(db)
    .await
}

/// Gives back the place that an invitation holds, unless it was answered. One trip.
pub(crate) async fn release_place(tx: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query!(
        "WITH released AS (
             UPDATE survey.invitations SET holds_place = false, row_version = row_version + 1 WHERE id = $1 AND holds_place
          RETURNING estate_id, wave_id, stratum
         )
         UPDATE survey.quota_cells q SET reserved = q.reserved - 1
           FROM released r WHERE q.estate_id = r.estate_id AND q.wave_id = r.wave_id AND q.stratum = r.stratum
         -- unscoped: the timer of a place that was held",
        id,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// A message arrived, or did not. Later news than what is known change nothing. One trip.
pub(crate) async fn note_delivery(tx: &mut PgConnection, id: Uuid, failure: Option<&str>, time: Timestamp) -> Result<()> {
    sqlx::query!(
        "UPDATE survey.invitations
            SET state = CASE WHEN state <> 'invited' AND NOT (state = 'undeliverable' AND $2::text IS NULL) THEN state
                             WHEN $2::text IS NULL THEN 'delivered' ELSE 'undeliverable' END,
                deliver_time = CASE WHEN $2::text IS NULL THEN coalesce(deliver_time, $3) ELSE deliver_time END,
                failure_code = CASE WHEN state = 'invited' AND $2::text IS NOT NULL THEN $2 ELSE failure_code END,
                row_version = row_version + 1
          WHERE id = $1 -- unscoped: notification says what became of a message of any estate",
        id,
        failure,
        at(time) as jiff_sqlx::Timestamp,
    )
    .execute(tx)
    .await
    .store()?;
    Ok(())
}

/// Which of a wave's cells a stratum is: whether it has a quota. One trip.
pub(crate) async fn has_quota(db: impl PgExecutor<'_>, estate: Uuid, wave: WaveId, stratum: &str) -> Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM survey.quota_cells WHERE estate_id = $1 AND wave_id = $2 AND stratum = $3) AS "has!""#,
        estate,
        wave.as_uuid(),
        stratum,
    )
    .fetch_one(db)
    .await
    .store()
}
