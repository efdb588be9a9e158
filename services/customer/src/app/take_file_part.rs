//! A part of an import's file arrives; with the last one, planning starts by itself. Two trips for a part, one more for the
//! last.

use aws_lc_rs::digest;
use jiff::Timestamp;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::{Error, Result};
use steward_kit_store::{Claim, Effects, TimerChange};

use super::{App, Call};
use crate::domain::estate_import::{EstateImport, ImportState};
use crate::domain::ids::EstateImportId;
use crate::jobs::PLAN_IMPORT;
use crate::store::imports::{SealedPart, find_import, update_import};

/// A part of a file. Not to be printed: it holds personal data.
#[derive(Clone, Copy)]
pub(crate) struct FilePart<'a> {
    pub(crate) import_id: EstateImportId,
    pub(crate) offset: i64,
    pub(crate) data: &'a [u8],
}

/// How often a part is tried again when another stream was faster.
const TRIES: u32 = 3;

impl App {
    /// A part with a request id.
    pub(crate) async fn append_estate_import<R: Message + Default>(
        &self,
        call: &Call<'_, EstateImport, R>,
        part: FilePart<'_>,
    ) -> Result<R> {
        self.transact(call, "import", None, || async {
            let (before, now) = (self.get_estate_import(call.access, part.import_id).await?, self.clock.now());
            let Some((after, sealed)) = self.with_part(&before, part, now).await? else {
                // All of it was there: by this request, then its answer stands; by another one, then nothing is new.
                return Ok(Some(self.answered(call).await?.unwrap_or_else(|| (call.answer)(&before))));
            };
            let answer = (call.answer)(&after);
            let claim = Some(self.claim(call, &answer));
            let effects = received(&after, claim, now);
            let written = update_import(self.db.pool(), &after, Some(&sealed), effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }

    /// A part of a stream. It says where it belongs, so repeating it is safe without a request id.
    pub(crate) async fn take_file_part(&self, access: &Access, part: FilePart<'_>) -> Result<EstateImport> {
        for _ in 0..TRIES {
            let (before, now) = (self.get_estate_import(access, part.import_id).await?, self.clock.now());
            let Some((after, sealed)) = self.with_part(&before, part, now).await? else { return Ok(before) };
            let effects = received(&after, None, now);
            let written = update_import(self.db.pool(), &after, Some(&sealed), effects.json(now)).await;
            if let Some(after) = self.written(after, &effects, written)? {
                return Ok(after);
            }
        }
        Err(Error::Stale { resource: "import" })
    }

    /// One import through the caller's scope. One trip.
    pub(crate) async fn get_estate_import(&self, access: &Access, id: EstateImportId) -> Result<EstateImport> {
        let found = find_import(self.db.pool(), &access.scope, id).await?;
        found.ok_or_else(|| Error::not_found("import", id))
    }

    /// The import with the part, and the part sealed; `None` when all of it had arrived before.
    async fn with_part(&self, before: &EstateImport, part: FilePart<'_>, now: Timestamp) -> Result<Option<(EstateImport, SealedPart)>> {
        let taken = before.take_part(part.offset, part.data.len())?;
        let fresh = &part.data[taken.skipped..];
        if fresh.is_empty() {
            return Ok(None);
        }
        let wrapped = before.data_key.as_deref().ok_or_else(|| Error::bug("a receiving import has no key"))?;
        let key = self.vault.file_key(before.id, wrapped)?;
        let state = if taken.completes { ImportState::Planning } else { ImportState::Receiving };
        let length = i32::try_from(fresh.len()).map_err(Error::internal)?;
        let mut after = before.in_state(state, now);
        after.received_bytes += i64::from(length);
        if taken.completes && self.hash_with(before, fresh).await? != before.sha256 {
            self.empty(before, now).await?;
            return Err(Error::invalid("data", "HASH_MISMATCH", "the content has another SHA-256 than announced; send it again"));
        }
        let offset_bytes = before.received_bytes;
        Ok(Some((after, SealedPart { offset_bytes, length_bytes: length, data: key.seal(offset_bytes, fresh) })))
    }

    /// SHA-256 of what has arrived, and `last` after it.
    async fn hash_with(&self, import: &EstateImport, last: &[u8]) -> Result<Vec<u8>> {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(&self.read_file_bytes(self.db.pool(), import).await?);
        hash.update(last);
        Ok(hash.finish().as_ref().to_vec())
    }

    /// Forgets what has arrived.
    async fn empty(&self, before: &EstateImport, now: Timestamp) -> Result<()> {
        let after = EstateImport { received_bytes: 0, ..before.in_state(ImportState::Receiving, now) };
        let written = update_import(self.db.pool(), &after, None, Effects::none().json(now)).await;
        self.written((), &Effects::none(), written).map(|_| ())
    }
}

/// What follows a part: after the last one, the plan.
fn received(import: &EstateImport, claim: Option<Claim>, now: Timestamp) -> Effects {
    let timers = match import.state {
        ImportState::Planning => vec![TimerChange::set(PLAN_IMPORT, import.id, "", import.estate_id, now)],
        ImportState::Receiving
        | ImportState::Planned
        | ImportState::Applying
        | ImportState::Paused
        | ImportState::Applied
        | ImportState::Failed
        | ImportState::Cancelled
        | ImportState::Expired => vec![],
    };
    Effects { claim, events: vec![], timers }
}
