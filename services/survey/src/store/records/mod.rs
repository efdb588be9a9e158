//! What is decided about one thing at a time: waves, frame jobs, sessions, feedback, plans, reports, mystery visits. One shape of
//! row, four statements each; see `migrations/1001_records.sql`.

mod kinds;
mod lists;
mod locks;
mod stored;

use std::future::Future;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::crypto::FieldCipher;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;
use uuid::Uuid;

use super::texts;

pub(crate) use lists::{list_adopted, list_made_visits, list_own_feedback, list_published, list_reports, list_uncollated};
pub(crate) use locks::{lock_feedback, lock_invitations, lock_mystery_visits, lock_plans, lock_waves};

/// The columns that a record is searched by.
pub(crate) struct Keys {
    pub(crate) estate: EstateId,
    pub(crate) id: Uuid,
    pub(crate) state: &'static str,
    pub(crate) parent: Option<Uuid>,
    pub(crate) customer: Option<Uuid>,
    /// Its place in lists, newest first; never changes.
    pub(crate) sort_time: Timestamp,
}

/// What a row of this shape holds.
pub(crate) trait Record: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// In words.
    const NOUN: &'static str;

    /// What it is searched by.
    fn keys(&self) -> Keys;

    /// Its version as a row.
    fn row_version(&self) -> i64;

    /// Takes what the columns say.
    fn set_row(&mut self, row_version: i64, update_time: Timestamp);

    /// When it last changed.
    fn update_time(&self) -> Timestamp;

    /// What people wrote, which is sealed.
    fn texts(&self) -> Vec<String> {
        Vec::new()
    }

    /// Puts it back.
    fn set_texts(&mut self, _texts: Vec<String>) {}
}

/// Place of a record in every list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RecordKey {
    time: Timestamp,
    id: Uuid,
}

impl RecordKey {
    /// The place of a record.
    pub(crate) fn of<R: Record>(record: &R) -> Self {
        let keys = record.keys();
        Self { time: keys.sort_time, id: keys.id }
    }
}

/// Which records of an estate.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RecordFilter<'a> {
    pub(crate) state: Option<&'a str>,
    pub(crate) parent: Option<Uuid>,
}

/// Where records of a kind are kept. Each function is one trip.
pub(crate) trait Stored: Record {
    /// Adds one with its effects. The inner error is raw: it tells a repeated request.
    fn insert(
        &self,
        db: &mut PgConnection,
        cipher: &FieldCipher,
        effects: &Effects,
        now: Timestamp,
    ) -> impl Future<Output = Result<Result<(), sqlx::Error>>> + Send;

    /// Writes one that was read with `row_version`, with its effects; false when somebody was faster.
    fn save(
        &self,
        db: &mut PgConnection,
        cipher: &FieldCipher,
        row_version: i64,
        effects: &Effects,
        now: Timestamp,
    ) -> impl Future<Output = Result<Result<bool, sqlx::Error>>> + Send;

    /// One of them within the scope.
    fn load(db: &mut PgConnection, cipher: &FieldCipher, scope: &Scope, id: Uuid) -> impl Future<Output = Result<Self>> + Send;

    /// Those of an estate, newest first.
    fn list(
        db: &PgPool,
        cipher: &FieldCipher,
        scope: &Scope,
        estate: ScopedEstate,
        filter: RecordFilter<'_>,
        page: &PageRequest<RecordKey>,
    ) -> impl Future<Output = Result<Vec<Self>>> + Send;
}

pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) body: serde_json::Value,
    pub(super) texts: Vec<u8>,
    pub(super) row_version: i64,
    pub(super) update_time: jiff_sqlx::Timestamp,
}

impl Row {
    pub(super) fn read<R: Record>(self, cipher: &FieldCipher, table: &str) -> Result<R> {
        let mut record: R = serde_json::from_value(self.body).map_err(Error::internal)?;
        record.set_row(self.row_version, self.update_time.to_jiff());
        record.set_texts(texts::open(cipher, table, self.id, &self.texts)?);
        Ok(record)
    }
}
