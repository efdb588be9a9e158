//! The birth of an order: one statement in autocommit, whatever it brings with it.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::auth::ScopedEstate;
use steward_kit::crypto::FieldCipher;
use steward_kit_store::Effects;
use uuid::Uuid;

use super::row::{Memory, changed_clocks, column, new_entries};
use super::texts::{Column, seal_texts};
use crate::domain::{Transition, case_facts};

/// What the statement found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Created {
    /// Written, with all its effects.
    Yes,
    /// Nothing written: the estate has no such unit.
    UnitUnknown,
    /// Nothing written: a policy, the directory or a calendar changed after `epoch`.
    PolicyMoved,
}

/// Writes a new order, its clocks, its history and its effects, if its unit exists and `epoch` still holds. One trip. The
/// inner error is raw, so that the caller can tell a repeated request by its constraint.
pub(crate) async fn create_work_order(
    db: impl PgExecutor<'_>,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    transition: &Transition,
    effects: &Effects,
    epoch: i64,
    now: Timestamp,
) -> Result<Result<Created, sqlx::Error>> {
    let order = &transition.order;
    let written = sqlx::query!(
        r#"WITH guard AS (
               SELECT $27 = (SELECT epoch FROM work_order.policy_epoch) AS fresh,
                      $5::uuid IS NULL OR EXISTS (SELECT FROM work_order.units WHERE estate_id = $1 AND id = $5) AS unit_known
           ), created AS (
               INSERT INTO work_order.work_orders (estate_id, id, number, state, unit_id, customer_id, kind, category, urgency,
                   classified_by, channel, description, location, assignee, first_receiver, occur_time, receive_time, cycle,
                   urge_count, promise_time, memory, texts, history_position, history_hash, update_time, row_version)
               SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
                      $24, $25, 1
                 FROM guard WHERE fresh AND unit_known
            RETURNING estate_id, id, number, unit_id, customer_id
           ), clocks AS (
               INSERT INTO work_order.clocks (estate_id, work_order_id, cycle, name, generation, place, state, start_time, due_time,
                   stop_time, verdict, provisional, clock)
               SELECT o.estate_id, o.id, c.*
                 FROM created o, jsonb_to_recordset($26::jsonb)
                   AS c(cycle integer, name text, generation integer, place integer, state text, start_time timestamptz,
                        due_time timestamptz, stop_time timestamptz, verdict text, provisional boolean, clock jsonb)
           ), history AS (
               INSERT INTO work_order.history (estate_id, work_order_id, position, action, state, actor_kind, actor_subject,
                   occur_time, record_time, detail, hash)
               SELECT o.estate_id, o.id, h.position, h.action, h.state, h.actor_kind, h.actor_subject, h.occur_time,
                      h.record_time, h.detail, decode(h.hash, 'hex')
                 FROM created o, jsonb_to_recordset($28::jsonb)
                   AS h(position integer, action text, state text, actor_kind text, actor_subject text, occur_time timestamptz,
                        record_time timestamptz, detail jsonb, hash text)
           ), facts AS (
               INSERT INTO work_order.case_facts (estate_id, work_order_id, number, unit_id, customer_id, cycle, is_last, kind, category, channel, standing, occur_time, receive_time, start_time, end_time, respond_time,
                   arrive_time, assess_time, complete_time, close_time, close_code, opinion, opinion_time, result_due_time,
                   callback_due_time, callback_provisional, reach_time, exhaust_time, score, score_time, is_case_score,
                   suspended_seconds)
               SELECT o.estate_id, o.id, o.number, o.unit_id, o.customer_id, x.*
                 FROM created o, jsonb_to_recordset($30::jsonb)
                   AS x(cycle integer, is_last boolean, kind text, category text, channel text, standing text,
                        occur_time timestamptz, receive_time timestamptz, start_time timestamptz, end_time timestamptz,
                        respond_time timestamptz, arrive_time timestamptz, assess_time timestamptz, complete_time timestamptz,
                        close_time timestamptz, close_code text, opinion text, opinion_time timestamptz,
                        result_due_time timestamptz, callback_due_time timestamptz, callback_provisional boolean,
                        reach_time timestamptz, exhaust_time timestamptz, score integer, score_time timestamptz,
                        is_case_score boolean, suspended_seconds bigint)
           )
           SELECT fresh AS "fresh!", unit_known AS "unit_known!",
                  (SELECT work_order.write_effects($29) FROM created)::text AS effects
             FROM guard"#,
        estate.as_uuid(),
        order.id.as_uuid(),
        order.number,
        order.state.as_str(),
        order.unit_id.map(Uuid::from),
        order.customer_id.map(Uuid::from),
        order.kind.as_str(),
        order.category,
        order.urgency.as_str(),
        order.classified_by,
        order.channel.as_str(),
        Column::Description.seal(cipher, order.id, order.description.expose()),
        Column::Location.seal(cipher, order.id, order.location.expose()),
        order.assignee.as_deref(),
        order.first_receiver.as_deref(),
        order.occur_time.to_sqlx() as jiff_sqlx::Timestamp,
        order.receive_time.to_sqlx() as jiff_sqlx::Timestamp,
        column(order.cycle)?,
        column(order.urge_count)?,
        order.promise_time.map(|time| time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
        Json(Memory::of(order)) as _,
        seal_texts(cipher, order)?,
        column(order.history_position)?,
        order.history_hash.as_slice(),
        order.update_time.to_sqlx() as jiff_sqlx::Timestamp,
        Json(changed_clocks(&[], &order.clocks).collect::<Vec<_>>()) as _,
        epoch,
        Json(new_entries(&transition.history).collect::<Vec<_>>()) as _,
        effects.json(now),
        Json(case_facts(order)) as _,
    )
    .fetch_one(db)
    .await;
    Ok(written.map(|guard| match (guard.fresh, guard.unit_known) {
        (true, true) => Created::Yes,
        (false, _) => Created::PolicyMoved,
        (true, false) => Created::UnitUnknown,
    }))
}
