//! The table at the end of the day: each line says what was counted, and whether it is as it must be.

use std::fmt::Display;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;
use steward_dev::say::{self, Colour};

use super::waits::{Moves, Waits};

/// A breach is told this late at the most, but for those that fell due while their process was away (scale check S1).
const LATENESS_P99_MS: i64 = 5_000;

/// Of a hundred messages 95 are delivered by then (scale check S2).
const DELIVERED_P95_MS: i64 = 10_000;

/// The table.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<(String, String, bool)>);

impl Table {
    /// A line.
    pub(super) fn line(&mut self, what: impl Display, words: impl Display, is_well: bool) {
        self.0.push((what.to_string(), words.to_string(), is_well));
    }

    /// Prints it; whether all is well.
    pub(super) fn show(&self) -> bool {
        say::line("");
        for (what, words, is_well) in &self.0 {
            let (colour, mark) = if *is_well { (Colour::Green, "right") } else { (Colour::Red, "WRONG") };
            say::line(format!("{what:<28} {:<5}  {words}", say::paint(colour, mark)));
        }
        self.0.iter().all(|(.., is_well)| *is_well)
    }
}

/// Clocks of orders: how many there are, and whether any is lost.
pub(super) async fn clocks(db: &PgPool, now: Timestamp, table: &mut Table) -> Result<()> {
    const CLOCKS: &str = "SELECT count(*), count(*) FILTER (WHERE verdict = 'kept'), count(*) FILTER (WHERE verdict = 'late'),
               count(*) FILTER (WHERE state = 'void' AND verdict IS NULL),
               count(*) FILTER (WHERE state IN ('running', 'paused') AND verdict IS NULL AND due_time > $1::timestamptz),
               count(*) FILTER (WHERE state = 'running' AND verdict IS NULL AND due_time <= $1::timestamptz)
          FROM work_order.clocks";
    // What wakes a clock that still has a step before it.
    const UNARMED: &str = "SELECT count(*) FILTER (WHERE NOT EXISTS (SELECT FROM work_order.timers t
                   WHERE t.subject_id = steps.work_order_id AND t.due_time = steps.next)), count(*)
          FROM (SELECT c.work_order_id, min((s ->> 'due_time')::timestamptz) AS next
                  FROM work_order.clocks c CROSS JOIN LATERAL jsonb_array_elements(c.clock -> 'steps') s
                 WHERE c.state = 'running' AND NOT (s ->> 'taken')::boolean AND (s ->> 'due_time') IS NOT NULL
                 GROUP BY c.work_order_id, c.cycle, c.name, c.generation) steps";
    let asked = sqlx::query_as(CLOCKS).bind(now.to_string());
    let (all, kept, late, void, ahead, lost): (i64, i64, i64, i64, i64, i64) = asked.fetch_one(db).await.context("counting clocks")?;
    let (unarmed, running): (i64, i64) = sqlx::query_as(UNARMED).fetch_one(db).await.context("counting timers of clocks")?;
    let settled = kept + late + void;
    table.line(
        "clocks",
        format!("{all} armed; {settled} settled ({kept} kept, {late} missed, {void} void), {ahead} not yet due"),
        settled + ahead + lost == all,
    );
    table.line(
        "clocks lost",
        format!("{lost} past due without a verdict; {unarmed} of {running} waiting without a timer"),
        lost + unarmed == 0,
    );
    Ok(())
}

/// Breaches: each clock that ran out is one line of proof and one fact, and somebody was told.
pub(super) async fn breaches(db: &PgPool, table: &mut Table) -> Result<()> {
    const BREACHES: &str = "SELECT
        (SELECT count(*) FROM work_order.history WHERE action = 'clock_late'),
        (SELECT count(DISTINCT (work_order_id, detail ->> 'clock', detail ->> 'cycle', occur_time)) FROM work_order.history WHERE action = 'clock_late'),
        (SELECT count(*) FROM work_order.outbox WHERE type = 'steward.work_order.v1.ClockBreached'),
        (SELECT count(*) FROM notification.messages m JOIN work_order.outbox o ON o.id = m.event_id WHERE o.type = 'steward.work_order.v1.ClockBreached'),
        (SELECT count(DISTINCT (m.event_id, m.recipient_kind, m.customer_id, m.staff_subject, m.staff_role, m.routing_rule_id))
           FROM notification.messages m JOIN work_order.outbox o ON o.id = m.event_id WHERE o.type = 'steward.work_order.v1.ClockBreached')";
    let (lines, distinct, facts, told, once): (i64, i64, i64, i64, i64) =
        sqlx::query_as(BREACHES).fetch_one(db).await.context("counting breaches")?;
    let words = format!("{lines} clocks ran out, {facts} facts, {told} messages, {} twice", told - once + lines - distinct);
    table.line("breaches told once each", words, lines == distinct && lines == facts && told == once && told >= facts);
    Ok(())
}

/// How late steps of clocks were taken.
pub(super) async fn lateness(db: &PgPool, moves: &Moves, table: &mut Table) -> Result<()> {
    const STEPS: &str = "SELECT (extract(epoch FROM occur_time) * 1000000)::bigint, (extract(epoch FROM record_time) * 1000000)::bigint
          FROM work_order.history WHERE action IN ('clock_warned', 'clock_late', 'clock_escalated') AND record_time >= occur_time";
    let steps: Vec<(i64, i64)> = sqlx::query_as(STEPS).fetch_all(db).await.context("reading the steps of clocks")?;
    let waits = between(moves, steps)?;
    let words = format!("{} steps of clocks: {}", waits.count(), waits.in_words());
    table.line("timer lateness", words, waits.percentile_ms(99) <= LATENESS_P99_MS);
    Ok(())
}

/// Messages about orders: how long after the fact each was delivered.
pub(super) async fn messages(db: &PgPool, moves: &Moves, table: &mut Table) -> Result<()> {
    const DELIVERED: &str =
        "SELECT (extract(epoch FROM o.create_time) * 1000000)::bigint, (extract(epoch FROM d.update_time) * 1000000)::bigint
          FROM notification.deliveries d JOIN notification.messages m ON m.id = d.message_id
          JOIN work_order.outbox o ON o.id = m.event_id WHERE d.state IN ('sent', 'delivered', 'read')";
    // A resident without an address reads in the app; what cannot be mailed to them is dead, and their message is delivered all the same.
    const STATES: &str = "SELECT count(*), count(*) FILTER (WHERE m.state IN ('sent', 'delivered', 'read')),
               count(*) FILTER (WHERE m.state IN ('suppressed', 'deferred'))
          FROM notification.messages m JOIN work_order.outbox o ON o.id = m.event_id";
    let delivered: Vec<(i64, i64)> = sqlx::query_as(DELIVERED).fetch_all(db).await.context("reading deliveries")?;
    let (all, arrived, held): (i64, i64, i64) = sqlx::query_as(STATES).fetch_one(db).await.context("counting messages")?;
    let waits = between(moves, delivered)?;
    table.line(
        "service messages on time",
        format!(
            "{all} messages, {arrived} delivered, {held} held back by rule; after the fact: p95 {} ms, {}",
            waits.percentile_ms(95),
            waits.in_words()
        ),
        waits.percentile_ms(95) <= DELIVERED_P95_MS && arrived + held == all && arrived > 0,
    );
    Ok(())
}

fn between(moves: &Moves, micros: Vec<(i64, i64)>) -> Result<Waits> {
    let mut all: Vec<SignedDuration> = Vec::with_capacity(micros.len());
    for (from, to) in micros {
        let (from, to) = (Timestamp::from_microsecond(from)?, Timestamp::from_microsecond(to)?);
        all.push(if to > from { moves.between(from, to) } else { SignedDuration::ZERO });
    }
    Ok(Waits::of(all.into_iter()))
}
