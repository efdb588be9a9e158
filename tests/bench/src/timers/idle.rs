//! Row 7: what it costs to wait.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};

use super::field::Field;
use crate::{row::Row, trips::Commands};

const SHARDS: f64 = 8.0;

pub(super) async fn run(field: &Field<'_>, pending: usize) -> Result<Vec<Row>> {
    let span = Duration::from_secs(if field.stage.options.quick { 5 } else { 30 });
    let db = field.replica().await?;
    let firing = field.fire(&db, &field.stage.clock, false)?;
    field.wait_for_index(pending, Duration::from_millis(200)).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;

    let (spent, asked) = (cpu_time()?, Commands::now(field.stage).await?);
    tokio::time::sleep(span).await;
    let (spent, asked) = (cpu_time()? - spent, Commands::now(field.stage).await?.since(&asked));
    firing.stop().await?;

    let share = spent.as_secs_f64() / span.as_secs_f64() * 100.0;
    #[expect(clippy::cast_precision_loss, reason = "a count of commands")]
    let commands = asked.all() as f64 / span.as_secs_f64() / SHARDS;
    Ok(vec![
        Row::value(7, format!("timer loops idle, {pending} pending: core"), share, "%").at_most(0.5, 0.1).note(format!("over {span:?}")),
        Row::value(7, "the same: Redis commands a second a shard", commands, "/s")
            .at_most(10.0, 1.0)
            .note(format!("those inside scripts too: {}", asked.told())),
    ])
}

/// Time that every thread of this process has had, to the nanosecond.
fn cpu_time() -> Result<Duration> {
    let mut all = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        // One that ended meanwhile was idle enough.
        if let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) {
            all += text.split_whitespace().next().context("an empty schedstat")?.parse::<u64>()?;
        }
    }
    Ok(Duration::from_nanos(all))
}
