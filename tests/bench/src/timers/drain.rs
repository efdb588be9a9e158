//! Row 8: many timers due at once, and one that comes due meanwhile.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use jiff::SignedDuration;
use steward_kit::clock::{Clock, SharedClock};
use steward_kit_store::{Db, Effects, TimerChange};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{bare, field::Field, lateness::Lateness, scaled};
use crate::{
    paired::{Pairs, by_turns},
    row::{Goal, Row},
};

/// The timers of a drain were due over so long a time, one after the other: there is an oldest.
const SPREAD: SignedDuration = SignedDuration::from_secs(10);

/// How far in the future they are while the index is filled.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

pub(super) async fn run(field: &Field<'_>, lateness: &Lateness) -> Result<Vec<Row>> {
    let count = scaled(field.stage, 100_000);
    let before = lateness.of("fresh")?;
    // The bare side has no order to be judged by.
    let limit = async || Ok((bare_drained(field, count).await?, 0.0));
    let turns = by_turns(5, async || drained(field, count, false).await, limit).await?;
    let (pairs, ahead) = (Pairs::of(&turns, |turn| turn.0), turns.iter().map(|(product, _)| product.1));
    let worst = ahead.fold(0.0, f64::max);
    let fresh = lateness.of("fresh")?.since(&before);
    let mut rates = vec![pairs.product()];
    for other in [10_000, 1_000_000] {
        rates.push(drained(field, scaled(field.stage, other), false).await?.0);
    }
    let (least, most) = rates.iter().fold((f64::MAX, f64::MIN), |(least, most), rate| (least.min(*rate), most.max(*rate)));
    let (alone, _) = drained(field, count, true).await?;
    Ok(vec![
        Row::value(8, format!("{count} timers due at once"), pairs.product(), "/s")
            .at_least(35_000.0, 60_000.0)
            .beside(pairs.limit(), "/s")
            .note(format!(
                "effects committed, one replica, its handler takes many; beside a bare loop; {}; none fired more than {worst:.1} % of the \
                 backlog ahead of an older one; with a statement for each timer {alone:.0}/s",
                pairs.spread()
            )),
        Row::value(8, "a fresh timer meanwhile, the latest", fresh.quantile_ms(1.0)?, "ms").bar(Goal::AtMost(1000.0)).note(format!(
            "p50 {:.1} ms of {}",
            fresh.quantile_ms(0.5)?,
            fresh.count()
        )),
        Row::value(8, "drain rates of 10 k, 100 k, 1 M apart by", (most / least - 1.0) * 100.0, "%")
            .at_most(30.0, 10.0)
            .note(format!("100 k, 10 k, 1 M: {}", rates.iter().map(|rate| format!("{rate:.0}/s")).collect::<Vec<_>>().join(", "))),
    ])
}

/// A clock that can be moved, and goes on from where it is.
struct Movable {
    file: PathBuf,
    hand: SharedClock,
    clock: Clock,
}

impl Movable {
    fn new() -> Result<Self> {
        let file = std::env::temp_dir().join(format!("steward-bench-clock-{}", Uuid::now_v7()));
        let hand = SharedClock::create(&file)?;
        Ok(Self { clock: Clock::shared(&file)?, hand, file })
    }
}

impl Drop for Movable {
    fn drop(&mut self) {
        // A file of eight bytes in the folder for such.
        drop(std::fs::remove_file(&self.file));
    }
}

/// Lets so many fall due at once; the rate, and how far ahead of an older one any of them was fired, in percent of all.
async fn drained(field: &Field<'_>, count: usize, one_by_one: bool) -> Result<(f64, f64)> {
    reset(field).await?;
    let time = Movable::new()?;
    let first = time.clock.now() + AHEAD;
    let span = SPREAD.as_micros();
    let due = |n: usize| first + SignedDuration::from_micros(i64::try_from(span * n as i128 / count as i128).unwrap_or_default());
    field.add("drain", count, due).await?;
    field.sql("ANALYZE bench_timers.timers").await?;
    let db = field.replica().await?;
    let firing = field.fire(&db, &time.clock, one_by_one)?;
    field.wait_for_index(count, Duration::from_millis(100)).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;

    let stop = CancellationToken::new();
    let begun = Instant::now();
    // None of them came due just now, or it would rightly overtake the others.
    time.hand.advance(AHEAD + SPREAD + SignedDuration::from_secs(2))?;
    let (fresh, elapsed) = tokio::join!(set_fresh(&db, &time.clock, &stop), async {
        let elapsed = until_fired(field, count, begun).await;
        stop.cancel();
        elapsed
    });
    fresh?;
    let elapsed = elapsed?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    firing.stop().await?;
    ensure!(field.fired("drain").await? == i64::try_from(count)?, "each of {count} timers fires once");
    let ahead: f64 = sqlx::query_scalar(
        "SELECT (100 * max(extract(epoch FROM sofar - due_time)) / $1)::float8 FROM (
             SELECT due_time, max(due_time) OVER (ORDER BY place) AS sofar FROM bench_timers.fired WHERE kind = 'drain') AS f",
    )
    .bind(SPREAD.as_secs_f64())
    .fetch_one(&field.pool)
    .await
    .context("looking at the order")?;
    Ok((rate(count, elapsed), ahead))
}

/// Sets a timer that is due at once, again and again.
async fn set_fresh(db: &Db, clock: &Clock, stop: &CancellationToken) -> Result<()> {
    while stop.run_until_cancelled(tokio::time::sleep(Duration::from_millis(50))).await.is_some() {
        let now = clock.now();
        let effects = Effects { timers: vec![TimerChange::set("fresh", Uuid::now_v7(), "", None, now)], ..Effects::none() };
        let mut connection = db.pool().acquire().await?;
        effects.write(db, &mut connection, now).await?;
        db.wake(&effects);
    }
    Ok(())
}

async fn until_fired(field: &Field<'_>, count: usize, begun: Instant) -> Result<Duration> {
    let wanted = i64::try_from(count)?;
    loop {
        ensure!(begun.elapsed() < Duration::from_secs(300), "{count} timers were not fired within five minutes");
        if field.fired_about().await? >= wanted && field.fired("drain").await? >= wanted {
            return Ok(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn bare_drained(field: &Field<'_>, count: usize) -> Result<f64> {
    reset(field).await?;
    let now = field.stage.clock.now();
    bare::add(field, count, |n| now - SignedDuration::from_micros(i64::try_from(count - n).unwrap_or_default())).await?;
    let begun = Instant::now();
    bare::fire(field, &field.stage.clock, count).await?;
    Ok(rate(count, begun.elapsed()))
}

async fn reset(field: &Field<'_>) -> Result<()> {
    field.sql("TRUNCATE bench_timers.timers, bench_timers.bare").await?;
    field.sql("TRUNCATE bench_timers.fired RESTART IDENTITY").await?;
    field.lose_index().await
}

#[expect(clippy::cast_precision_loss, reason = "a count of timers")]
fn rate(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}
