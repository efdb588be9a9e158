//! An import ends before its end; its file is forgotten, rows written until then stay. Two trips.

use prost::Message;
use steward_kit::Result;
use steward_kit_store::{Effects, TimerChange};

use super::{App, Call, Target};
use crate::domain::estate_import::EstateImport;
use crate::domain::ids::EstateImportId;
use crate::store::imports::update_import;

impl App {
    pub(crate) async fn cancel_estate_import<R: Message + Default>(
        &self,
        call: &Call<'_, EstateImport, R>,
        target: Target<EstateImportId>,
    ) -> Result<R> {
        self.transact(call, "estate import", target.etag, || async {
            let (before, now) = (self.get_estate_import(call.access, target.id).await?, self.clock.now());
            target.check("estate import", before.row_version)?;
            let after = before.cancelled(now)?;
            let answer = (call.answer)(&after);
            let timers = vec![TimerChange::cancel_all(after.id)];
            let effects = Effects { claim: Some(self.claim(call, &answer)), events: vec![], timers };
            let written = update_import(self.db.pool(), &after, None, effects.json(now)).await;
            self.files.forget(after.id);
            self.written(answer, &effects, written)
        })
        .await
    }
}
