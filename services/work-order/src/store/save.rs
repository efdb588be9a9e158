//! What verbs changed: one guarded statement for every verb, every run of timers and every job.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use steward_kit::auth::Scope;
use steward_kit::crypto::FieldCipher;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult, constraint};
use uuid::Uuid;

use super::row::{ChangedRow, OfOrder, TakeRow, changed_clocks, changed_facts, new_entries};
use crate::domain::{Transition, WorkOrder, case_facts};

/// What `give_way` refuses by.
const ORDER_MOVED_ON: &str = "work_orders_row_version_seen";

/// What the guard found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    /// Written, with all its effects.
    Yes,
    /// Nothing written: somebody changed the order since it was read, or gave its taker another.
    Stale,
}

/// The change of an order that was read as `before`.
#[derive(Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) before: &'a WorkOrder,
    pub(crate) transition: &'a Transition,
}

/// Writes changes of orders, each another one, with their effects: all, or none if one of them is stale and the caller's
/// transaction is given up. One trip. The inner error is raw, so that the caller can tell a repeated request by its constraint.
///
/// No scope: each order was read through one, and the guard writes nothing but the row that was read.
pub(crate) async fn save_transitions(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    changes: &[Change<'_>],
    effects: &Effects,
    now: Timestamp,
) -> Result<Result<Saved, sqlx::Error>> {
    let orders = changes.iter().map(|change| ChangedRow::of(cipher, change)).collect::<Result<Vec<_>>>()?;
    let (mut clocks, mut entries, mut facts) = (Vec::new(), Vec::new(), Vec::new());
    for Change { before, transition: Transition { order, history, .. } } in changes {
        clocks.extend(changed_clocks(&before.clocks, &order.clocks).map(|row| OfOrder::new(order.id, row)));
        entries.extend(new_entries(history).map(|row| OfOrder::new(order.id, row)));
        facts.extend(changed_facts(&case_facts(before), case_facts(order)).map(|row| OfOrder::new(order.id, row)));
    }
    let takes: Vec<TakeRow<'_>> = changes.iter().filter_map(TakeRow::of).collect();
    let written = sqlx::query_scalar!(
        r#"WITH taken AS (
               UPDATE work_order.workers w SET takes = w.takes + 1, take_time = $8
                 FROM jsonb_to_recordset($7::jsonb) AS t(estate_id uuid, principal text, takes bigint)
                WHERE w.estate_id = t.estate_id AND w.principal = t.principal AND w.takes = t.takes
            RETURNING w.principal
           ), updated AS (
               UPDATE work_order.work_orders o
                  SET state = n.state, category = n.category, urgency = n.urgency, classified_by = n.classified_by,
                      assignee = n.assignee, cycle = n.cycle, urge_count = n.urge_count, promise_time = n.promise_time,
                      close_code = n.close_code, memory = n.memory, texts = decode(n.texts, 'hex'),
                      history_position = n.history_position, history_hash = decode(n.history_hash, 'hex'),
                      update_time = n.update_time, first_receiver = n.first_receiver, kind = n.kind,
                      offered_to = n.offered_to,
                      call_due_time = n.call_due_time,
                      row_version = o.row_version + 1
                 FROM jsonb_to_recordset($1::jsonb)
                   AS n(estate_id uuid, id uuid, row_version bigint, state text, kind text, category text, urgency text,
                        classified_by text, assignee text, offered_to text, first_receiver text, cycle integer, urge_count integer,
                        promise_time timestamptz, close_code text, memory jsonb, texts text, history_position integer,
                        history_hash text, update_time timestamptz, call_due_time timestamptz)
                WHERE o.estate_id = n.estate_id AND o.id = n.id AND o.row_version = n.row_version
                  AND (SELECT count(*) FROM taken) = jsonb_array_length($7::jsonb)
            RETURNING o.estate_id, o.id, o.number, o.unit_id, o.customer_id
           ), clocks AS (
               INSERT INTO work_order.clocks AS k (estate_id, work_order_id, cycle, name, generation, place, state, start_time,
                   due_time, stop_time, verdict, provisional, clock)
               SELECT o.estate_id, o.id, c.cycle, c.name, c.generation, c.place, c.state, c.start_time, c.due_time, c.stop_time,
                      c.verdict, c.provisional, c.clock
                 FROM updated o JOIN jsonb_to_recordset($2::jsonb)
                   AS c(work_order_id uuid, cycle integer, name text, generation integer, place integer, state text,
                        start_time timestamptz, due_time timestamptz, stop_time timestamptz, verdict text, provisional boolean,
                        clock jsonb) ON c.work_order_id = o.id
               ON CONFLICT ON CONSTRAINT clocks_pkey DO UPDATE
                  SET state = EXCLUDED.state, start_time = EXCLUDED.start_time, due_time = EXCLUDED.due_time,
                      stop_time = EXCLUDED.stop_time, verdict = EXCLUDED.verdict, provisional = EXCLUDED.provisional,
                      clock = EXCLUDED.clock
           ), history AS (
               INSERT INTO work_order.history (estate_id, work_order_id, position, action, state, actor_kind, actor_subject,
                   occur_time, record_time, detail, hash)
               SELECT o.estate_id, o.id, h.position, h.action, h.state, h.actor_kind, h.actor_subject, h.occur_time,
                      h.record_time, h.detail, decode(h.hash, 'hex')
                 FROM updated o JOIN jsonb_to_recordset($3::jsonb)
                   AS h(work_order_id uuid, position integer, action text, state text, actor_kind text, actor_subject text,
                        occur_time timestamptz, record_time timestamptz, detail jsonb, hash text) ON h.work_order_id = o.id
           ), facts AS (
               INSERT INTO work_order.case_facts AS f (estate_id, work_order_id, number, unit_id, customer_id, cycle, is_last, kind,
                   category, channel, standing, occur_time, receive_time, start_time, end_time, respond_time, arrive_time,
                   assess_time, complete_time, close_time, close_code, opinion, opinion_time, result_due_time,
                   callback_due_time, callback_provisional, reach_time, exhaust_time, score, score_time, is_case_score,
                   suspended_seconds)
               SELECT o.estate_id, o.id, o.number, o.unit_id, o.customer_id, x.cycle, x.is_last, x.kind, x.category, x.channel,
                      x.standing, x.occur_time, x.receive_time, x.start_time, x.end_time, x.respond_time, x.arrive_time,
                      x.assess_time, x.complete_time, x.close_time, x.close_code, x.opinion, x.opinion_time, x.result_due_time,
                      x.callback_due_time, x.callback_provisional, x.reach_time, x.exhaust_time, x.score, x.score_time,
                      x.is_case_score, x.suspended_seconds
                 FROM updated o JOIN jsonb_to_recordset($4::jsonb)
                   AS x(work_order_id uuid, cycle integer, is_last boolean, kind text, category text, channel text, standing text,
                        occur_time timestamptz, receive_time timestamptz, start_time timestamptz, end_time timestamptz,
                        respond_time timestamptz, arrive_time timestamptz, assess_time timestamptz, complete_time timestamptz,
                        close_time timestamptz, close_code text, opinion text, opinion_time timestamptz,
                        result_due_time timestamptz, callback_due_time timestamptz, callback_provisional boolean,
                        reach_time timestamptz, exhaust_time timestamptz, score integer, score_time timestamptz,
                        is_case_score boolean, suspended_seconds bigint) ON x.work_order_id = o.id
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
           SELECT CASE WHEN (SELECT count(*) FROM updated) = $6 THEN (SELECT work_order.write_effects($5))::text IS NOT NULL
                       WHEN EXISTS (SELECT FROM taken) THEN work_order.give_way()
                       ELSE false END AS "written!"
           -- unscoped: each order was read through a scope, and nothing is written but the rows that were read"#,
        Json(&orders) as _,
        Json(&clocks) as _,
        Json(&entries) as _,
        Json(&facts) as _,
        effects.json(now),
        i64::try_from(changes.len()).map_err(Error::internal)?,
        Json(&takes) as _,
        now.to_sqlx() as jiff_sqlx::Timestamp,
    )
    .fetch_one(db)
    .await;
    Ok(match written {
        Err(error) if constraint(&error) == Some(ORDER_MOVED_ON) => Ok(Saved::Stale),
        written => written.map(|written| if written { Saved::Yes } else { Saved::Stale }),
    })
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
