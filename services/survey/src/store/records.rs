//! What is decided about one thing at a time: waves, frame jobs, sessions, feedback, plans, reports. One shape of row, four
//! statements each; see `migrations/1001_records.sql`.

use std::future::Future;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::crypto::FieldCipher;
use steward_kit::ids::{CustomerId, EstateId};
use steward_kit::paging::PageRequest;
use steward_kit::pii::Pii;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::{at, maybe_at, texts};
use crate::domain::{FeedbackItem, FrameJob, ImprovementPlan, Report, Session, Wave};

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

macro_rules! stored {
    ($($record:ty = $table:tt),+ $(,)?) => {$(
        impl Stored for $record {
            async fn insert(
                &self,
                db: &mut PgConnection,
                cipher: &FieldCipher,
                effects: &Effects,
                now: Timestamp,
            ) -> Result<Result<(), sqlx::Error>> {
                let keys = self.keys();
                let written = sqlx::query!(
                    "WITH created AS (
                         INSERT INTO survey." + $table + " (estate_id, id, state, parent_id, customer_id, sort_time, body, texts,
                             row_version, update_time)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9)
                      RETURNING id
                     )
                     SELECT (SELECT survey.write_effects($10) FROM created)::text AS effects",
                    keys.estate.as_uuid(),
                    keys.id,
                    keys.state,
                    keys.parent as Option<Uuid>,
                    keys.customer as Option<Uuid>,
                    at(keys.sort_time) as jiff_sqlx::Timestamp,
                    Json(self) as _,
                    texts::seal(cipher, $table, keys.id, &self.texts())?,
                    at(now) as jiff_sqlx::Timestamp,
                    effects.json(now),
                )
                .fetch_one(db)
                .await;
                Ok(written.map(drop))
            }

            async fn save(
                &self,
                db: &mut PgConnection,
                cipher: &FieldCipher,
                row_version: i64,
                effects: &Effects,
                now: Timestamp,
            ) -> Result<Result<bool, sqlx::Error>> {
                let keys = self.keys();
                let written = sqlx::query_scalar!(
                    "WITH updated AS (
                         UPDATE survey." + $table + "
                            SET state = $4, body = $5, texts = $6, update_time = $7, row_version = row_version + 1
                          WHERE estate_id = $1 AND id = $2 AND row_version = $3
                      RETURNING id
                     )
                     SELECT (SELECT survey.write_effects($8) FROM updated)::text IS NOT NULL AS \"written!\"",
                    keys.estate.as_uuid(),
                    keys.id,
                    row_version,
                    keys.state,
                    Json(self) as _,
                    texts::seal(cipher, $table, keys.id, &self.texts())?,
                    at(self.update_time()) as jiff_sqlx::Timestamp,
                    effects.json(now),
                )
                .fetch_one(db)
                .await;
                Ok(written)
            }

            async fn load(db: &mut PgConnection, cipher: &FieldCipher, scope: &Scope, id: Uuid) -> Result<Self> {
                let row = sqlx::query_as!(
                    Row,
                    "SELECT id, body, texts, row_version, update_time FROM survey." + $table + "
                      WHERE id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2)) AND ($3::uuid IS NULL OR customer_id = $3)",
                    id,
                    scope.estates() as Option<Vec<Uuid>>,
                    scope.own_customer(),
                )
                .fetch_optional(db)
                .await
                .store()?;
                row.ok_or_else(|| Error::not_found(Self::NOUN, id))?.read(cipher, $table)
            }

            async fn list(
                db: &PgPool,
                cipher: &FieldCipher,
                scope: &Scope,
                estate: ScopedEstate,
                filter: RecordFilter<'_>,
                page: &PageRequest<RecordKey>,
            ) -> Result<Vec<Self>> {
                let after = page.after.as_ref();
                let rows = sqlx::query_as!(
                    Row,
                    "SELECT id, body, texts, row_version, update_time FROM survey." + $table + "
                      WHERE estate_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::uuid IS NULL OR parent_id = $3)
                        AND ($4::uuid IS NULL OR customer_id = $4)
                        AND ($5::timestamptz IS NULL OR (sort_time, id) < ($5, $6))
                      ORDER BY sort_time DESC, id DESC LIMIT $7",
                    estate.as_uuid(),
                    filter.state,
                    filter.parent,
                    scope.own_customer(),
                    maybe_at(after.map(|key| key.time)) as Option<jiff_sqlx::Timestamp>,
                    after.map(|key| key.id),
                    page.size.limit(),
                )
                .fetch_all(db)
                .await
                .store()?;
                rows.into_iter().map(|row| row.read(cipher, $table)).collect()
            }
        }
    )+};
}

stored! {
    Wave = "waves",
    FrameJob = "frame_jobs",
    Session = "sessions",
    FeedbackItem = "feedback_items",
    ImprovementPlan = "improvement_plans",
    Report = "reports",
}

macro_rules! records {
    ($($record:ty, $noun:literal, |$of:ident| $parent:expr, $customer:expr, $sort:expr);+ $(;)?) => {$(
        impl Record for $record {
            const NOUN: &'static str = $noun;

            fn keys(&self) -> Keys {
                let $of = self;
                Keys {
                    estate: self.estate_id,
                    id: self.id.as_uuid(),
                    state: self.state.as_str(),
                    parent: $parent,
                    customer: $customer,
                    sort_time: $sort,
                }
            }

            fn row_version(&self) -> i64 {
                self.row_version
            }

            fn set_row(&mut self, row_version: i64, update_time: Timestamp) {
                (self.row_version, self.update_time) = (row_version, update_time);
            }

            fn update_time(&self) -> Timestamp {
                self.update_time
            }

            fn texts(&self) -> Vec<String> {
                Written::written(self)
            }

            fn set_texts(&mut self, texts: Vec<String>) {
                Written::set_written(self, texts);
            }
        }
    )+};
}

records! {
    Wave, "wave", |wave| Some(wave.programme_id.as_uuid()), None, wave.create_time;
    FrameJob, "frame job", |job| Some(job.wave_id.as_uuid()), None, job.create_time;
    Session, "session", |session| session.wave_id.map(Uuid::from), None, session.create_time;
    FeedbackItem, "feedback item", |item| None, item.customer_id.map(CustomerId::as_uuid), item.receive_time;
    ImprovementPlan, "improvement plan", |plan| None, None, plan.create_time;
    Report, "report", |report| None, None, report.create_time;
}

/// The texts of each kind of record.
trait Written {
    fn written(&self) -> Vec<String> {
        Vec::new()
    }

    fn set_written(&mut self, _texts: Vec<String>) {}
}

impl Written for Wave {}
impl Written for FrameJob {}
impl Written for ImprovementPlan {}
impl Written for Report {}

impl Written for Session {
    fn written(&self) -> Vec<String> {
        vec![self.notes.expose().clone()]
    }

    fn set_written(&mut self, texts: Vec<String>) {
        self.notes = Pii::new(texts.into_iter().next().unwrap_or_default());
    }
}

impl Written for FeedbackItem {
    fn written(&self) -> Vec<String> {
        vec![self.text.expose().clone()]
    }

    fn set_written(&mut self, texts: Vec<String>) {
        self.text = Pii::new(texts.into_iter().next().unwrap_or_default());
    }
}

/// A customer's own feedback items wherever they live, newest first. One trip.
pub(crate) async fn list_own_feedback(
    db: &PgPool,
    cipher: &FieldCipher,
    scope: &Scope,
    customer: CustomerId,
    state: Option<&str>,
    page: &PageRequest<RecordKey>,
) -> Result<Vec<FeedbackItem>> {
    let after = page.after.as_ref();
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, body, texts, row_version, update_time FROM survey.feedback_items
          WHERE customer_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::uuid[] IS NULL OR estate_id = ANY($3))
            AND ($4::timestamptz IS NULL OR (sort_time, id) < ($4, $5))
          ORDER BY sort_time DESC, id DESC LIMIT $6",
        customer.as_uuid(),
        state,
        scope.estates() as Option<Vec<Uuid>>,
        maybe_at(after.map(|key| key.time)) as Option<jiff_sqlx::Timestamp>,
        after.map(|key| key.id),
        page.size.limit(),
    )
    .fetch_all(db)
    .await
    .store()?;
    rows.into_iter().map(|row| row.read(cipher, "feedback_items")).collect()
}

/// Locks rows until the transaction ends, in one order, so that two writers never wait for each other.
pub(crate) async fn lock_waves(tx: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    sqlx::query!("SELECT id FROM survey.waves WHERE id = ANY($1) ORDER BY id FOR UPDATE -- unscoped: timers are of every estate", ids)
        .fetch_all(tx)
        .await
        .store()?;
    Ok(())
}

/// The same of feedback items.
pub(crate) async fn lock_feedback(tx: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "SELECT id FROM survey.feedback_items WHERE id = ANY($1) ORDER BY id FOR UPDATE -- unscoped: timers are of every estate",
        ids
    )
    .fetch_all(tx)
    .await
    .store()?;
    Ok(())
}

/// The same of improvement plans.
pub(crate) async fn lock_plans(tx: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "SELECT id FROM survey.improvement_plans WHERE id = ANY($1) ORDER BY id FOR UPDATE -- unscoped: timers are of every estate",
        ids
    )
    .fetch_all(tx)
    .await
    .store()?;
    Ok(())
}

/// `SELECT` of whole records of one table; the text says which ones, newest first.
macro_rules! select_newest {
    ($table:tt, $which:tt, $db:expr, $cipher:expr, $page:expr, $estate:expr $(, $argument:expr)* $(,)?) => {{
        let after = $page.after.as_ref();
        let rows = sqlx::query_as!(
            Row,
            "SELECT id, body, texts, row_version, update_time FROM survey." + $table + " WHERE estate_id = $1
                AND ($2::timestamptz IS NULL OR (sort_time, id) < ($2, $3)) AND " + $which + " ORDER BY sort_time DESC, id DESC LIMIT $4",
            $estate.as_uuid(),
            maybe_at(after.map(|key| key.time)) as Option<jiff_sqlx::Timestamp>,
            after.map(|key| key.id),
            $page.size.limit()
            $(, $argument)*
        )
        .fetch_all($db)
        .await
        .store()?;
        rows.into_iter().map(|row| row.read($cipher, $table)).collect()
    }};
}

/// Waves of an estate whose results are shown. One trip.
pub(crate) async fn list_published(
    db: &PgPool,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    page: &PageRequest<RecordKey>,
) -> Result<Vec<Wave>> {
    select_newest!("waves", "jsonb_typeof(body -> 'page') = 'object'", db, cipher, page, estate)
}

/// Items of an estate that were adopted or done, for the bulletin (SV-12). One trip.
pub(crate) async fn list_adopted(
    db: &PgPool,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    page: &PageRequest<RecordKey>,
) -> Result<Vec<FeedbackItem>> {
    select_newest!("feedback_items", "state IN ('adopted', 'done')", db, cipher, page, estate)
}

/// Items of an estate that were not collated in time (SV-14). One trip.
pub(crate) async fn list_uncollated(
    db: &PgPool,
    cipher: &FieldCipher,
    scope: &Scope,
    estate: ScopedEstate,
    page: &PageRequest<RecordKey>,
) -> Result<Vec<FeedbackItem>> {
    select_newest!(
        "feedback_items",
        "(body -> 'is_collation_overdue')::boolean AND ($5::uuid IS NULL OR customer_id = $5)",
        db,
        cipher,
        page,
        estate,
        scope.own_customer(),
    )
}

/// Reports of an estate. One trip.
pub(crate) async fn list_reports(
    db: &PgPool,
    cipher: &FieldCipher,
    estate: ScopedEstate,
    kind: Option<crate::domain::codes::ReportKind>,
    page: &PageRequest<RecordKey>,
) -> Result<Vec<Report>> {
    select_newest!(
        "reports",
        "($5::text IS NULL OR body ->> 'kind' = $5)",
        db,
        cipher,
        page,
        estate,
        kind.map(crate::domain::codes::ReportKind::as_str),
    )
}
