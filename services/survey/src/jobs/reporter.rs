//! Makes the drafts of reports whose day has come (SV-32).

use std::sync::Arc;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// A draft may be this much later than its day.
const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// The job.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let again = app.clock.now() + EVERY;
        if let Err(error) = app.draft_reports().await {
            tracing::warn!(error = ?error, "could not draft the reports that are due");
        }
        stop.run_until_cancelled(app.clock.sleep_until(again)).await;
    }
}
