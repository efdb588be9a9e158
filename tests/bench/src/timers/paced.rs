//! Row 6: timers at an even pace among a million that are pending, from due to effect committed.

use std::time::Duration;

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use steward_kit_store::{Effects, TimerChange};
use uuid::Uuid;

use super::{bare, field::Field, lateness::Lateness};
use crate::{
    paired::{Pairs, by_turns},
    quantiles::Times,
    row::Row,
};

/// Timers a second.
const RATE: usize = 500;

/// From the first writing to the first firing.
const LEAD: SignedDuration = SignedDuration::from_secs(4);

pub(super) async fn run(field: &Field<'_>, lateness: &Lateness, pending: usize) -> Result<Vec<Row>> {
    let clock = &field.stage.clock;
    let count = RATE * usize::try_from(field.stage.options.turn().as_secs().max(2)).unwrap_or(2);
    bare::add(field, pending, |_| clock.now() + SignedDuration::from_hours(24 * 60)).await?;
    let db = field.replica().await?;
    let firing = field.fire(&db, clock, false)?;
    field.wait_for_index(pending, Duration::from_millis(200)).await?;

    let product = async || {
        let (before, fired) = (lateness.of("paced")?, field.fired("paced").await?);
        arm(&db, clock.now(), count, evenly(clock.now() + LEAD)).await?;
        wait_for(field, fired, count).await?;
        let late = lateness.of("paced")?.since(&before);
        ensure!(late.count() == u64::try_from(count)?, "{} of {count} timers fired", late.count());
        Ok((late.quantile_ms(0.99)?, late.quantile_ms(0.5)?))
    };
    let limit = async || {
        bare::add(field, count, evenly(clock.now() + LEAD)).await?;
        let late = Times::new(bare::fire(field, clock, count).await?);
        Ok((late.p99_ms(), late.p50_ms()))
    };
    let turns = by_turns(field.stage.options.turns(), product, limit).await?;
    let (p99, p50) = (Pairs::of(&turns, |turn| turn.0), Pairs::of(&turns, |turn| turn.1));
    firing.stop().await?;
    Ok(vec![
        Row::value(6, format!("timers at {RATE}/s, {pending} pending: p99"), p99.product(), "ms")
            .at_most(5.0, 2.5)
            .beside(p99.limit(), "ms")
            .note(format!("due to effect committed, as the product's own histogram has it; beside a bare loop; {}", p99.spread())),
        Row::value(6, "the same: p50 (moonshot 1.5)", p50.product(), "ms").beside(p50.limit(), "ms"),
    ])
}

/// The times at which the timers of a turn are due.
fn evenly(first: Timestamp) -> impl Fn(usize) -> Timestamp {
    let apart = i64::try_from(1_000_000 / RATE).unwrap_or(1);
    move |n| first + SignedDuration::from_micros(i64::try_from(n).unwrap_or_default() * apart)
}

/// Sets timers as a service does: rows, commit, hint.
async fn arm(db: &steward_kit_store::Db, now: Timestamp, count: usize, due: impl Fn(usize) -> Timestamp) -> Result<()> {
    let all: Vec<usize> = (0..count).collect();
    for chunk in all.chunks(500) {
        let timers = chunk.iter().map(|n| TimerChange::set("paced", Uuid::now_v7(), "", None, due(*n))).collect();
        let effects = Effects { timers, ..Effects::none() };
        let mut connection = db.pool().acquire().await?;
        effects.write(db, &mut connection, now).await?;
        db.wake(&effects);
    }
    Ok(())
}

async fn wait_for(field: &Field<'_>, before: i64, count: usize) -> Result<()> {
    let begun = std::time::Instant::now();
    while field.fired("paced").await? < before + i64::try_from(count)? {
        ensure!(begun.elapsed() < Duration::from_secs(120), "not every timer fired within two minutes");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    // The histogram is written after the commit.
    tokio::time::sleep(Duration::from_millis(50)).await;
    Ok(())
}
