//! The messages behind figures: those to customers, by the time they were made. Each estate has its own instants, because each
//! has its own zone; every look is by estate and time, so months before the period are not read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::MessageId;
use steward_kit::paging::PageRequest;
use steward_kit_store::StoreResult;
use uuid::Uuid;

use super::code;
use crate::domain::codes::{Class, MessageState, SuppressReason};
use crate::domain::figures::Tally;

/// A period of an estate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    /// The estate, found in the caller's scope.
    pub(crate) estate: ScopedEstate,
    /// First instant.
    pub(crate) start: Timestamp,
    /// First instant after it.
    pub(crate) end: Timestamp,
}

/// Place of a message among the rows of a figure: by time, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RowKey {
    pub(crate) at: Timestamp,
    pub(crate) id: MessageId,
}

/// Messages that stand alike, as the database counts them.
struct TallyRow {
    message_class: String,
    state: String,
    suppress_reason: Option<String>,
    count: i64,
    timed: i64,
    latency_ms: i64,
    within_limit: i64,
}

impl TallyRow {
    fn read(self) -> Result<Tally> {
        Ok(Tally {
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
pub(crate) async fn tally_messages(db: &PgPool, stretches: &[Stretch], limit_seconds: Option<i64>) -> Result<BTreeMap<Uuid, Vec<Tally>>> {
    let estates: Vec<Uuid> = stretches.iter().map(|stretch| stretch.estate.as_uuid()).collect();
    let starts: Vec<jiff_sqlx::Timestamp> = stretches.iter().map(|stretch| stretch.start.to_sqlx()).collect();
    let ends: Vec<jiff_sqlx::Timestamp> = stretches.iter().map(|stretch| stretch.end.to_sqlx()).collect();
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
    let mut tallies: BTreeMap<Uuid, Vec<Tally>> = BTreeMap::new();
    for row in rows {
        let tally = TallyRow {
            message_class: row.message_class,
            state: row.state,
            suppress_reason: row.suppress_reason,
            count: row.count,
            timed: row.timed,
            latency_ms: row.latency_ms,
            within_limit: row.within_limit,
        };
        tallies.entry(row.estate_id).or_default().push(tally.read()?);
    }
    Ok(tallies)
}

/// The messages of one estate by time, after the page's start, each as a tally of one; one more than fit on it. One trip.
pub(crate) async fn list_tallied(
    db: &PgPool,
    stretch: Stretch,
    limit_seconds: Option<i64>,
    page: &PageRequest<RowKey>,
) -> Result<Vec<(RowKey, Tally)>> {
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
        let tally = TallyRow {
            message_class: row.message_class,
            state: row.state,
            suppress_reason: row.suppress_reason,
            count: 1,
            timed: i64::from(row.ms.is_some()),
            latency_ms: row.ms.unwrap_or_default(),
            within_limit: i64::from(row.ms.is_some_and(is_within)),
        };
        tallied.push((RowKey { at: row.create_time.to_jiff(), id: row.id.into() }, tally.read()?));
    }
    Ok(tallied)
}
