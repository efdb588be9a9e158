//! Background work that starts and stops with the process.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use steward_kit::telemetry::job_restarted;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::db::Db;
use crate::silence;

/// How long a job that panicked rests before it starts again.
const REST_AFTER_PANIC: Duration = Duration::from_secs(1);

/// The jobs of a process. They hear of the end by one token and are waited for.
#[derive(Debug, Clone, Default)]
pub struct JobSet {
    tracker: TaskTracker,
    stop: CancellationToken,
    begin_anew: watch::Sender<u64>,
}

impl JobSet {
    /// Jobs that stop when `stop` is cancelled.
    pub fn new(stop: CancellationToken) -> Self {
        Self { stop, ..Self::default() }
    }

    /// Minds the connections of `db`: if they fall silent, jobs do not wait on them for ever but begin anew.
    pub fn mind(&self, db: &Db) {
        let (db, begin_anew, stop) = (db.clone(), self.begin_anew.clone(), self.stop.clone());
        self.tracker.spawn(silence::watch(db, begin_anew, stop));
    }

    /// The token that ends the jobs.
    pub fn token(&self) -> &CancellationToken {
        &self.stop
    }

    /// Starts a job. It runs until the token is cancelled; one that panics or returns early is logged and started again,
    /// because a dead loop would keep no promise.
    pub fn spawn<F, Work>(&self, name: &'static str, job: F)
    where
        F: Fn(CancellationToken) -> Work + Send + Sync + 'static,
        Work: Future<Output = ()> + Send,
    {
        let (stop, mut begin_anew) = (self.stop.clone(), self.begin_anew.subscribe());
        job_restarted(0, name);
        self.tracker.spawn(async move {
            while !stop.is_cancelled() {
                begin_anew.mark_unchanged();
                let outcome = tokio::select! {
                    biased;
                    outcome = AssertUnwindSafe(job(stop.clone())).catch_unwind() => outcome,
                    Ok(()) = begin_anew.changed() => continue,
                };
                if stop.is_cancelled() {
                    break;
                }
                job_restarted(1, name);
                tracing::error!(job = name, panicked = outcome.is_err(), "a background job ended; it starts again");
                stop.run_until_cancelled(tokio::time::sleep(REST_AFTER_PANIC)).await;
            }
        });
    }

    /// Tells every job to stop and waits for them, at most `within`. Says whether all of them did.
    pub async fn stop(&self, within: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(within, self.tracker.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::sync::Notify;

    #[tokio::test]
    async fn a_job_that_panics_starts_again_and_stops_when_told() {
        let jobs = JobSet::default();
        let (has_failed, runs_again) = (Arc::new(AtomicBool::default()), Arc::new(Notify::new()));
        let told = runs_again.clone();
        jobs.spawn("test", move |stop| {
            let (is_second, told) = (has_failed.swap(true, Ordering::SeqCst), told.clone());
            async move {
                assert!(is_second, "the first run fails");
                told.notify_one();
                stop.cancelled().await;
            }
        });
        tokio::time::timeout(REST_AFTER_PANIC * 30, runs_again.notified()).await.expect("it starts again");
        assert!(jobs.stop(Duration::from_secs(10)).await);
    }
}
