//! Takes running frame jobs on, a step at a time. Every replica may: a step that another has taken writes nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;

/// How long a job waits whose hint was lost, or whose step failed.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Runs until told to stop; a step under way is finished first.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if !round(&app, &stop).await {
            tokio::select! {
                () = stop.cancelled() => {}
                () = app.frame_work() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }
}

/// One step of each running job. Says whether to go on at once.
async fn round(app: &App, stop: &CancellationToken) -> bool {
    let jobs = match app.running_frame_jobs().await {
        Ok(jobs) => jobs,
        Err(error) => {
            tracing::warn!(error = ?error, "could not look for frame jobs");
            return false;
        }
    };
    let mut more = false;
    for job in jobs {
        if stop.is_cancelled() {
            return false;
        }
        match app.step_frame_job(job).await {
            Ok(goes_on) => more |= goes_on,
            Err(error) => tracing::warn!(%job, error = ?error, "a step of a frame job failed; it is tried again"),
        }
    }
    more
}
