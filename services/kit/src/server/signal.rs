//! How a process is asked to end.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels `shutdown` at the first SIGTERM (Kubernetes) or SIGINT (a person at a terminal).
///
/// # Errors
/// The process cannot listen for signals.
pub fn cancel_on_signal(shutdown: CancellationToken) -> std::io::Result<()> {
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    #[allow(clippy::disallowed_methods, reason = "lives as long as the process and holds nothing")]
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to end, draining");
        shutdown.cancel();
    });
    Ok(())
}
