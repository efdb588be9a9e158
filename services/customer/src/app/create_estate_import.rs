//! A file is announced. One trip.

use prost::Message;
use steward_kit::Result;
use steward_kit::ids::EstateId;
use steward_kit_store::{Effects, TimerChange};

use super::{App, Call};
use crate::domain::estate_import::{EstateImport, ImportState, Progress, UPLOAD_WAITS};
use crate::domain::ids::EstateImportId;
use crate::jobs::EXPIRE_IMPORT;
use crate::store::imports::insert_import;

/// A file to come.
#[derive(Debug, Clone)]
pub(crate) struct NewImport {
    pub(crate) estate_id: EstateId,
    pub(crate) file_name: String,
    pub(crate) size_bytes: i64,
    pub(crate) sha256: Vec<u8>,
}

impl App {
    pub(crate) async fn create_estate_import<R: Message + Default>(&self, call: &Call<'_, EstateImport, R>, new: NewImport) -> Result<R> {
        self.transact(call, "import", None, || async {
            let now = self.clock.now();
            let estate = call.access.scope.estate(new.estate_id)?;
            let id = EstateImportId::new();
            let import = EstateImport {
                id,
                estate_id: estate.id(),
                file_name: new.file_name.clone(),
                size_bytes: new.size_bytes,
                received_bytes: 0,
                sha256: new.sha256.clone(),
                data_key: Some(self.vault.new_file_key(id)),
                state: ImportState::Receiving,
                paused_state: None,
                progress: Progress::default(),
                ignored_columns: vec![],
                failure_code: String::new(),
                failure_detail: String::new(),
                created_by: call.access.principal.subject.clone(),
                row_version: 1,
                create_time: now,
                update_time: now,
                end_time: None,
            };
            let answer = (call.answer)(&import);
            let left = now + UPLOAD_WAITS;
            let timers = vec![TimerChange::set(EXPIRE_IMPORT, id, "", import.estate_id, left)];
            let effects = Effects { claim: Some(self.claim(call, &answer)), events: vec![], timers };
            let written = insert_import(self.db.pool(), estate, &import, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }
}
