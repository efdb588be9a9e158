//! Gives items of inboxes their positions as soon as they are committed, and wakes those who watch.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::store::inbox::sequence_items;

/// How long an item waits that another replica wrote, or whose hint was lost.
const SWEEP: Duration = Duration::from_secs(1);

/// A hint may come before its commit, so the look is repeated at growing distances.
const LOOKS: [Duration; 4] = [Duration::ZERO, Duration::from_millis(15), Duration::from_millis(60), Duration::from_millis(250)];

/// Runs until told to stop.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let hinted = tokio::select! {
            () = stop.cancelled() => return,
            () = app.wakes.inbox_changed() => true,
            () = tokio::time::sleep(SWEEP) => false,
        };
        for pause in LOOKS.iter().take(if hinted { LOOKS.len() } else { 1 }) {
            stop.run_until_cancelled(tokio::time::sleep(*pause)).await;
            match sequence_items(app.db.pool(), app.clock.now()).await {
                Ok(position) => app.wakes.reached(position),
                Err(error) => tracing::warn!(error = ?error, "inbox items wait for their positions"),
            }
        }
    }
}
