//! Frame jobs: begun, paused, resumed, given up.

use prost::Message;
use steward_kit::auth::Access;
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::App;
use super::transact::{Call, Follows, TRIES, Target, or_repeated};
use super::watch::Watcher;
use crate::domain::codes::WaveState;
use crate::domain::ids::FrameJobId;
use crate::domain::{FrameJob, Wave};
use crate::store::records::{Record, Stored};
use steward_kit_store::Effects;

impl App {
    /// Begins the making of a frame. Three statements in one transaction: the wave and its new job belong together.
    pub(crate) async fn frame_wave<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&FrameJob, &Wave) -> A + Sync,
    ) -> Result<A> {
        for _ in 0..TRIES {
            let before: Wave = or_repeated!(self, call, self.load(call.access, target.id).await);
            if target.etag.is_some_and(|seen| seen != before.row_version) {
                break;
            }
            let now = self.clock.now();
            or_repeated!(self, call, self.may_frame(call.access, &before).await);
            let job = FrameJob::new(before.estate_id, before.id, now);
            let mut after = Wave { frame_job_id: Some(job.id), update_time: now, ..before.clone() };
            after.set_row(before.row_version + 1, now);
            let response = answer(&job, &after);
            let effects = self.effects(call, &response, Follows::nothing());
            let mut tx = self.db.begin().await?;
            match after.save(&mut tx, &self.cipher, before.row_version, &effects, now).await? {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) => {
                    drop(tx);
                    return self.failed(call, error).await;
                }
            }
            job.insert(&mut tx, &self.cipher, &Effects::none(), now).await?.map_err(steward_kit_store::store_error)?;
            tx.commit().await.map_err(steward_kit_store::store_error)?;
            self.frame_work.notify_one();
            return Ok(response);
        }
        self.unless_repeated(call, Error::Stale { resource: "wave" }).await
    }

    async fn may_frame(&self, access: &Access, wave: &Wave) -> Result<()> {
        wave.must_be(WaveState::Draft, "a frame is made of a draft")?;
        let Some(job) = wave.frame_job_id else { return Ok(()) };
        let job: FrameJob = self.load(access, job).await?;
        if job.has_ended() { Ok(()) } else { Err(wave.forbids("a frame is being made; pause or cancel its job")) }
    }

    /// Lets a job stand still, go on, or gives it up. Two trips.
    pub(crate) async fn turn_frame_job<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        turn: fn(&FrameJob, jiff::Timestamp) -> Result<FrameJob>,
        answer: impl Fn(&FrameJob) -> A + Sync,
    ) -> Result<A> {
        let answered = self.change(call, target, |job: &FrameJob, now| Ok((turn(job, now)?, Follows::nothing())), answer).await?;
        self.frame_work.notify_one();
        Ok(answered)
    }

    /// Watches a job from now on.
    pub(crate) fn watch_frame_job(&self, id: FrameJobId) -> Watcher {
        self.watch.watch(id.as_uuid())
    }

    /// Waits until a frame job may have work.
    pub(crate) async fn frame_work(&self) {
        self.frame_work.notified().await;
    }

    /// A frame job has changed outside of [`App::change`].
    pub(super) fn frame_job_changed(&self, id: Uuid) {
        self.watch.changed(id);
    }
}
