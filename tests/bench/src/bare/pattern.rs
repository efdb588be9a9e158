//! The rows of one order of the product, kept in memory: what a call of the bare program writes with other ids.

use anyhow::{Context as _, Result};
use jiff_sqlx::Timestamp;
use prost::Message as _;
use sqlx::{FromRow, PgPool};
use steward_proto::work_order::v1 as pb;
use uuid::Uuid;

/// One order's rows, as its pattern has them.
pub(crate) struct Pattern {
    pub(crate) order: Order,
    pub(crate) clocks: Clocks,
    pub(crate) history: History,
    pub(crate) facts: Facts,
    pub(crate) timers: Timers,
    pub(crate) changes: Changes,
    pub(crate) event: Event,
    pub(crate) claim: Claim,
    /// What the product answered, for answers of the same size.
    pub(crate) answer: pb::WorkOrder,
}

#[derive(FromRow)]
pub(crate) struct Order {
    pub(crate) state: String,
    pub(crate) kind: String,
    pub(crate) category: String,
    pub(crate) urgency: String,
    pub(crate) classified_by: String,
    pub(crate) channel: String,
    pub(crate) description: Vec<u8>,
    pub(crate) location: Vec<u8>,
    pub(crate) memory: String,
    pub(crate) texts: Vec<u8>,
    pub(crate) history_hash: Vec<u8>,
}

/// Columns of several rows, as arrays.
#[derive(FromRow)]
pub(crate) struct Clocks {
    pub(crate) names: Vec<String>,
    pub(crate) places: Vec<i32>,
    pub(crate) states: Vec<String>,
    pub(crate) due_after_ms: Vec<Option<i64>>,
    pub(crate) documents: Vec<String>,
}

#[derive(FromRow)]
pub(crate) struct History {
    pub(crate) positions: Vec<i32>,
    pub(crate) actions: Vec<String>,
    pub(crate) states: Vec<String>,
    pub(crate) details: Vec<String>,
    pub(crate) hashes: Vec<Vec<u8>>,
}

#[derive(FromRow)]
pub(crate) struct Facts {
    pub(crate) standing: String,
    pub(crate) opinion: String,
}

#[derive(FromRow)]
pub(crate) struct Timers {
    pub(crate) kinds: Vec<String>,
    pub(crate) keys: Vec<String>,
    pub(crate) due_after_ms: Vec<i64>,
}

/// Stretches of time that figures are counted anew for.
#[derive(FromRow)]
pub(crate) struct Changes {
    pub(crate) count: i64,
}

#[derive(FromRow)]
pub(crate) struct Event {
    pub(crate) r#type: String,
    pub(crate) payload: Vec<u8>,
}

#[derive(FromRow)]
pub(crate) struct Claim {
    pub(crate) response: Vec<u8>,
}

macro_rules! read {
    ($pool:expr, $id:expr, $sql:literal) => {
        sqlx::query_as($sql).bind($id).fetch_one($pool).await.context($sql)?
    };
}

impl Pattern {
    /// Reads the order from the tables that were copied.
    pub(crate) async fn read(pool: &PgPool, id: Uuid) -> Result<Self> {
        let answer: Vec<u8> = sqlx::query_scalar("SELECT answer FROM bare.patterns WHERE id = $1").bind(id).fetch_one(pool).await?;
        Ok(Self {
            order: read!(
                pool,
                id,
                "SELECT state, kind, category, urgency, classified_by, channel, description, location, memory::text AS memory, texts,
                        history_hash FROM bare.work_orders WHERE id = $1"
            ),
            clocks: read!(
                pool,
                id,
                "SELECT array_agg(name ORDER BY place) AS names, array_agg(place ORDER BY place) AS places,
                        array_agg(state ORDER BY place) AS states,
                        array_agg((extract(epoch FROM due_time - start_time) * 1000)::bigint ORDER BY place) AS due_after_ms,
                        array_agg(clock::text ORDER BY place) AS documents FROM bare.clocks WHERE work_order_id = $1"
            ),
            history: read!(
                pool,
                id,
                "SELECT array_agg(position ORDER BY position) AS positions, array_agg(action ORDER BY position) AS actions,
                        array_agg(state ORDER BY position) AS states, array_agg(detail::text ORDER BY position) AS details,
                        array_agg(hash ORDER BY position) AS hashes FROM bare.history WHERE work_order_id = $1"
            ),
            facts: read!(pool, id, "SELECT standing, opinion FROM bare.case_facts WHERE work_order_id = $1"),
            timers: read!(
                pool,
                id,
                "SELECT array_agg(kind) AS kinds, array_agg(key) AS keys,
                        array_agg((extract(epoch FROM due_time - create_time) * 1000)::bigint) AS due_after_ms
                   FROM bare.timers WHERE subject_id = $1"
            ),
            changes: read!(pool, id, "SELECT change_count AS count FROM bare.patterns WHERE id = $1"),
            event: read!(pool, id, "SELECT type, payload FROM bare.outbox WHERE subject_id = $1"),
            claim: read!(
                pool,
                id,
                "SELECT c.response FROM bare.idempotency_claims c JOIN bare.patterns p USING (request_id) WHERE p.id = $1"
            ),
            answer: pb::WorkOrder::decode(answer.as_slice())?,
        })
    }
}

/// So many milliseconds after an instant.
pub(crate) fn after(now: jiff::Timestamp, ms: i64) -> Timestamp {
    Timestamp::from(now.checked_add(jiff::SignedDuration::from_millis(ms)).unwrap_or(now))
}
