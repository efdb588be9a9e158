//! Single calls, timed a few times.

use std::time::{Duration, Instant};

use anyhow::Result;

/// The median of a few runs after one that warms up.
pub(crate) async fn median<F: Future<Output = Result<()>>>(mut run: impl FnMut() -> F) -> Result<Duration> {
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
pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
