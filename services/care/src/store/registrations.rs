//! Registrations. Whatever changes who has a place holds the lock of the activity's row: the order in which it is taken is the order of
//! arrival, and the counts in it are the truth about places.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::paging::PageRequest;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::code;
use crate::domain::activity::Activity;
use crate::domain::community_codes::RegistrationState;
use crate::domain::registration::Registration;

/// The index that refuses a second registration of a household.
pub(crate) const HOUSEHOLD_REGISTERED: &str = "registrations_household_key";

struct Row {
    estate_id: Uuid,
    activity_id: Uuid,
    id: Uuid,
    household_id: Uuid,
    unit_id: Uuid,
    customer_id: Option<Uuid>,
    party_size: i32,
    state: String,
    sequence: i32,
    waiting_number: Option<i32>,
    check_in_code: String,
    register_time: jiff_sqlx::Timestamp,
    confirm_time: Option<jiff_sqlx::Timestamp>,
    check_in_time: Option<jiff_sqlx::Timestamp>,
    cancel_time: Option<jiff_sqlx::Timestamp>,
}

impl Row {
    fn read(self) -> Result<Registration> {
        Ok(Registration {
            id: self.id,
            activity_id: self.activity_id,
            estate_id: self.estate_id.into(),
            household_id: self.household_id.into(),
            unit_id: self.unit_id.into(),
            customer_id: self.customer_id.map(Into::into),
            party_size: self.party_size,
            state: code(RegistrationState::parse(&self.state), "state")?,
            sequence: self.sequence,
            waiting_number: self.waiting_number,
            check_in_code: self.check_in_code,
            register_time: self.register_time.to_jiff(),
            confirm_time: self.confirm_time.map(|time| time.to_jiff()),
            check_in_time: self.check_in_time.map(|time| time.to_jiff()),
            cancel_time: self.cancel_time.map(|time| time.to_jiff()),
        })
    }
}

macro_rules! select_registrations {
    ($before:tt, $after:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            $before + r#"SELECT estate_id AS "estate_id!", activity_id AS "activity_id!", id AS "id!", household_id AS "household_id!",
                      unit_id AS "unit_id!", customer_id AS "customer_id?", party_size AS "party_size!", state AS "state!",
                      sequence AS "sequence!", waiting_number AS "waiting_number?", check_in_code AS "check_in_code!",
                      register_time AS "register_time!", confirm_time AS "confirm_time?", check_in_time AS "check_in_time?",
                      cancel_time AS "cancel_time?" "# + $after
            $(, $argument)*
        )
    };
}

/// A place that was taken, or a number on the waiting list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) sequence: i32,
    pub(crate) waiting_number: Option<i32>,
}

/// Takes places for a party, or its number on the waiting list. `None` when the activity is not the one that was read any more. One
/// trip, one statement: the counts in the activity's row, locked, decide; the row that is inserted and the effects follow from what they
/// said. `new` has no sequence, no number and no state yet. The error is raw: it tells a repeated request, and a household that is
/// registered.
pub(crate) async fn take_place(
    db: impl PgExecutor<'_>,
    activity: &Activity,
    new: &Registration,
    confirmed: &Effects,
    waiting: &Effects,
    now: Timestamp,
) -> Result<Option<Taken>, sqlx::Error> {
    let row = sqlx::query!(
        r#"WITH place AS (
               SELECT confirmed_seats + $5::integer <= capacity AS fits, last_sequence + 1 AS sequence, last_waiting + 1 AS waiting
                 FROM care.activities WHERE estate_id = $1 AND id = $2 AND row_version = $3 AND state = 'published' FOR UPDATE
           ), taken AS (
               UPDATE care.activities a
                  SET last_sequence = p.sequence,
                      last_waiting = CASE WHEN p.fits THEN a.last_waiting ELSE p.waiting END,
                      confirmed_seats = a.confirmed_seats + CASE WHEN p.fits THEN $5 ELSE 0 END,
                      confirmed_count = a.confirmed_count + CASE WHEN p.fits THEN 1 ELSE 0 END,
                      waiting_count = a.waiting_count + CASE WHEN p.fits THEN 0 ELSE 1 END
                 FROM place p
                WHERE a.estate_id = $1 AND a.id = $2
               RETURNING p.fits, p.sequence, p.waiting
           ), created AS (
               INSERT INTO care.registrations (estate_id, activity_id, id, household_id, unit_id, customer_id, party_size, state, sequence,
                   waiting_number, check_in_code, register_time, confirm_time)
               SELECT $1, $2, $4, $6, $7, $8, $5, CASE WHEN fits THEN 'confirmed' ELSE 'waiting' END, sequence,
                      CASE WHEN fits THEN NULL ELSE waiting END, $9, $10::timestamptz, CASE WHEN fits THEN $10::timestamptz END
                 FROM taken
               RETURNING sequence, waiting_number
           )
           SELECT c.sequence, c.waiting_number,
                  care.write_effects(CASE WHEN c.waiting_number IS NULL THEN $11::jsonb ELSE $12::jsonb END)::text AS effects
             FROM created c
           -- unscoped: of an activity that was read through a scope, by the version that was read"#,
        activity.estate_id.as_uuid(),
        activity.id,
        activity.row_version,
        new.id,
        new.party_size,
        new.household_id.as_uuid(),
        new.unit_id.as_uuid(),
        new.customer_id.map(Uuid::from),
        new.check_in_code,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        confirmed.json(now),
        waiting.json(now),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Taken { sequence: row.sequence, waiting_number: row.waiting_number }))
}

/// One registration that the caller may see. One trip.
pub(crate) async fn load_registration(db: impl PgExecutor<'_>, scope: &Scope, id: Uuid) -> Result<Option<Registration>> {
    let row = select_registrations!(
        "",
        "FROM care.registrations
          WHERE id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2)) AND ($3::uuid IS NULL OR customer_id = $3)",
        id,
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.map(Row::read).transpose()
}

/// A page of an activity's in order of arrival; a customer's own. One trip.
pub(crate) async fn list_registrations(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    activity: &Activity,
    states: &[String],
    page: &PageRequest<i32>,
) -> Result<Vec<Registration>> {
    let rows = select_registrations!(
        "",
        "FROM care.registrations
          WHERE estate_id = $1 AND activity_id = $2 AND (cardinality($3::text[]) = 0 OR state = ANY($3))
            AND ($4::integer IS NULL OR sequence > $4) AND ($5::uuid IS NULL OR customer_id = $5)
          ORDER BY sequence LIMIT $6",
        activity.estate_id.as_uuid(),
        activity.id,
        states,
        page.after,
        scope.own_customer(),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(Row::read).collect()
}

/// Gives up a registration and what it held, and locks the activity until the transaction ends. `None` when it is not the caller's, or
/// does not stand. One trip.
pub(crate) async fn give_up(tx: &mut PgConnection, scope: &Scope, id: Uuid, now: Timestamp) -> Result<Option<Registration>> {
    let row = select_registrations!(
        // Who was confirmed has the time of it, whatever happened while the lock was waited for.
        "WITH activity AS (
             SELECT a.estate_id, a.id FROM care.activities a
              WHERE (a.estate_id, a.id) IN (SELECT estate_id, activity_id FROM care.registrations
                                             WHERE id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))
                                               AND ($3::uuid IS NULL OR customer_id = $3))
                AND a.state = 'published' FOR UPDATE
         ), given_up AS (
             UPDATE care.registrations r SET state = 'cancelled', cancel_time = $4 FROM activity a
              WHERE r.estate_id = a.estate_id AND r.activity_id = a.id AND r.id = $1 AND r.state IN ('confirmed', 'waiting')
             RETURNING r.*
         ), counted AS (
             UPDATE care.activities a
                SET confirmed_seats = a.confirmed_seats - CASE WHEN g.confirm_time IS NULL THEN 0 ELSE g.party_size END,
                    confirmed_count = a.confirmed_count - CASE WHEN g.confirm_time IS NULL THEN 0 ELSE 1 END,
                    waiting_count = a.waiting_count - CASE WHEN g.confirm_time IS NULL THEN 1 ELSE 0 END
               FROM given_up g
              WHERE a.estate_id = g.estate_id AND a.id = g.activity_id
         ) ",
        "FROM given_up",
        id,
        scope.estates() as Option<Vec<Uuid>>,
        scope.own_customer(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_optional(tx)
    .await
    .store()?;
    row.map(Row::read).transpose()
}

/// Gives free places to those who wait, in their order. One trip.
pub(crate) async fn promote(tx: &mut PgConnection, estate: Uuid, activity: Uuid, now: Timestamp) -> Result<Vec<Registration>> {
    let rows = select_registrations!(
        "",
        "FROM care.promote_waiting($1, $2, $3)
         -- unscoped: of an activity whose registration was the caller's, or that was read through a scope",
        estate,
        activity,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_all(tx)
    .await
    .store()?;
    rows.into_iter().map(Row::read).collect()
}

/// Lets a party in, with the effects. `None` when there is no such code among those with places. One trip. The error is raw.
pub(crate) async fn check_in(
    db: impl PgExecutor<'_>,
    activity: &Activity,
    code: &str,
    effects: &Effects,
    now: Timestamp,
) -> Result<Option<Uuid>, sqlx::Error> {
    let row = sqlx::query!(
        r#"WITH activity AS (
               SELECT estate_id, id FROM care.activities WHERE estate_id = $1 AND id = $2 AND state = 'published' FOR UPDATE
           ), came AS (
               UPDATE care.registrations r SET state = 'checked_in', check_in_time = $4 FROM activity a
                WHERE r.estate_id = a.estate_id AND r.activity_id = a.id AND r.check_in_code = $3 AND r.state = 'confirmed'
               RETURNING r.estate_id, r.activity_id, r.id
           ), counted AS (
               UPDATE care.activities a SET checked_in_count = a.checked_in_count + 1 FROM came c
                WHERE a.estate_id = c.estate_id AND a.id = c.activity_id
           )
           SELECT c.id, care.write_effects($5)::text AS effects FROM came c
           -- unscoped: of an activity that was read through a scope"#,
        activity.estate_id.as_uuid(),
        activity.id,
        code,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| row.id))
}

/// The registration of a code. One trip.
pub(crate) async fn of_code(db: impl PgExecutor<'_>, activity: &Activity, code: &str) -> Result<Option<Registration>> {
    let row = select_registrations!(
        "",
        "FROM care.registrations WHERE estate_id = $1 AND activity_id = $2 AND check_in_code = $3",
        activity.estate_id.as_uuid(),
        activity.id,
        code,
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.map(Row::read).transpose()
}

/// Those who are next to be told of a notice, at most `most`, and moves on past them; where the activity was called off, they are
/// cancelled with it. One trip.
pub(crate) async fn take_noticed(tx: &mut PgConnection, activity: &Activity, most: i64, now: Timestamp) -> Result<Vec<Registration>> {
    let rows = select_registrations!(
        "WITH next AS (
             SELECT r.* FROM care.registrations r JOIN care.activities a ON a.estate_id = r.estate_id AND a.id = r.activity_id
              WHERE r.estate_id = $1 AND r.activity_id = $2 AND r.sequence > a.noticed_sequence AND r.sequence <= a.notice_until
                AND r.state IN ('confirmed', 'waiting')
              ORDER BY r.sequence LIMIT $3
         ), moved AS (
             UPDATE care.activities a SET noticed_sequence = (SELECT max(sequence) FROM next)
              WHERE a.estate_id = $1 AND a.id = $2 AND EXISTS (SELECT FROM next)
         ), cancelled AS (
             UPDATE care.registrations r SET state = 'cancelled', cancel_time = $4 FROM next n
              WHERE r.estate_id = $1 AND r.id = n.id AND $5
         ) ",
        "FROM next ORDER BY sequence",
        activity.estate_id.as_uuid(),
        activity.id,
        most,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        activity.state == crate::domain::community_codes::ActivityState::Cancelled,
    )
    .fetch_all(tx)
    .await
    .store()?;
    rows.into_iter().map(Row::read).collect()
}

/// The activity of a notice, locked until the transaction ends. One trip.
pub(crate) async fn lock_noticing(tx: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "SELECT id FROM care.activities WHERE id = ANY($1) ORDER BY id FOR UPDATE
         -- unscoped: a timer named the activities",
        ids,
    )
    .fetch_all(tx)
    .await
    .store()?;
    Ok(())
}
