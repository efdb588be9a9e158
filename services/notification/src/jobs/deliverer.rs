//! Makes the attempts that timers woke, several at once.

use std::collections::HashSet;
use std::sync::Arc;

use steward_kit::Result;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::domain::ids::DeliveryId;

/// Most attempts of one process at once: most of their time is waiting for others.
const AT_ONCE: usize = 32;

/// Runs until told to stop; attempts under way are finished first.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut running: JoinSet<(DeliveryId, Result<()>)> = JoinSet::new();
    let mut under_way: HashSet<DeliveryId> = HashSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(ended) = running.join_next(), if !running.is_empty() => note(ended, &mut under_way),
            due = app.wakes.take_attempts() => {
                for delivery in due {
                    // A clock that was moved may wake an attempt whose lease only seems to be over.
                    if !under_way.insert(delivery) {
                        continue;
                    }
                    while running.len() >= AT_ONCE {
                        if let Some(ended) = running.join_next().await {
                            note(ended, &mut under_way);
                        }
                    }
                    let app = app.clone();
                    running.spawn(async move { (delivery, app.attempt_delivery(delivery).await) });
                }
            }
        }
    }
    while running.join_next().await.is_some() {}
}

fn note(ended: Result<(DeliveryId, Result<()>), tokio::task::JoinError>, under_way: &mut HashSet<DeliveryId>) {
    match ended {
        Ok((delivery, outcome)) => {
            under_way.remove(&delivery);
            if let Err(error) = outcome {
                tracing::warn!(%delivery, error = ?error, "an attempt was not recorded; it is made again when its lease ends");
            }
        }
        Err(error) => {
            // Which one panicked is not told; forgetting all of them costs a claim that finds nothing.
            under_way.clear();
            tracing::error!(%error, "an attempt panicked");
        }
    }
}
