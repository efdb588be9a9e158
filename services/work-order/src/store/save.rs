//! What a verb changed: one guarded statement for every verb, every timer and every job.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::crypto::FieldCipher;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::row::{Memory, changed_clocks, column, new_entries};
use super::texts::seal_texts;
use crate::domain::{Transition, WorkOrder};

/// What the guard found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    /// Written, with all its effects.
    Yes,
    /// Nothing written: somebody changed the order since it was read.
    Stale,
}

/// Writes the change of an order that was read as `before`, with its effects. One trip. The inner error is raw, so that the
/// caller can tell a repeated request by its constraint.
///
/// No scope: `before` was read through one, and the guard writes nothing but the row that was read.
pub(crate) async fn save_transition(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    before: &WorkOrder,
    transition: &Transition,
    effects: &Effects,
    now: Timestamp,
) -> Result<Result<Saved, sqlx::Error>> {
    let order = &transition.order;
    let written = sqlx::query_scalar!(
        r#"WITH updated AS (
               UPDATE work_order.work_orders
                  SET state = $4, category = $5, urgency = $6, classified_by = $7, assignee = $8, cycle = $9, urge_count = $10,
                      promise_time = $11, close_code = $12, memory = $13, texts = $14, history_position = $15,
                      history_hash = $16, update_time = $17, first_receiver = $18, kind = $19, row_version = row_version + 1
                WHERE estate_id = $1 AND id = $2 AND row_version = $3
            RETURNING estate_id, id
           ), clocks AS (
               INSERT INTO work_order.clocks AS k (estate_id, work_order_id, cycle, name, generation, place, state, start_time,
                   due_time, stop_time, verdict, provisional, clock)
               SELECT o.estate_id, o.id, c.*
                 FROM updated o, jsonb_to_recordset($20::jsonb)
                   AS c(cycle integer, name text, generation integer, place integer, state text, start_time timestamptz,
                        due_time timestamptz, stop_time timestamptz, verdict text, provisional boolean, clock jsonb)
               ON CONFLICT ON CONSTRAINT clocks_pkey DO UPDATE
                  SET state = EXCLUDED.state, start_time = EXCLUDED.start_time, due_time = EXCLUDED.due_time,
                      stop_time = EXCLUDED.stop_time, verdict = EXCLUDED.verdict, provisional = EXCLUDED.provisional,
                      clock = EXCLUDED.clock
           ), history AS (
               INSERT INTO work_order.history (estate_id, work_order_id, position, action, state, actor_kind, actor_subject,
                   occur_time, record_time, detail, hash)
               SELECT o.estate_id, o.id, h.position, h.action, h.state, h.actor_kind, h.actor_subject, h.occur_time,
                      h.record_time, h.detail, decode(h.hash, 'hex')
                 FROM updated o, jsonb_to_recordset($21::jsonb)
                   AS h(position integer, action text, state text, actor_kind text, actor_subject text, occur_time timestamptz,
                        record_time timestamptz, detail jsonb, hash text)
           )
           SELECT (SELECT work_order.write_effects($22) FROM updated)::text IS NOT NULL AS "written!""#,
        before.estate_id.as_uuid(),
        before.id.as_uuid(),
        before.row_version,
        order.state.as_str(),
        order.category,
        order.urgency.as_str(),
        order.classified_by,
        order.assignee.as_deref(),
        column(order.cycle)?,
        column(order.urge_count)?,
        order.promise_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        order.close_code.map(|code| code.as_str()),
        Memory::of(order) as _,
        seal_texts(cipher, order)?,
        column(order.history_position)?,
        order.history_hash.as_slice(),
        order.update_time.to_sqlx() as jiff_sqlx::Timestamp,
        order.first_receiver.as_deref(),
        order.kind.as_str(),
        changed_clocks(&before.clocks, &order.clocks) as _,
        new_entries(&transition.history) as _,
        effects.json(now),
    )
    .fetch_one(db)
    .await;
    Ok(written.map(|written| if written { Saved::Yes } else { Saved::Stale }))
}

/// Locks orders until the transaction ends, in one order, so that two writers never wait for each other.
pub(crate) async fn lock_work_orders(tx: &mut PgConnection, scope: &Scope, ids: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "SELECT id FROM work_order.work_orders
          WHERE id = ANY($1) AND ($2::uuid[] IS NULL OR estate_id = ANY($2)) ORDER BY id FOR UPDATE",
        ids,
        scope.estates() as Option<Vec<Uuid>>,
    )
    .fetch_all(tx)
    .await
    .store()?;
    Ok(())
}
