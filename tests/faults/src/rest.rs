//! Rest: nothing waits anywhere.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;

use crate::{checks, site::Site};

/// How long everything may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(120);

/// After so long without rest the clock is moved: what a process held when it died is free again when its lease is over.
const LEASES_HURRY: Duration = Duration::from_secs(2);

/// Waits until nothing waits anywhere of what came since `since`. Returns how long that is after `over`.
///
/// # Errors
/// It takes too long; the error says what waits.
pub async fn at_rest(site: &Site, db: &PgPool, since: Timestamp, over: Instant) -> Result<Duration> {
    let mut hurried = Instant::now();
    let begun = Instant::now();
    loop {
        let waiting = checks::waiting(db, site.now(), since).await?;
        if waiting.is_empty() {
            return Ok(over.elapsed());
        }
        ensure!(begun.elapsed() < PATIENCE, "no rest after {} s: {waiting:?}; logs in {}", PATIENCE.as_secs(), site.logs().display());
        if hurried.elapsed() > LEASES_HURRY {
            hurried = Instant::now();
            site.step(SignedDuration::from_secs(30))?;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
