//! Gives items of inboxes their positions as soon as they are committed, and wakes those who watch.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::store::inbox::{BATCH, sequence_items};

/// How long an item waits that another replica wrote, or whose hint was lost.
const SWEEP: Duration = Duration::from_secs(1);

/// Runs until told to stop.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    let (mut reached, mut is_behind) = (0, false);
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.wakes.inbox_changed() => {}
            () = tokio::time::sleep(if is_behind { Duration::ZERO } else { SWEEP }) => {}
        }
        match sequence_items(app.db.pool(), app.clock.now()).await {
            Ok(position) => {
                is_behind = position - reached >= BATCH;
                reached = position;
                app.wakes.reached(position);
            }
            Err(error) => {
                is_behind = false;
                tracing::warn!(error = ?error, "inbox items wait for their positions");
            }
        }
    }
}
