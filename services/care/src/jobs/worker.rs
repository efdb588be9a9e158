//! Does what timers woke. A failure costs the length of a lease: the timer was set again before the work was tried.

use std::sync::Arc;

use steward_kit::Result;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Work};

/// Runs until told to stop; work under way is finished first.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    // What was due when the process ended is due now.
    app.wakes.add(Work::Act);
    while let Some(work) = stop.run_until_cancelled(app.wakes.take()).await {
        if let Err(error) = one(&app, work).await {
            tracing::warn!(?work, error = ?error, "could not be done now; its timer tries again");
        }
    }
}

async fn one(app: &App, work: Work) -> Result<()> {
    match work {
        Work::Act => app.act().await,
        Work::Plan(programme, estate) => app.plan_programme(programme.into(), estate.into()).await,
        Work::Round(round) => app.prepare_round(round).await,
    }
}
