//! `steward-bench`: what speed was promised, measured against something that the same machine does in the same run.
//!
//! `cargo run --release -p steward-bench -- segments`, or `board`. It ends with an error when a promise is not kept.

#![allow(clippy::print_stdout, reason = "a benchmark tells its figures to people")]

mod board;
mod segments;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

#[tokio::main]
async fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match wanted.first().map_or("segments", String::as_str) {
        "segments" => segments::run(wanted.get(1).and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000)).await,
        "board" => board::run(wanted.get(1).and_then(|estates| estates.parse().ok()).unwrap_or(430)).await,
        other => Err(anyhow::anyhow!("there is no benchmark {other}; there are: board, segments")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The median of a few runs after one that warms up.
async fn median<F: Future<Output = Result<()>>>(mut run: impl FnMut() -> F) -> Result<Duration> {
    const RUNS: usize = 9;
    run().await?;
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = Instant::now();
        run().await?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[RUNS / 2])
}

/// Milliseconds as people read them.
fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
