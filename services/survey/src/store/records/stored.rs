//! The four statements of each kind of record.

use jiff::Timestamp;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use steward_kit::auth::{Scope, ScopedEstate};
use steward_kit::crypto::FieldCipher;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use uuid::Uuid;

use super::super::{at, maybe_at, texts};
use super::{Record, RecordFilter, RecordKey, Row, Stored};
use crate::domain::{FeedbackItem, FrameJob, ImprovementPlan, MysteryVisit, Report, Session, Wave};

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
    MysteryVisit = "mystery_visits",
}
