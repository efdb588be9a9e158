//! Activities: the document by its version, the counts as registrations leave them.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::paging::PageRequest;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::code;
use super::documents::Place;
use crate::domain::activity::{Activity, Counts, Document, Fact};
use crate::domain::community_codes::ActivityState;

/// The constraint that refuses more places taken than there are.
pub(crate) const SEATS: &str = "activities_seats_check";

struct Row {
    estate_id: Uuid,
    id: Uuid,
    state: String,
    document: Json<Document>,
    confirmed_seats: i32,
    confirmed_count: i32,
    waiting_count: i32,
    checked_in_count: i32,
    no_show_count: i32,
    opinion_count: i32,
    row_version: i64,
    create_time: jiff_sqlx::Timestamp,
}

impl Row {
    fn read(self) -> Result<Activity> {
        Ok(Activity {
            id: self.id,
            estate_id: self.estate_id.into(),
            state: code(ActivityState::parse(&self.state), "state")?,
            document: self.document.0,
            counts: Counts {
                seats: self.confirmed_seats,
                confirmed: self.confirmed_count,
                waiting: self.waiting_count,
                checked_in: self.checked_in_count,
                no_show: self.no_show_count,
                opinions: self.opinion_count,
            },
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
        })
    }
}

macro_rules! select_activities {
    ($which:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"SELECT estate_id, id, state, document AS "document: _", confirmed_seats, confirmed_count, waiting_count, checked_in_count,
                      no_show_count, opinion_count, row_version, create_time
                 FROM care.activities WHERE "# + $which
            $(, $argument)*
        )
    };
}

/// States that customers see.
const SHOWN: [ActivityState; 3] = [ActivityState::Published, ActivityState::Closed, ActivityState::Cancelled];

/// States that the caller may see, of those asked for; empty means all.
fn visible(scope: &Scope, states: &[ActivityState]) -> Vec<String> {
    let all = if states.is_empty() { ActivityState::ALL } else { states };
    let is_seen = |state: &&ActivityState| scope.own_customer().is_none() || SHOWN.contains(state);
    all.iter().filter(is_seen).map(ToString::to_string).collect()
}

/// One activity that the caller may see. One trip.
pub(crate) async fn load_activity(db: impl PgExecutor<'_>, scope: &Scope, id: Uuid) -> Result<Option<Activity>> {
    let row = select_activities!(
        "id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2)) AND state = ANY($3)",
        id,
        scope.estates() as Option<Vec<Uuid>>,
        &visible(scope, &[]),
    )
    .fetch_optional(db)
    .await
    .store()?;
    row.map(Row::read).transpose()
}

/// A page of an estate's, the latest first. One trip.
pub(crate) async fn list_activities(
    db: impl PgExecutor<'_>,
    scope: &Scope,
    estate: ScopedEstate,
    states: &[ActivityState],
    page: &PageRequest<Place>,
) -> Result<Vec<Activity>> {
    let after = page.after.as_ref();
    let rows = select_activities!(
        "estate_id = $1 AND state = ANY($2) AND ($3::timestamptz IS NULL OR (sort_time, id) < ($3, $4::uuid))
         ORDER BY sort_time DESC, id DESC LIMIT $5",
        estate.as_uuid(),
        &visible(scope, states),
        after.map(|place| place.time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.map(|place| place.id),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(Row::read).collect()
}

/// Writes a draft with its effects. One trip. The error is raw: it tells a repeated request.
pub(crate) async fn insert_activity(db: impl PgExecutor<'_>, new: &Activity, effects: &Effects, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"WITH created AS (
               INSERT INTO care.activities (estate_id, id, state, sort_time, document, row_version, create_time, update_time)
               VALUES ($1, $2, $3, $4, $5, 1, $6, $6) RETURNING id
           )
           SELECT (SELECT care.write_effects($7) FROM created)::text AS effects
           -- unscoped: the estate was found in the caller's scope before"#,
        new.estate_id.as_uuid(),
        new.id,
        new.state.as_str(),
        new.document.plan.start_time.to_sqlx() as jiff_sqlx::Timestamp,
        Json(&new.document) as _,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

/// How an activity is written over the one that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Saving<'a> {
    pub(crate) before: &'a Activity,
    pub(crate) after: &'a Activity,
    pub(crate) fact: Option<Fact>,
    /// A notice to those who are registered by now begins.
    pub(crate) gives_notice: bool,
}

/// Writes an activity with its effects, if nobody else did meanwhile; one that is closed, if nobody came or registered meanwhile either:
/// then those with places who did not come are no-shows, and those who waited wait no more. False when it was not written. One trip.
/// The error is raw.
pub(crate) async fn save_activity(
    db: &mut PgConnection,
    saving: &Saving<'_>,
    effects: &Effects,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let Saving { before, after, fact, gives_notice } = *saving;
    let row = sqlx::query!(
        r#"WITH updated AS (
               UPDATE care.activities
                  SET state = $4, sort_time = $5, document = $6, update_time = $7, row_version = row_version + 1,
                      no_show_count = CASE WHEN $8 THEN confirmed_count - checked_in_count ELSE no_show_count END,
                      waiting_count = CASE WHEN $8 THEN 0 ELSE waiting_count END,
                      noticed_sequence = CASE WHEN $9 THEN 0 ELSE noticed_sequence END,
                      notice_until = CASE WHEN $9 THEN last_sequence ELSE notice_until END
                WHERE estate_id = $1 AND id = $2 AND row_version = $3
                  AND (NOT $8 OR (confirmed_count, checked_in_count, waiting_count) = ($11, $12, $13))
               RETURNING estate_id, id
           ), swept AS (
               UPDATE care.registrations r SET state = CASE r.state WHEN 'confirmed' THEN 'no_show' ELSE 'lapsed' END
                 FROM updated u
                WHERE $8 AND r.estate_id = u.estate_id AND r.activity_id = u.id AND r.state IN ('confirmed', 'waiting')
           )
           SELECT (SELECT count(*) FROM updated) AS "updated!", (SELECT care.write_effects($10) FROM updated)::text AS effects
           -- unscoped: what changes was read through a scope, and is written by the version that was read"#,
        before.estate_id.as_uuid(),
        before.id,
        before.row_version,
        after.state.as_str(),
        after.document.plan.start_time.to_sqlx() as jiff_sqlx::Timestamp,
        Json(&after.document) as _,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        fact == Some(Fact::Closed),
        gives_notice,
        effects.json(now),
        before.counts.confirmed,
        before.counts.checked_in,
        before.counts.waiting,
    )
    .fetch_one(db)
    .await?;
    Ok(row.updated == 1)
}

/// Links an opinion and counts it, once. One trip. The error is raw.
pub(crate) async fn link_opinion(
    db: impl PgExecutor<'_>,
    of: &Activity,
    item: Uuid,
    effects: &Effects,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"WITH linked AS (
               INSERT INTO care.activity_opinions (estate_id, activity_id, feedback_item_id, create_time) VALUES ($1, $2, $3, $4)
               ON CONFLICT ON CONSTRAINT activity_opinions_pkey DO NOTHING
               RETURNING estate_id, activity_id
           ), counted AS (
               UPDATE care.activities a SET opinion_count = opinion_count + 1 FROM linked l WHERE a.estate_id = l.estate_id AND a.id = l.activity_id
           )
           SELECT care.write_effects($5)::text AS effects
           -- unscoped: of an activity that was read through a scope"#,
        of.estate_id.as_uuid(),
        of.id,
        item,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        effects.json(now),
    )
    .fetch_one(db)
    .await?;
    Ok(())
}
