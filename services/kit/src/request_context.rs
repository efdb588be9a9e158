//! What is known about the request being served, for whatever runs inside it.
//!
//! The server's stack opens the context; the error table reads the id from it, so that the answer `INTERNAL` and the
//! log line that explains it carry the same number, without every function passing it along.

use crate::ids::RequestId;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// Runs `work` as part of the request `id`.
pub async fn within<F: Future>(id: RequestId, work: F) -> F::Output {
    CURRENT.scope(id, work).await
}

/// The id of the request being served; `None` in background work.
pub fn current_request_id() -> Option<RequestId> {
    CURRENT.try_with(|id| *id).ok()
}
