//! Callers: a fixed number of them one call after the other (closed loop, for rates), or calls at fixed times whoever still waits
//! (open loop, for latency: a call that could not begin because others were slow counts from the time it should have begun).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::quantiles::Times;

/// What a load saw.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// Calls a second.
    pub(crate) rate: f64,
    /// How long each took.
    pub(crate) times: Times,
}

/// So many callers for so long, each with its number; a call gets the number of its caller.
pub(crate) async fn closed<C, F>(callers: usize, span: Duration, call: C) -> Result<Load>
where
    C: Fn(usize) -> F + Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let begun = Instant::now();
    let end = begun + span;
    let mut loops = JoinSet::new();
    for caller in 0..callers {
        let call = call.clone();
        loops.spawn(async move {
            let mut times = Vec::with_capacity(4096);
            while Instant::now() < end {
                let start = Instant::now();
                call(caller).await?;
                times.push(start.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = loops.join_next().await {
        times.append(&mut done.context("a caller of the load")??);
    }
    ensure!(!times.is_empty(), "no call was made within {span:?}");
    #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
    let rate = times.len() as f64 / begun.elapsed().as_secs_f64();
    Ok(Load { rate, times: Times::new(times) })
}

/// Calls that may wait at once; a load that needs more is not carried, and the run says so.
const WAITING: usize = 20_000;

/// So many calls a second for so long, at fixed distances; a call gets its own number. Times count from when a call was due.
pub(crate) async fn open<C, F>(rate: f64, span: Duration, call: C) -> Result<Load>
where
    C: Fn(u64) -> F + Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(WAITING));
    let begun = Instant::now();
    let mut calls = JoinSet::new();
    let mut times = Vec::new();
    let mut number = 0_u64;
    loop {
        #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
        let after = Duration::from_secs_f64(number as f64 / rate);
        if after >= span {
            break;
        }
        let due = begun + after;
        if Instant::now() < due {
            sleep_until(due).await;
        }
        let place = Arc::clone(&places).try_acquire_owned().ok().context("the load is more than is carried: too many calls wait")?;
        let call = call.clone();
        let at = number;
        calls.spawn(async move {
            call(at).await?;
            drop(place);
            anyhow::Ok(due.elapsed())
        });
        number += 1;
        while let Some(done) = calls.try_join_next() {
            times.push(done.context("a call of the load")??);
        }
    }
    while let Some(done) = calls.join_next().await {
        times.push(done.context("a call of the load")??);
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
    let rate = times.len() as f64 / begun.elapsed().as_secs_f64();
    Ok(Load { rate, times: Times::new(times) })
}

/// Hands out numbers to callers that must not use one twice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter(Arc<AtomicU64>);

impl Counter {
    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_open_load_counts_the_wait_of_what_was_due() {
        // One call at a time, each of 6 ms, due every 2 ms: the last of ten is due at 18 ms and ends at 60 or later.
        let one = Arc::new(Semaphore::new(1));
        let load = open(500.0, Duration::from_millis(20), move |_| {
            let one = Arc::clone(&one);
            async move {
                let _turn = one.acquire().await?;
                tokio::time::sleep(Duration::from_millis(6)).await;
                Ok(())
            }
        });
        let load = load.await.unwrap();
        assert_eq!(load.times.count(), 10);
        assert!(load.times.quantile_ms(1.0) >= 40.0, "{}", load.times.quantile_ms(1.0));
    }

    #[tokio::test]
    async fn a_closed_load_has_no_more_calls_under_way_than_callers() {
        let places = Arc::new(Semaphore::new(4));
        let load = closed(4, Duration::from_millis(100), move |_| {
            let places = Arc::clone(&places);
            async move {
                let _place = places.try_acquire()?;
                tokio::time::sleep(Duration::from_millis(2)).await;
                Ok(())
            }
        });
        assert!(load.await.unwrap().times.count() >= 8);
    }
}
