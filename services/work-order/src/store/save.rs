//! What a verb changed: one guarded statement for every verb, every timer and every job.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::crypto::FieldCipher;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::row::{Memory, changed_clocks, changed_facts, column, new_entries};
use super::texts::seal_texts;
use crate::domain::{Transition, WorkOrder, case_facts};

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
            RETURNING estate_id, id, number, unit_id, customer_id
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
           ), facts AS (
               INSERT INTO work_order.case_facts AS f (estate_id, work_order_id, number, unit_id, customer_id, cycle, is_last, kind, category, channel, standing, occur_time, receive_time, start_time, end_time, respond_time,
                   arrive_time, assess_time, complete_time, close_time, close_code, opinion, opinion_time, result_due_time,
                   callback_due_time, callback_provisional, reach_time, exhaust_time, score, score_time, is_case_score,
                   suspended_seconds)
               SELECT o.estate_id, o.id, o.number, o.unit_id, o.customer_id, x.*
                 FROM updated o, jsonb_to_recordset($23::jsonb)
                   AS x(cycle integer, is_last boolean, kind text, category text, channel text, standing text,
                        occur_time timestamptz, receive_time timestamptz, start_time timestamptz, end_time timestamptz,
                        respond_time timestamptz, arrive_time timestamptz, assess_time timestamptz, complete_time timestamptz,
                        close_time timestamptz, close_code text, opinion text, opinion_time timestamptz,
                        result_due_time timestamptz, callback_due_time timestamptz, callback_provisional boolean,
                        reach_time timestamptz, exhaust_time timestamptz, score integer, score_time timestamptz,
                        is_case_score boolean, suspended_seconds bigint)
               ON CONFLICT ON CONSTRAINT case_facts_pkey DO UPDATE
                  SET is_last = EXCLUDED.is_last, kind = EXCLUDED.kind, category = EXCLUDED.category, standing = EXCLUDED.standing,
                      occur_time = EXCLUDED.occur_time, receive_time = EXCLUDED.receive_time, start_time = EXCLUDED.start_time,
                      end_time = EXCLUDED.end_time, respond_time = EXCLUDED.respond_time, arrive_time = EXCLUDED.arrive_time,
                      assess_time = EXCLUDED.assess_time, complete_time = EXCLUDED.complete_time,
                      close_time = EXCLUDED.close_time,
                      -- How a cycle had been closed that was reopened is known to its row alone.
                      close_code = CASE WHEN EXCLUDED.is_last THEN EXCLUDED.close_code ELSE f.close_code END,
                      opinion = EXCLUDED.opinion, opinion_time = EXCLUDED.opinion_time,
                      result_due_time = EXCLUDED.result_due_time, callback_due_time = EXCLUDED.callback_due_time,
                      callback_provisional = EXCLUDED.callback_provisional, reach_time = EXCLUDED.reach_time,
                      exhaust_time = EXCLUDED.exhaust_time, score = EXCLUDED.score, score_time = EXCLUDED.score_time,
                      is_case_score = EXCLUDED.is_case_score, suspended_seconds = EXCLUDED.suspended_seconds
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
        changed_facts(&case_facts(before), &case_facts(order)) as _,
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
