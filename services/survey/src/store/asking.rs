//! Who is asked, and asked again: invitations are made and taken for a reminder.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::invitations::Row;
use super::{at, column};
use crate::domain::{Invitation, Wave};

/// Makes the next invitations of a launched wave, of the households drawn that have none. One trip.
pub(crate) async fn insert_next(
    tx: &mut PgConnection,
    wave: &Wave,
    after: Option<Uuid>,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Invitation>> {
    let rows = sqlx::query_as!(
        Row,
        r#"INSERT INTO survey.invitations AS i (estate_id, id, wave_id, household_id, unit_id, customer_id, state, stratum, design_weight,
               reminder_count, holds_place, failure_code, invite_time, row_version)
           SELECT f.estate_id, f.invitation_id, f.wave_id, f.household_id, f.unit_id, f.customer_id, 'invited', f.stratum, f.design_weight,
                  0, false, '', $4, 1
             FROM survey.frame_members f
            WHERE f.estate_id = $1 AND f.wave_id = $2 AND f.verdict = 'sampled' AND f.invitation_id IS NOT NULL
              AND ($3::uuid IS NULL OR f.household_id > $3)
            ORDER BY f.household_id LIMIT $5
           ON CONFLICT ON CONSTRAINT invitations_household_key DO UPDATE SET reminder_count = i.reminder_count
           RETURNING id, estate_id, wave_id, household_id, unit_id, customer_id, state, stratum, design_weight, reminder_count, holds_place,
               failure_code, invite_time, deliver_time, open_time, start_time, respond_time, token_mark, subject_kind, subject_code, row_version"#,
        wave.estate_id.as_uuid(),
        wave.id.as_uuid(),
        after,
        at(now) as jiff_sqlx::Timestamp,
        limit,
    )
    .fetch_all(tx)
    .await
    .store()?;
    rows.into_iter().map(Row::read).collect()
}

/// Takes the next invitations that still await an answer for reminder number `number`. One trip: who answered meanwhile is not
/// among them (SV-53).
pub(crate) async fn take_for_reminder(
    tx: &mut PgConnection,
    wave: &Wave,
    number: u32,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Invitation>> {
    let rows = sqlx::query_as!(
        Row,
        r#"UPDATE survey.invitations i SET reminder_count = $3, row_version = i.row_version + 1
             FROM (SELECT id FROM survey.invitations
                    WHERE estate_id = $1 AND wave_id = $2 AND state IN ('invited', 'delivered', 'opened', 'started') AND reminder_count < $3
                      AND ($4::uuid IS NULL OR id > $4)
                    ORDER BY id LIMIT $5 FOR UPDATE) AS due
            WHERE i.estate_id = $1 AND i.id = due.id
           RETURNING i.id, i.estate_id, i.wave_id, i.household_id, i.unit_id, i.customer_id, i.state, i.stratum, i.design_weight,
               i.reminder_count, i.holds_place, i.failure_code, i.invite_time, i.deliver_time, i.open_time, i.start_time, i.respond_time,
               i.token_mark, i.subject_kind, i.subject_code, i.row_version"#,
        wave.estate_id.as_uuid(),
        wave.id.as_uuid(),
        column(number)?,
        after,
        limit,
    )
    .fetch_all(tx)
    .await
    .store()?;
    rows.into_iter().map(Row::read).collect()
}

/// Takes one invitation that still awaits an answer for reminder number `number`; `None` when it does not. One trip.
pub(crate) async fn take_one_for_reminder(tx: &mut PgConnection, id: Uuid, number: u32) -> Result<Option<Invitation>> {
    let row = sqlx::query_as!(
        Row,
        r#"UPDATE survey.invitations SET reminder_count = $2, row_version = row_version + 1
            WHERE id = $1 AND state IN ('invited', 'delivered', 'opened', 'started') AND reminder_count < $2
           RETURNING id, estate_id, wave_id, household_id, unit_id, customer_id, state, stratum, design_weight, reminder_count,
               holds_place, failure_code, invite_time, deliver_time, open_time, start_time, respond_time, token_mark, subject_kind,
               subject_code, row_version
           -- unscoped: the timer of a reminder"#,
        id,
        column(number)?,
    )
    .fetch_optional(tx)
    .await
    .store()?;
    row.map(Row::read).transpose()
}

/// Invites a household of a standing wave, which becomes a member of its frame; false when it is one already. One trip.
pub(crate) async fn insert_asked(tx: &mut PgConnection, new: &Invitation) -> Result<bool> {
    let added = sqlx::query!(
        "WITH member AS (
             INSERT INTO survey.frame_members (estate_id, wave_id, household_id, unit_id, customer_id, verdict, reason_code, stratum,
                 draw_position, design_weight, invitation_id)
             VALUES ($1, $2, $3, $4, $5, 'sampled', '', '', 0, $6, $7)
             ON CONFLICT ON CONSTRAINT frame_members_pkey DO NOTHING
          RETURNING household_id
         )
         INSERT INTO survey.invitations (estate_id, id, wave_id, household_id, unit_id, customer_id, state, stratum, design_weight,
             reminder_count, holds_place, failure_code, invite_time, subject_kind, subject_code, row_version)
         SELECT $1, $7, $2, household_id, $4, $5, 'invited', '', $6, 0, false, '', $8, $9, $10, 1 FROM member",
        new.estate_id.as_uuid(),
        new.wave_id.as_uuid(),
        new.household_id.as_uuid(),
        new.unit_id.as_uuid(),
        new.customer_id.map(Uuid::from) as Option<Uuid>,
        new.weight,
        new.id.as_uuid(),
        at(new.invite_time) as jiff_sqlx::Timestamp,
        new.subject.as_ref().map(|about| about.kind.as_str()),
        new.subject.as_ref().map(|about| about.code.as_str()),
    )
    .execute(tx)
    .await
    .store()?;
    Ok(added.rows_affected() > 0)
}
