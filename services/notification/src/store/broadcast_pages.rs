//! Pages of broadcasts: where one stands, what a page writes, and what became of everybody.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit_store::{Effects, StoreResult};

use super::new_messages::write_messages;
use super::rows::{new_deliveries, new_items, new_messages};
use crate::domain::broadcast::{Broadcast, EstateProgress};
use crate::domain::codes::{MessageState, SuppressReason};
use crate::domain::ids::BroadcastId;
use crate::domain::plan::Planned;

/// No delivery waits longer for its turn: what is older has been given up, or is a fault that must not stop broadcasts.
const WAITS_AT_MOST: SignedDuration = SignedDuration::from_hours(24 * 32);

/// The estate whose households are listed next, and how many deliveries of broadcasts are due and not made, counted up to `most`;
/// none when nothing is left. One trip.
pub(crate) async fn load_place(
    db: impl PgExecutor<'_>,
    id: BroadcastId,
    most: i64,
    now: Timestamp,
) -> Result<Option<(EstateProgress, i64)>> {
    let row = sqlx::query!(
        r#"SELECT estate_id, page_token, household_count, message_count, without_contact_count, told_already_count,
                  excluded_counts AS "excluded_counts: Json<BTreeMap<String, i32>>",
                  (SELECT count(*) FROM (SELECT FROM notification.deliveries WHERE is_bulk AND state = 'queued' AND next_attempt_time <= $2
                                            AND create_time > $3 LIMIT $4) d) AS "waiting!"
             FROM notification.broadcast_estates WHERE broadcast_id = $1 AND NOT is_done ORDER BY position LIMIT 1
           -- unscoped: a timer named the broadcast"#,
        id.as_uuid(),
        now.to_sqlx() as jiff_sqlx::Timestamp,
        oldest(now).to_sqlx() as jiff_sqlx::Timestamp,
        most,
    )
    .fetch_optional(db)
    .await
    .store()?;
    Ok(row.map(|row| {
        let place = EstateProgress {
            estate_id: row.estate_id.into(),
            page_token: row.page_token,
            is_done: false,
            household_count: row.household_count,
            message_count: row.message_count,
            without_contact_count: row.without_contact_count,
            told_already_count: row.told_already_count,
            excluded_counts: row.excluded_counts.0,
        };
        (place, row.waiting)
    }))
}

fn oldest(now: Timestamp) -> Timestamp {
    now.saturating_sub(WAITS_AT_MOST).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What a page writes.
pub(crate) struct Page<'a> {
    /// The broadcast as it was seen,
    pub(crate) before: &'a Broadcast,
    /// and as it stands with this page.
    pub(crate) after: &'a Broadcast,
    /// Its estate as it stands with this page.
    pub(crate) listed: &'a EstateProgress,
    /// The messages; none of them has a business key that is taken.
    pub(crate) planned: &'a [Planned],
    pub(crate) ledger: Option<serde_json::Value>,
    pub(crate) effects: &'a Effects,
}

/// Writes a page whole, if nobody wrote one, or did anything else to the broadcast, since it was seen; otherwise nothing. Answers how
/// many deliveries of broadcasts were due before, counted up to `most`; none when nothing was written. One trip. The inner error is
/// raw, so that the caller can tell a contended household.
///
/// The row of the broadcast decides: whoever stops or pauses it, and whoever writes its pages, changes it.
pub(crate) async fn write_page(db: impl PgExecutor<'_>, page: &Page<'_>, most: i64, now: Timestamp) -> Result<Option<i64>, sqlx::Error> {
    let Page { before, after, listed, planned, .. } = page;
    let row = write_messages!(
        r#"WITH step AS (
               UPDATE notification.broadcasts
                  SET state = $10, begin_time = $11, end_time = $12, is_late = is_late OR $13, estate_done_count = $14,
                      household_count = $15, message_count = $16, page_count = $17, row_version = $18, update_time = $6
                WHERE id = $7 AND row_version = $8 AND page_count = $9
            RETURNING id
           ), listed AS (
               UPDATE notification.broadcast_estates e
                  SET page_token = $20, is_done = $21, household_count = $22, message_count = $23, without_contact_count = $24,
                      told_already_count = $25, excluded_counts = $26
                 FROM step s WHERE e.broadcast_id = s.id AND e.estate_id = $19
           ), "#,
        " WHERE EXISTS (SELECT FROM step)",
        r#"
           SELECT (SELECT count(*) FROM step) AS "written!",
                  (SELECT count(*) FROM (SELECT FROM notification.deliveries WHERE is_bulk AND state = 'queued' AND next_attempt_time <= $6
                                            AND create_time > $27 LIMIT $28) d) AS "waiting!",
                  (SELECT notification.write_contacts($5, $6) FROM step)::text AS contacts,
                  (SELECT notification.write_effects($4) FROM step)::text AS effects"#,
        Json(new_messages(planned)) as _,
        Json(new_deliveries(planned.iter().flat_map(|one| &one.deliveries))) as _,
        Json(new_items(planned)) as _,
        page.effects.json(now),
        page.ledger.as_ref() as _,
        now.to_sqlx() as jiff_sqlx::Timestamp,
        before.id.as_uuid(),
        before.row_version,
        before.page_count,
        after.state.as_str(),
        after.begin_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.end_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        after.is_late,
        after.estate_done_count,
        after.household_count,
        after.message_count,
        after.page_count,
        after.row_version,
        listed.estate_id.as_uuid(),
        listed.page_token,
        listed.is_done,
        listed.household_count,
        listed.message_count,
        listed.without_contact_count,
        listed.told_already_count,
        Json(&listed.excluded_counts) as _,
        oldest(now).to_sqlx() as jiff_sqlx::Timestamp,
        most,
    )
    .fetch_one(db)
    .await?;
    Ok((row.written == 1).then_some(row.waiting))
}

/// What became of an audience: every household listed is in exactly one of the counts.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) households: i64,
    pub(crate) messages: Vec<(MessageState, Option<SuppressReason>, i64)>,
    pub(crate) excluded: BTreeMap<String, i32>,
    pub(crate) without_contact: i64,
    pub(crate) told_already: i64,
}

#[derive(Debug, Deserialize)]
struct Alike {
    state: MessageState,
    reason: Option<SuppressReason>,
    count: i64,
}

/// The report of a broadcast that was found in the caller's scope. One trip, one snapshot: a page is in all of the counts or in none.
pub(crate) async fn load_report(db: impl PgExecutor<'_>, broadcast: &Broadcast) -> Result<Report> {
    let row = sqlx::query!(
        r#"SELECT coalesce(sum(e.household_count), 0) AS "households!", coalesce(sum(e.without_contact_count), 0) AS "without_contact!",
                  coalesce(sum(e.told_already_count), 0) AS "told_already!",
                  (SELECT coalesce(jsonb_object_agg(x.code, x.count), '{}')
                     FROM (SELECT c.key AS code, sum(c.value::integer) AS count
                             FROM notification.broadcast_estates o CROSS JOIN jsonb_each_text(o.excluded_counts) c
                            WHERE o.broadcast_id = $1 GROUP BY c.key) x) AS "excluded!: Json<BTreeMap<String, i32>>",
                  (SELECT coalesce(jsonb_agg(jsonb_build_object('state', m.state, 'reason', m.suppress_reason, 'count', m.count)
                                             ORDER BY m.state, m.suppress_reason), '[]')
                     FROM (SELECT state, suppress_reason, count(*) AS count FROM notification.messages
                            WHERE broadcast_id = $1 AND create_time >= $2 GROUP BY state, suppress_reason) m) AS "messages!: Json<Vec<Alike>>"
             FROM notification.broadcast_estates e WHERE e.broadcast_id = $1
           -- unscoped: the broadcast was found in the caller's scope before"#,
        broadcast.id.as_uuid(),
        broadcast.create_time.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_one(db)
    .await
    .store()?;
    let messages = row.messages.0.into_iter().map(|alike| (alike.state, alike.reason, alike.count)).collect();
    Ok(Report {
        households: row.households,
        messages,
        excluded: row.excluded.0,
        without_contact: row.without_contact,
        told_already: row.told_already,
    })
}
