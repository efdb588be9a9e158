//! Verbs of an import: apply, pause, resume, cancel. Each takes the import's row first, so that it waits for the batch that is
//! being written and is then certain of what it found: an import that moves changes with every batch, and a verb that only
//! compared versions could lose that race for ever. Four trips, two of them to open and close the transaction.

use jiff::Timestamp;
use prost::Message;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult, TimerChange};

use super::{App, Call, Target};
use crate::domain::estate_import::{EstateImport, ImportState};
use crate::domain::ids::EstateImportId;
use crate::jobs::{EXPIRE_IMPORT, PLAN_IMPORT, WRITE_IMPORT};
use crate::store::imports::{lock_import, update_import};

/// What a verb makes of an import.
type Verb = fn(&EstateImport, Timestamp) -> Result<EstateImport>;

impl App {
    /// The good rows of a plan start to be written; the writing itself is a job.
    pub(crate) async fn apply_estate_import<R: Message + Default>(
        &self,
        call: &Call<'_, EstateImport, R>,
        target: Target<EstateImportId>,
    ) -> Result<R> {
        self.change_estate_import(call, target, EstateImport::applying).await
    }

    /// No further batch is planned or written.
    pub(crate) async fn pause_estate_import<R: Message + Default>(
        &self,
        call: &Call<'_, EstateImport, R>,
        target: Target<EstateImportId>,
    ) -> Result<R> {
        self.change_estate_import(call, target, EstateImport::paused).await
    }

    /// A paused import goes on.
    pub(crate) async fn resume_estate_import<R: Message + Default>(
        &self,
        call: &Call<'_, EstateImport, R>,
        target: Target<EstateImportId>,
    ) -> Result<R> {
        self.change_estate_import(call, target, EstateImport::resumed).await
    }

    /// An import ends before its end; its file is forgotten, rows written until then stay.
    pub(crate) async fn cancel_estate_import<R: Message + Default>(
        &self,
        call: &Call<'_, EstateImport, R>,
        target: Target<EstateImportId>,
    ) -> Result<R> {
        self.change_estate_import(call, target, EstateImport::cancelled).await
    }

    async fn change_estate_import<R: Message + Default>(
        &self,
        call: &Call<'_, EstateImport, R>,
        target: Target<EstateImportId>,
        verb: Verb,
    ) -> Result<R> {
        self.transact(call, "import", target.etag, || async {
            let mut tx = self.db.begin().await?;
            let before = lock_import(&mut tx, &call.access.scope, target.id).await?;
            let (before, now) = (before.ok_or_else(|| Error::not_found("import", target.id))?, self.clock.now());
            target.check("import", before.row_version)?;
            let after = verb(&before, now)?;
            let answer = (call.answer)(&after);
            let effects = Effects { claim: Some(self.claim(call, &answer)), events: vec![], timers: timers(&after, now) };
            let written = update_import(&mut *tx, &after, None, effects.json(now)).await;
            let Some(answer) = self.written(answer, &Effects::none(), written)? else { return Ok(None) };
            tx.commit().await.store()?;
            if after.state.is_ended() {
                self.files.forget(after.id);
            }
            self.db.wake(&effects);
            Ok(Some(answer))
        })
        .await
    }
}

/// What goes on by itself from here, and what does not.
fn timers(after: &EstateImport, now: Timestamp) -> Vec<TimerChange> {
    let step = |kind| vec![TimerChange::set(kind, after.id, "", after.estate_id, now)];
    match after.state {
        ImportState::Planning => step(PLAN_IMPORT),
        ImportState::Applying => step(WRITE_IMPORT),
        ImportState::Paused => vec![TimerChange::cancel(PLAN_IMPORT, after.id, ""), TimerChange::cancel(WRITE_IMPORT, after.id, "")],
        ImportState::Receiving | ImportState::Planned => vec![TimerChange::set(EXPIRE_IMPORT, after.id, "", after.estate_id, now)],
        ImportState::Applied | ImportState::Failed | ImportState::Cancelled | ImportState::Expired => {
            vec![TimerChange::cancel_all(after.id)]
        }
    }
}
