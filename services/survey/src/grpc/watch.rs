//! The stream of a frame job: as it is now, and again whenever it is newer. Wakes are hints; the version decides.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, stream};
use steward_kit::Result;
use steward_kit::auth::Access;
use steward_proto::survey::v1 as pb;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::encode;
use crate::app::{App, Watcher};
use crate::domain::FrameJob;
use crate::domain::ids::FrameJobId;

/// What WatchFrameJob answers.
pub(super) type Watched = Pin<Box<dyn Stream<Item = Result<pb::WatchFrameJobResponse, Status>> + Send>>;

/// How long a change of another replica stays unnoticed.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

struct Watching {
    app: Arc<App>,
    access: Access,
    id: FrameJobId,
    watcher: Watcher,
    seen: Option<i64>,
    ended: bool,
    shutdown: CancellationToken,
}

/// Watches a job.
pub(super) async fn watch(app: Arc<App>, access: Access, id: FrameJobId, shutdown: CancellationToken) -> Result<Watched> {
    // Watched before it is read, so that no change falls in between.
    let watcher = app.watch_frame_job(id);
    let _: FrameJob = app.load(&access, id).await?;
    let watching = Watching { app, access, id, watcher, seen: None, ended: false, shutdown };
    Ok(Box::pin(stream::unfold(watching, |mut watching| async move {
        let next = watching.next().await?;
        Some((next.map_err(Status::from), watching))
    })))
}

impl Watching {
    /// The next state that is newer; `None` when the job has ended or the process does.
    async fn next(&mut self) -> Option<Result<pb::WatchFrameJobResponse>> {
        while !self.ended {
            match self.app.load::<FrameJob>(&self.access, self.id).await {
                Ok(job) if self.seen.is_none_or(|seen| job.row_version > seen) => {
                    self.seen = Some(job.row_version);
                    self.ended = job.has_ended();
                    return Some(Ok(pb::WatchFrameJobResponse { frame_job: Some(encode::frame_job(&job)) }));
                }
                Ok(job) => self.ended = job.has_ended(),
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
