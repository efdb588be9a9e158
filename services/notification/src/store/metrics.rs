//! The messages behind figures: those to customers, by the time they were made. Each estate has its own instants, because each
//! has its own zone; every look is by estate and time, so months before the period are not read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::ids::MessageId;
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use steward_kit_store::rollups::Stretch;
use uuid::Uuid;

use super::code;
use crate::domain::codes::{Class, MessageState, SuppressReason};
use crate::domain::figures::Alike;

/// Place of a message among the rows of a figure: by time, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RowKey {
    pub(crate) at: Timestamp,
    pub(crate) id: MessageId,
}

/// Messages that stand alike, as the database counts them.
struct AlikeRow {
    message_class: String,
    state: String,
    suppress_reason: Option<String>,
    count: i64,
    timed: i64,
    latency_ms: i64,
    within_limit: i64,
}

impl AlikeRow {
    fn read(self) -> Result<Alike> {
        Ok(Alike {
            class: code(Class::parse(&self.message_class), "message_class")?,
            state: code(MessageState::parse(&self.state), "state")?,
            reason: self.suppress_reason.map(|text| code(SuppressReason::parse(&text), "suppress_reason")).transpose()?,
            count: self.count,
            timed: self.timed,
            latency_ms: self.latency_ms,
            within_limit: self.within_limit,
        })
    }
}

/// The messages of estates, counted by what figures tell apart. One trip, whatever the number of estates. Without a limit
/// none lies within it.
pub(crate) async fn tally_messages(
    db: &mut PgConnection,
    stretches: &[Stretch],
    limit_seconds: Option<i64>,
) -> Result<BTreeMap<Uuid, Vec<Alike>>> {
    let (estates, starts, ends) = Stretch::columns(stretches);
    // From the first of all beginnings to the last of all ends: by these Postgres knows the months before it looks.
    let from = stretches.iter().map(|stretch| stretch.start).min().unwrap_or(Timestamp::UNIX_EPOCH);
    let to = stretches.iter().map(|stretch| stretch.end).max().unwrap_or(Timestamp::UNIX_EPOCH);
    let rows = sqlx::query!(
        r#"SELECT s.estate_id AS "estate_id!", t.message_class AS "message_class!", t.state AS "state!", t.suppress_reason,
                  t.count AS "count!", t.timed AS "timed!", t.latency_ms AS "latency_ms!", t.within_limit AS "within_limit!"
             FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS s(estate_id, start_time, end_time)
            CROSS JOIN LATERAL (
                  SELECT l.message_class, l.state, l.suppress_reason, count(*) AS count, count(l.ms) AS timed,
                         coalesce(sum(l.ms), 0)::bigint AS latency_ms, count(*) FILTER (WHERE l.ms <= $4::bigint * 1000) AS within_limit
                    FROM (SELECT m.message_class, m.state, m.suppress_reason,
                                 notification.message_latency_ms(m.fact_time, m.held_until_time, m.hand_over_time) AS ms
                            FROM notification.messages m
                           WHERE m.estate_id = s.estate_id AND m.create_time >= s.start_time AND m.create_time < s.end_time
                             AND m.create_time >= $5 AND m.create_time < $6 AND m.recipient_kind = 'customer') AS l
                   GROUP BY l.message_class, l.state, l.suppress_reason) AS t"#,
        &estates,
        &starts as _,
        &ends as _,
        limit_seconds,
        from.to_sqlx() as jiff_sqlx::Timestamp,
        to.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_all(db)
    .await
    .store()?;
    let mut all: BTreeMap<Uuid, Vec<Alike>> = BTreeMap::new();
    for row in rows {
        let alike = AlikeRow {
            message_class: row.message_class,
            state: row.state,
            suppress_reason: row.suppress_reason,
            count: row.count,
            timed: row.timed,
            latency_ms: row.latency_ms,
            within_limit: row.within_limit,
        };
        all.entry(row.estate_id).or_default().push(alike.read()?);
    }
    Ok(all)
}

/// The messages of one estate by time, after the page's start, each as one that stands alone; one more than fit on it. One trip.
pub(crate) async fn list_tallied(
    db: &mut PgConnection,
    stretch: Stretch,
    limit_seconds: Option<i64>,
    page: &PageRequest<RowKey>,
) -> Result<Vec<(RowKey, Alike)>> {
    let from = page.after.map_or(stretch.start, |after| after.at.max(stretch.start));
    let rows = sqlx::query!(
        r#"SELECT m.id, m.create_time AS "create_time: jiff_sqlx::Timestamp", m.message_class, m.state, m.suppress_reason,
                  notification.message_latency_ms(m.fact_time, m.held_until_time, m.hand_over_time) AS ms
             FROM notification.messages m
            WHERE m.estate_id = $1 AND m.create_time >= $2 AND m.create_time < $3 AND m.recipient_kind = 'customer'
              AND ($4::uuid IS NULL OR (m.create_time, m.id) > ($2, $4))
            ORDER BY m.create_time, m.id LIMIT $5"#,
        stretch.estate.as_uuid(),
        from.to_sqlx() as jiff_sqlx::Timestamp,
        stretch.end.to_sqlx() as jiff_sqlx::Timestamp,
        page.after.map(|after| after.id.as_uuid()),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    let mut tallied = Vec::with_capacity(rows.len());
    for row in rows {
        let is_within = |ms: i64| limit_seconds.is_some_and(|limit| ms <= limit.saturating_mul(1000));
        let alike = AlikeRow {
            message_class: row.message_class,
            state: row.state,
            suppress_reason: row.suppress_reason,
            count: 1,
            timed: i64::from(row.ms.is_some()),
            latency_ms: row.ms.unwrap_or_default(),
            within_limit: i64::from(row.ms.is_some_and(is_within)),
        };
        tallied.push((RowKey { at: row.create_time.to_jiff(), id: row.id.into() }, alike.read()?));
    }
    Ok(tallied)
}
