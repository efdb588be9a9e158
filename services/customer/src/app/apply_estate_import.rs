//! The good rows of a plan start to be written. Two trips; the writing itself is a job.

use prost::Message;
use steward_kit::Result;
use steward_kit_store::{Effects, TimerChange};

use super::{App, Call, Target};
use crate::domain::estate_import::EstateImport;
use crate::domain::ids::EstateImportId;
use crate::jobs::WRITE_IMPORT;
use crate::store::imports::update_import;

impl App {
    pub(crate) async fn apply_estate_import<R: Message + Default>(
        &self,
        call: &Call<'_, EstateImport, R>,
        target: Target<EstateImportId>,
    ) -> Result<R> {
        self.transact(call, "estate import", target.etag, || async {
            let (before, now) = (self.get_estate_import(call.access, target.id).await?, self.clock.now());
            target.check("estate import", before.row_version)?;
            let after = before.applying(now)?;
            let answer = (call.answer)(&after);
            let timers = vec![TimerChange::set(WRITE_IMPORT, after.id, "", after.estate_id, now)];
            let effects = Effects { claim: Some(self.claim(call, &answer)), events: vec![], timers };
            let written = update_import(self.db.pool(), &after, None, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }
}
