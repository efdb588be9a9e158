//! Imports of whole estates: where one stands, and what it may do next (CP-53).

mod judge;
mod register;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use steward_kit::Error;
use steward_kit::error::WrongState;
use steward_kit::ids::{CustomerId, EstateId, UnitId};

use super::ids::EstateImportId;
use super::register_file::{FileFailure, Problem};
use steward_kit::codes;

pub use judge::{CustomerStep, Judgement, Steps, TenureStep, UnitStep, judge};
pub use register::{Register, RegisteredCustomer, RegisteredUnit};

/// Largest file: 64 MiB.
pub const MAX_FILE_BYTES: i64 = 64 * 1024 * 1024;

/// How long an upload that broke off is waited for, from its last byte.
pub const UPLOAD_WAITS: SignedDuration = SignedDuration::from_hours(24);
/// How long a plan waits for review, and a paused import for whoever paused it.
pub const DECISION_WAITS: SignedDuration = SignedDuration::from_hours(24 * 30);

codes! {
    /// Where an import stands.
    ImportState {
        /// Waits for bytes.
        Receiving = "receiving",
        /// Each row is being judged.
        Planning = "planning",
        /// Waits for review.
        Planned = "planned",
        /// The good rows are being written.
        Applying = "applying",
        /// Every good row is written.
        Applied = "applied",
        /// The file cannot be read.
        Failed = "failed",
        /// Ended before its end.
        Cancelled = "cancelled",
        /// Stopped between two batches.
        Paused = "paused",
        /// Nobody went on with it in time.
        Expired = "expired",
    }
}

codes! {
    /// What applying a row does.
    RowAction {
        /// Creates something.
        Create = "create",
        /// Creates nothing, changes something.
        Update = "update",
        /// Changes nothing.
        Unchanged = "unchanged",
        /// Is refused.
        Refuse = "refuse",
    }
}

impl ImportState {
    /// Nothing happens any more, and the file is gone.
    pub fn is_ended(self) -> bool {
        match self {
            Self::Applied | Self::Failed | Self::Cancelled | Self::Expired => true,
            Self::Receiving | Self::Planning | Self::Planned | Self::Applying | Self::Paused => false,
        }
    }

    /// How long it waits for somebody: it keeps its estate and a file with personal data meanwhile. `None` when it goes on by
    /// itself, or has ended.
    fn patience(self) -> Option<SignedDuration> {
        match self {
            Self::Receiving => Some(UPLOAD_WAITS),
            Self::Planned | Self::Paused => Some(DECISION_WAITS),
            Self::Planning | Self::Applying | Self::Applied | Self::Failed | Self::Cancelled | Self::Expired => None,
        }
    }

    /// Verbs that the state allows, as the API names them.
    fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Receiving => &["UploadEstateImport", "AppendEstateImport", "CancelEstateImport"],
            Self::Planning | Self::Applying => &["PauseEstateImport", "CancelEstateImport"],
            Self::Planned => &["ApplyEstateImport", "CancelEstateImport"],
            Self::Paused => &["ResumeEstateImport", "CancelEstateImport"],
            Self::Applied | Self::Failed | Self::Cancelled | Self::Expired => &[],
        }
    }
}

/// The numbers of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Data rows in the file; 0 until planned.
    pub row_count: i32,
    /// Rows judged so far.
    pub planned_count: i32,
    /// Rows written so far, unchanged ones among them.
    pub applied_count: i32,
    /// Rows that create something.
    pub create_count: i32,
    /// Rows that change something.
    pub update_count: i32,
    /// Rows that say what is recorded already.
    pub unchanged_count: i32,
    /// Rows refused.
    pub refused_count: i32,
}

impl Progress {
    /// Counts one more row with this verdict.
    pub fn count(&mut self, action: RowAction) {
        *self.of(action) += 1;
    }

    /// Counts a row whose verdict has changed.
    pub fn recount(&mut self, before: RowAction, after: RowAction) {
        *self.of(before) -= 1;
        *self.of(after) += 1;
    }

    fn of(&mut self, action: RowAction) -> &mut i32 {
        match action {
            RowAction::Create => &mut self.create_count,
            RowAction::Update => &mut self.update_count,
            RowAction::Unchanged => &mut self.unchanged_count,
            RowAction::Refuse => &mut self.refused_count,
        }
    }
}

/// An import as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EstateImport {
    /// Its id.
    pub id: EstateImportId,
    /// The estate.
    pub estate_id: EstateId,
    /// Name of the file, only to be shown.
    pub file_name: String,
    /// Size as announced.
    pub size_bytes: i64,
    /// Bytes received without a gap.
    pub received_bytes: i64,
    /// SHA-256 as announced.
    pub sha256: Vec<u8>,
    /// The file's key, wrapped; gone when the import has ended.
    pub data_key: Option<Vec<u8>>,
    /// Where it stands.
    pub state: ImportState,
    /// What it was doing when it was paused; `None` unless paused.
    pub paused_state: Option<ImportState>,
    /// Its numbers.
    pub progress: Progress,
    /// Header names that were ignored.
    pub ignored_columns: Vec<String>,
    /// Code of the failure of the whole file.
    pub failure_code: String,
    /// The same in words.
    pub failure_detail: String,
    /// Who created it.
    pub created_by: String,
    /// Rises with each change.
    pub row_version: i64,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
    /// When it ended.
    pub end_time: Option<Timestamp>,
}

/// The verdict on one row, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// Line in the file.
    pub line: u32,
    /// What applying it does.
    pub action: RowAction,
    /// Full code of the unit.
    pub unit_full_code: String,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Whether it is written.
    pub is_applied: bool,
    /// The unit, once known.
    pub unit_id: Option<UnitId>,
    /// The customer, once known.
    pub customer_id: Option<CustomerId>,
}

/// What becomes of a part of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartTaken {
    /// Bytes at its beginning that had arrived before.
    pub skipped: usize,
    /// Whether the file is complete with it.
    pub completes: bool,
}

impl EstateImport {
    /// Takes a part of `length` bytes at `offset`.
    ///
    /// # Errors
    /// `IMPORT_STATE_FORBIDS` unless receiving; `OFFSET_GAP` beyond what has arrived; `FILE_TOO_LARGE` past the
    /// announced size.
    pub fn take_part(&self, offset: i64, length: usize) -> Result<PartTaken, Error> {
        if self.state != ImportState::Receiving {
            return Err(self.forbidden("the file is complete"));
        }
        if offset > self.received_bytes {
            let detail = format!("received_bytes is {}: send on from there", self.received_bytes);
            let refusal = WrongState::new("OFFSET_GAP", self.subject(), self.state.as_str(), self.state.allowed().to_vec(), detail);
            return Err(refusal.into());
        }
        let end = offset.saturating_add(i64::try_from(length).unwrap_or(i64::MAX));
        if end > self.size_bytes {
            return Err(Error::invalid("data", "FILE_TOO_LARGE", format!("the announced size is {} bytes", self.size_bytes)));
        }
        let skipped = usize::try_from(self.received_bytes - offset).unwrap_or(0).min(length);
        Ok(PartTaken { skipped, completes: end == self.size_bytes })
    }

    /// Starts to write.
    ///
    /// # Errors
    /// `IMPORT_STATE_FORBIDS` unless planned.
    pub fn applying(&self, now: Timestamp) -> Result<Self, Error> {
        if self.state != ImportState::Planned {
            return Err(self.forbidden("only a planned import is applied"));
        }
        Ok(self.in_state(ImportState::Applying, now))
    }

    /// Stops between two batches.
    ///
    /// # Errors
    /// `IMPORT_STATE_FORBIDS` unless planning or applying.
    pub fn paused(&self, now: Timestamp) -> Result<Self, Error> {
        match self.state {
            ImportState::Planning | ImportState::Applying => {
                Ok(Self { paused_state: Some(self.state), ..self.in_state(ImportState::Paused, now) })
            }
            ImportState::Receiving
            | ImportState::Planned
            | ImportState::Paused
            | ImportState::Applied
            | ImportState::Failed
            | ImportState::Cancelled
            | ImportState::Expired => Err(self.forbidden("only an import that plans or applies is paused")),
        }
    }

    /// Goes on with what it was doing.
    ///
    /// # Errors
    /// `IMPORT_STATE_FORBIDS` unless paused.
    pub fn resumed(&self, now: Timestamp) -> Result<Self, Error> {
        let paused_state = self.paused_state.ok_or_else(|| self.forbidden("only a paused import is resumed"))?;
        Ok(self.in_state(paused_state, now))
    }

    /// When it expires unless somebody goes on with it; `None` while nobody has to.
    pub fn expire_time(&self) -> Option<Timestamp> {
        self.state.patience().map(|patience| self.update_time + patience)
    }

    /// The import after its time has run out; `None` while it has not.
    pub fn expired(&self, now: Timestamp) -> Option<Self> {
        self.expire_time().filter(|time| *time <= now).map(|_| self.in_state(ImportState::Expired, now))
    }

    /// Ends it before its end.
    ///
    /// # Errors
    /// `IMPORT_STATE_FORBIDS` when it has ended.
    pub fn cancelled(&self, now: Timestamp) -> Result<Self, Error> {
        if self.state.is_ended() {
            return Err(self.forbidden("the import has ended"));
        }
        Ok(self.in_state(ImportState::Cancelled, now))
    }

    /// The file as a whole cannot be read.
    #[must_use]
    pub fn failed(&self, failure: FileFailure, now: Timestamp) -> Self {
        let failed = self.in_state(ImportState::Failed, now);
        Self { failure_code: failure.code.to_owned(), failure_detail: failure.detail, ..failed }
    }

    /// The import one version on, in `state`. An ended one keeps no key: its file cannot be opened any more.
    #[must_use]
    pub fn in_state(&self, state: ImportState, now: Timestamp) -> Self {
        let mut new = Self { state, paused_state: None, row_version: self.row_version + 1, update_time: now, ..self.clone() };
        if state.is_ended() {
            new.end_time = Some(now);
            new.data_key = None;
        }
        new
    }

    /// The local day of its creation: where a tenure begins when nothing says it.
    pub fn local_date(&self, time_zone: &str) -> Date {
        let zone = jiff::tz::TimeZone::get(time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        self.create_time.to_zoned(zone).date()
    }

    fn forbidden(&self, detail: &str) -> Error {
        let allowed = self.state.allowed().to_vec();
        WrongState::new("IMPORT_STATE_FORBIDS", self.subject(), self.state.as_str(), allowed, detail).into()
    }

    fn subject(&self) -> String {
        format!("import {}", self.id)
    }
}
