//! The stream of an order: its state now, and again whenever it is newer. Wakes are hints; the version decides.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, stream};
use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::ids::WorkOrderId;
use steward_proto::work_order::v1 as pb;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::encode;
use crate::app::{App, Watcher};

/// What WatchWorkOrder answers.
pub(super) type Watched = Pin<Box<dyn Stream<Item = Result<pb::WatchWorkOrderResponse, Status>> + Send>>;

/// How long a change stays unnoticed whose hint was lost.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

struct Watching {
    app: Arc<App>,
    access: Access,
    id: WorkOrderId,
    watcher: Watcher,
    seen: Option<i64>,
    ended: bool,
    shutdown: CancellationToken,
}

/// Watches an order from version `seen` on; `None` sends the present state at once.
pub(super) async fn watch(
    app: Arc<App>,
    access: Access,
    id: WorkOrderId,
    seen: Option<i64>,
    shutdown: CancellationToken,
) -> Result<Watched> {
    // Watched before it is read, so that no change falls in between.
    let watcher = app.watch(id);
    app.load(&access, id).await?;
    let watching = Watching { app, access, id, watcher, seen, ended: false, shutdown };
    Ok(Box::pin(stream::unfold(watching, |mut watching| async move {
        let next = watching.next().await?;
        Some((next.map_err(Status::from), watching))
    })))
}

impl Watching {
    /// The next state that is newer; `None` when the order has ended or the process does.
    async fn next(&mut self) -> Option<Result<pb::WatchWorkOrderResponse>> {
        while !self.ended {
            match self.app.load(&self.access, self.id).await {
                Ok(order) if self.seen.is_none_or(|seen| order.row_version > seen) => {
                    self.seen = Some(order.row_version);
                    self.ended = order.state.is_ended();
                    return Some(Ok(pb::WatchWorkOrderResponse { work_order: Some(encode::work_order(&order, &self.access)) }));
                }
                Ok(order) => self.ended = order.state.is_ended(),
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
            if !self.ended {
                tokio::select! {
                    () = self.watcher.changed() => {}
                    () = tokio::time::sleep(LOOK_AGAIN) => {}
                    () = self.shutdown.cancelled() => self.ended = true,
                }
            }
        }
        None
    }
}
