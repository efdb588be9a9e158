//! The keeper of facts as a job. It looks a few times a second whether a household changed or a day ended: one query over
//! two small tables. Every replica looks; a lock for each estate divides the work.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(5);

/// Keeps facts until it is stopped.
pub(super) async fn keep(app: Arc<App>, stop: CancellationToken) {
    loop {
        let rest = match app.keep_facts().await {
            Ok(true) => Duration::ZERO,
            Ok(false) => LOOK_EVERY,
            Err(error) => {
                tracing::warn!(error = ?error, "facts could not be kept; they are behind until the next look");
                PAUSE
            }
        };
        if stop.run_until_cancelled(tokio::time::sleep(rest)).await.is_none() {
            return;
        }
    }
}
