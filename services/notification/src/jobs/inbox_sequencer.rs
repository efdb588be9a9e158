//! Gives items of inboxes their positions as soon as they are committed, and wakes those who watch.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::store::inbox::sequence_items;

/// How long an item waits that another replica wrote, or whose hint was lost.
const SWEEP: Duration = Duration::from_secs(1);

/// A hint may come before its commit, so the look is repeated at growing distances. A further hint begins them anew: what it speaks
/// of must not wait for the last look at what came before it.
const LOOKS: [Duration; 4] = [Duration::from_millis(2), Duration::from_millis(15), Duration::from_millis(60), Duration::from_millis(250)];

/// Runs until told to stop.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    // Looks that are done since the last hint.
    let mut looks = LOOKS.len();
    while !stop.is_cancelled() {
        let pause = LOOKS.get(looks).copied();
        let hinted = tokio::select! {
            () = stop.cancelled() => return,
            () = app.wakes.inbox_changed(), if looks > 0 => true,
            () = tokio::time::sleep(pause.unwrap_or(SWEEP)) => false,
        };
        if hinted {
            looks = 0;
            continue;
        }
        looks = (looks + 1).min(LOOKS.len());
        match sequence_items(app.db.pool(), app.clock.now()).await {
            Ok(position) => app.wakes.reached(position),
            Err(error) => tracing::warn!(error = ?error, "inbox items wait for their positions"),
        }
    }
}
