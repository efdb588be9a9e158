//! Documents of every kind by one piece of SQL, checked at compile time for each table: load, write, list.
//!
//! A write is one statement: new rows (expected version 0) and changed ones (the version that was read) together, with the effects,
//! which go in only if every row did. A row that somebody else changed meanwhile is not written.

use std::future::Future;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::paging::PageRequest;
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use crate::domain::annual_plan::{AnnualPlan, Plan315};
use crate::domain::base::{Document, Stored};
use crate::domain::batch::Batch;
use crate::domain::enrolment::Enrolment;
use crate::domain::forum::Forum;
use crate::domain::obligation::Obligation;
use crate::domain::parcel::Parcel;
use crate::domain::round::Round;
use crate::domain::service_package::Package;
use crate::domain::touchpoint::Touchpoint;
use crate::domain::visit::Visit;

/// Place of a row in every list: latest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Its `sort_time`.
    pub(crate) time: Timestamp,
    /// Its id.
    pub(crate) id: Uuid,
}

impl Place {
    /// The place of a document.
    pub(crate) fn of<T: Document>(stored: &Stored<T>) -> Self {
        Self { time: stored.value.sort_time(), id: stored.id }
    }
}

/// A kind of document that has a table.
pub(crate) trait Table: Document {
    /// One row of the caller's estates. One trip.
    fn load(db: &mut PgConnection, scope: &Scope, id: Uuid) -> impl Future<Output = Result<Option<Stored<Self>>>> + Send;

    /// Rows by their ids, locked until the transaction ends, in one order. One trip.
    fn lock(tx: &mut PgConnection, ids: &[Uuid]) -> impl Future<Output = Result<Vec<Stored<Self>>>> + Send;

    /// Writes rows and, if every one of them was as expected, the effects. The ids written. One trip. The error is raw, so that a
    /// caller can tell a repeated request and a key that is taken.
    fn write(
        db: &mut PgConnection,
        rows: &[Stored<Self>],
        effects: &Effects,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Uuid>, sqlx::Error>> + Send;

    /// A page of an estate's, latest first. One trip.
    fn list(
        db: &mut PgConnection,
        estate: ScopedEstate,
        states: &[String],
        page: &PageRequest<Place>,
    ) -> impl Future<Output = Result<Vec<Stored<Self>>>> + Send;
}

/// A row as `jsonb_to_recordset` reads it.
#[derive(Serialize)]
struct Given<'a, T: Clone> {
    estate_id: Uuid,
    id: Uuid,
    state: &'static str,
    sort_time: Timestamp,
    mark_time: Option<Timestamp>,
    unique_key: Option<String>,
    document: std::borrow::Cow<'a, T>,
    /// As Postgres reads a `bytea`.
    texts: Option<String>,
    expected: i64,
    create_time: Timestamp,
    update_time: Timestamp,
}

/// Rows as a parameter. A row's `row_version` is the one it will have.
pub(super) fn given<T: Document>(rows: &[Stored<T>]) -> Json<serde_json::Value> {
    let rows: Vec<Given<'_, T>> = rows
        .iter()
        .map(|row| Given {
            estate_id: row.estate_id.as_uuid(),
            id: row.id,
            state: row.value.state(),
            sort_time: row.value.sort_time(),
            mark_time: row.value.mark_time(),
            unique_key: row.value.unique_key(),
            document: without_texts(&row.value),
            texts: row.sealed.as_ref().map(|sealed| format!("\\x{}", hex::encode(sealed))),
            expected: row.row_version - 1,
            create_time: row.create_time,
            update_time: row.update_time,
        })
        .collect();
    Json(serde_json::to_value(rows).unwrap_or_default())
}

/// The document as it may stand in clear. Whoever writes has sealed its texts before: nothing that was forgotten gets out.
fn without_texts<T: Document>(value: &T) -> std::borrow::Cow<'_, T> {
    if !T::HAS_TEXTS {
        return std::borrow::Cow::Borrowed(value);
    }
    let mut value = value.clone();
    value.texts().into_iter().for_each(String::clear);
    std::borrow::Cow::Owned(value)
}

/// A row as it is read.
pub(super) struct DocumentRow<T> {
    pub(super) estate_id: Uuid,
    pub(super) id: Uuid,
    pub(super) document: Json<T>,
    pub(super) row_version: i64,
    pub(super) create_time: jiff_sqlx::Timestamp,
    pub(super) update_time: jiff_sqlx::Timestamp,
}

impl<T> DocumentRow<T> {
    pub(super) fn read(self) -> Stored<T> {
        Stored {
            id: self.id,
            estate_id: self.estate_id.into(),
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
            sealed: None,
            value: self.document.0,
        }
    }
}

/// A row of a table that keeps free texts sealed.
pub(super) struct SealedRow<T> {
    pub(super) estate_id: Uuid,
    pub(super) id: Uuid,
    pub(super) document: Json<T>,
    pub(super) texts: Option<Vec<u8>>,
    pub(super) row_version: i64,
    pub(super) create_time: jiff_sqlx::Timestamp,
    pub(super) update_time: jiff_sqlx::Timestamp,
}

impl<T> SealedRow<T> {
    pub(super) fn read(self) -> Stored<T> {
        let Self { estate_id, id, document, texts, row_version, create_time, update_time } = self;
        Stored { sealed: texts, ..DocumentRow { estate_id, id, document, row_version, create_time, update_time }.read() }
    }
}

/// The columns of a table of each sort. What is plain has no free texts; what is sealed keeps them in `texts`.
macro_rules! tables {
    ($($type:ident in $table:tt as $row:ident ($texts:tt, $column:tt, $update:tt)),+ $(,)?) => {$(
        impl Table for $type {
            async fn load(db: &mut PgConnection, scope: &Scope, id: Uuid) -> Result<Option<Stored<Self>>> {
                type Row = $row<$type>;
                let estates = scope.estates();
                let row = sqlx::query_as!(
                    Row,
                    r#"SELECT estate_id, id, document AS "document: _", row_version, create_time, update_time"# + $texts + r#"
                         FROM "# + $table + r#" WHERE id = $1 AND ($2::uuid[] IS NULL OR estate_id = ANY($2))"#,
                    id,
                    estates as Option<Vec<Uuid>>,
                )
                .fetch_optional(db)
                .await
                .store()?;
                Ok(row.map($row::read))
            }

            async fn lock(tx: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Stored<Self>>> {
                type Row = $row<$type>;
                let rows = sqlx::query_as!(
                    Row,
                    r#"SELECT estate_id, id, document AS "document: _", row_version, create_time, update_time"# + $texts + r#"
                         FROM "# + $table + r#" WHERE id = ANY($1) ORDER BY id FOR UPDATE
                       -- unscoped: a timer or a fact named the rows"#,
                    ids,
                )
                .fetch_all(tx)
                .await
                .store()?;
                Ok(rows.into_iter().map($row::read).collect())
            }

            async fn write(
                db: &mut PgConnection,
                rows: &[Stored<Self>],
                effects: &Effects,
                now: Timestamp,
            ) -> Result<Vec<Uuid>, sqlx::Error> {
                let row = sqlx::query!(
                    r#"WITH given AS (
                           SELECT * FROM jsonb_to_recordset($1::jsonb) AS g(estate_id uuid, id uuid, state text, sort_time timestamptz,
                               mark_time timestamptz, unique_key text, document jsonb, texts bytea, expected bigint, create_time timestamptz,
                               update_time timestamptz)
                       ), written AS (
                           INSERT INTO "# + $table + r#" AS t (estate_id, id, state, sort_time, mark_time, unique_key, document,
                               row_version, create_time, update_time"# + $column + r#")
                           SELECT estate_id, id, state, sort_time, mark_time, unique_key, document, 1, create_time, update_time"# + $column + r#"
                             FROM given ORDER BY id
                           ON CONFLICT (estate_id, id) DO UPDATE
                              SET state = EXCLUDED.state, sort_time = EXCLUDED.sort_time, mark_time = EXCLUDED.mark_time,
                                  unique_key = EXCLUDED.unique_key, document = EXCLUDED.document, update_time = EXCLUDED.update_time,
                                  row_version = t.row_version + 1"# + $update + r#"
                            WHERE t.row_version = (SELECT g.expected FROM given g WHERE g.id = t.id)
                           RETURNING t.id
                       )
                       SELECT (SELECT coalesce(array_agg(id), '{}') FROM written) AS "written!: Vec<Uuid>",
                              (SELECT care.write_effects($2)
                                WHERE (SELECT count(*) FROM written) = (SELECT count(*) FROM given))::text AS effects
                       -- unscoped: what changes was read through a scope, and is written by the version that was read"#,
                    given(rows) as _,
                    effects.json(now),
                )
                .fetch_one(db)
                .await?;
                Ok(row.written)
            }

            async fn list(
                db: &mut PgConnection,
                estate: ScopedEstate,
                states: &[String],
                page: &PageRequest<Place>,
            ) -> Result<Vec<Stored<Self>>> {
                type Row = $row<$type>;
                let after = page.after.as_ref();
                let rows = sqlx::query_as!(
                    Row,
                    r#"SELECT estate_id, id, document AS "document: _", row_version, create_time, update_time"# + $texts + r#"
                         FROM "# + $table + r#"
                        WHERE estate_id = $1 AND (cardinality($2::text[]) = 0 OR state = ANY($2))
                          AND ($3::timestamptz IS NULL OR (sort_time, id) < ($3, $4::uuid))
                        ORDER BY sort_time DESC, id DESC LIMIT $5"#,
                    estate.as_uuid(),
                    states,
                    after.map(|place| place.time.to_sqlx()) as Option<jiff_sqlx::Timestamp>,
                    after.map(|place| place.id),
                    page.size.limit(),
                )
                .fetch_all(db)
                .await
                .store()?;
                Ok(rows.into_iter().map($row::read).collect())
            }
        }
    )+};
}

/// Tables whose documents have no free texts.
macro_rules! plain {
    ($($type:ident in $table:tt),+ $(,)?) => { tables! { $($type in $table as DocumentRow ("", "", "")),+ } };
}

/// Tables that keep the free texts of their documents sealed in `texts`.
macro_rules! sealed {
    ($($type:ident in $table:tt),+ $(,)?) => {
        tables! { $($type in $table as SealedRow (", texts", ", texts", ", texts = EXCLUDED.texts")),+ }
    };
}

sealed! {
    Touchpoint in "care.touchpoints",
    Round in "care.visit_rounds",
    Visit in "care.visits",
    Obligation in "care.obligations",
}

plain! {
    Forum in "care.forums",
    Batch in "care.delivery_batches",
    AnnualPlan in "care.annual_plans",
    Plan315 in "care.plans_315",
    Package in "care.service_packages",
    Enrolment in "care.enrolments",
    Parcel in "care.parcels",
}
