//! Touchpoints that ended longer ago than the care policy of their estate keeps them are deleted, so that what a household costs does
//! not grow with its years. What they amounted to stands in reports and evaluations.

use std::sync::Arc;

use jiff::SignedDuration;
use steward_kit::Result;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::store::touchpoints::prune;

/// Rows of one statement.
const CHUNK: i64 = 5000;

const EVERY: SignedDuration = SignedDuration::from_hours(24);

/// The job.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let again = app.clock.now() + EVERY;
        if let Err(error) = round(&app, &stop).await {
            tracing::warn!(error = ?error, "could not forget touchpoints that ended long ago");
        }
        stop.run_until_cancelled(app.clock.sleep_until(again)).await;
    }
}

async fn round(app: &App, stop: &CancellationToken) -> Result<()> {
    let before = app.kept_since(app.clock.now()).await?;
    while !stop.is_cancelled() && prune(app.db.pool(), &before, CHUNK).await? == CHUNK.unsigned_abs() {}
    Ok(())
}
