//! Forgets what nothing looks at any more: business keys of old messages, contacts that no cap can see.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use steward_kit::Result;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::store::contacts::forget_contacts;
use crate::store::erasure::forget_keys;

/// How long a business key makes a message single (NT-40): longer than any event is told again, and than the year between
/// two greetings of one kind.
const KEYS_FOR: SignedDuration = SignedDuration::from_hours(24 * 400);

/// Rows deleted by one statement: short locks, little to undo.
const CHUNK: i64 = 5000;

const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(30);

/// Runs until told to stop: at once, then every hour by the clock.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let again = app.clock.now() + EVERY;
        if let Err(error) = round(&app, app.clock.now()).await {
            tracing::warn!(error = ?error, "old keys and contacts are not forgotten yet");
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        } else {
            stop.run_until_cancelled(app.clock.sleep_until(again)).await;
        }
    }
}

async fn round(app: &App, now: Timestamp) -> Result<()> {
    let before = now.saturating_sub(KEYS_FOR).unwrap_or(Timestamp::UNIX_EPOCH);
    while forget_keys(app.db.pool(), before, CHUNK).await? >= CHUNK.unsigned_abs() {}
    while forget_contacts(app.db.pool(), now, CHUNK).await? >= CHUNK.unsigned_abs() {}
    Ok(())
}
