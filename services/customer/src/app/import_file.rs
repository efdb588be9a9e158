//! The file of an import, opened and read.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{PgConnection, PgExecutor};
use steward_kit::{Error, Result};

use super::App;
use crate::domain::estate_import::EstateImport;
use crate::domain::ids::EstateImportId;
use crate::domain::register_file::{FileFailure, RegisterFile};
use crate::store::estates::find_time_zone;
use crate::store::imports::read_parts;

/// The file that was read last, so that the steps of one import do not each read it anew. Losing it costs a moment.
#[derive(Debug, Default)]
pub(super) struct ReadFiles(Mutex<Option<(EstateImportId, Arc<RegisterFile>)>>);

impl ReadFiles {
    fn get(&self, id: EstateImportId) -> Option<Arc<RegisterFile>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(kept, _)| *kept == id).map(|(_, file)| Arc::clone(file))
    }

    fn keep(&self, id: EstateImportId, file: &Arc<RegisterFile>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, Arc::clone(file)));
    }

    /// Personal data are not kept longer than needed.
    pub(super) fn forget(&self, id: EstateImportId) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_some_and(|(kept, _)| *kept == id) {
            *kept = None;
        }
    }
}

impl App {
    /// What has arrived of a file.
    pub(super) async fn read_file_bytes(&self, executor: impl PgExecutor<'_>, import: &EstateImport) -> Result<Vec<u8>> {
        let wrapped = import.data_key.as_deref().ok_or_else(|| Error::bug("the file of an ended import is gone"))?;
        let key = self.vault.file_key(import.id, wrapped)?;
        let mut bytes = Vec::with_capacity(usize::try_from(import.received_bytes).unwrap_or(0));
        for part in read_parts(executor, import.id).await? {
            if part.offset_bytes != i64::try_from(bytes.len()).map_err(Error::internal)? {
                return Err(Error::bug(format_args!("a part of import {} is missing", import.id)));
            }
            bytes.extend(key.open(part.offset_bytes, &part.data)?);
        }
        Ok(bytes)
    }

    /// The complete file, read; or why it cannot be.
    pub(super) async fn register_file(
        &self,
        tx: &mut PgConnection,
        import: &EstateImport,
    ) -> Result<Result<Arc<RegisterFile>, FileFailure>> {
        if let Some(file) = self.files.get(import.id) {
            return Ok(Ok(file));
        }
        let time_zone = find_time_zone(tx, import.estate_id).await?;
        let bytes = self.read_file_bytes(tx, import).await?;
        let read = RegisterFile::read(&bytes, import.local_date(&time_zone)).map(Arc::new);
        if let Ok(file) = &read {
            self.files.keep(import.id, file);
        }
        Ok(read)
    }
}
