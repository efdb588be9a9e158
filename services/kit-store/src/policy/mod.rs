//! Versioned policy documents, and which of them hold for an estate.
//!
//! A version is a row that never changes, numbered per kind and scope. Scopes form a chain: estate, region, group, base.
//! [`PolicyStore::resolve`] answers, from memory, the version in force at a time in each scope of the chain, most
//! specific first; how layers combine is the caller's rule.
//!
//! # A write that was decided by memory
//!
//! Memory may be behind by moments. So the answer carries the epoch it was true at, and the statement that acts on it
//! compares:
//!
//! ```sql
//! WITH created AS (
//!     INSERT INTO work_order.work_orders (...)
//!     SELECT $1, ... FROM work_order.policy_epoch WHERE epoch = $9    -- nothing if a policy changed meanwhile
//!  RETURNING id
//! )
//! SELECT (SELECT count(*) FROM created) AS "created!",
//!        (SELECT work_order.write_effects($10) FROM created)::text AS effects
//! ```
//!
//! `created` = 0: call [`PolicyStore::refresh`], resolve and decide again. In an UPDATE add
//! `AND EXISTS (SELECT FROM s.policy_epoch WHERE epoch = $9)` to the guard. Costs no round trip.

mod cache;
mod create;
pub mod edge;
mod rules;
mod version;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, Row, SqlStr};
use std::sync::Arc;
use steward_kit::ids::EstateId;
use steward_kit::telemetry::cache_asked;
use steward_kit::{Error, Result};
use uuid::Uuid;

use crate::db::Db;
use crate::epoch;
use crate::error::StoreResult;
use cache::Cache;

pub use edge::policy_service;
pub use rules::{Below, POLICY_INVALID, PolicyRules, Surroundings, document, stored};
pub use version::{NewPolicyVersion, PolicyScope, PolicyVersion};

/// One layer of what holds for an estate.
pub type PolicyLayer = Arc<PolicyVersion>;

/// What holds for an estate at a time.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The epoch this was true at, for the guard of the write.
    pub epoch: i64,
    /// The version in force in each scope that has one, most specific first. Empty when nobody set any.
    pub layers: Arc<[PolicyLayer]>,
}

/// The policies of one service. Cheap to clone; clones share the memory.
#[derive(Debug, Clone)]
pub struct PolicyStore {
    db: Db,
    chain: SqlStr,
    cache: Arc<Cache>,
}

impl PolicyStore {
    /// The policies in `<schema>.policies`; loaded by estate and kind, on first use.
    pub fn new(db: Db) -> Self {
        let chain = db.sql(
            "SELECT (SELECT epoch FROM {schema}.policy_epoch) AS epoch, p.*
               FROM {schema}.estates e
               LEFT JOIN {schema}.policies p
                 ON p.kind = $1
                AND (p.scope_kind = 'base'
                     OR p.scope_kind = 'group'  AND p.scope_id = e.group_id
                     OR p.scope_kind = 'region' AND p.scope_id = e.region_id
                     OR p.scope_kind = 'estate' AND p.scope_id = e.id)
              WHERE e.id = $2",
        );
        Self { db, chain, cache: Arc::default() }
    }

    /// The versions of `kind` that hold for `estate` at `at`, most specific first. From memory unless it is behind.
    ///
    /// # Errors
    /// `NotFound` when this service does not know the estate (yet).
    pub async fn resolve(&self, kind: &str, estate: EstateId, at: Timestamp) -> Result<Resolved> {
        let found = self.cache.resolve(self.db.epoch_seen().get(), kind, estate, at);
        cache_asked("policies", found.is_some());
        if let Some(found) = found {
            return Ok(found);
        }
        let rows = sqlx::query(self.chain.clone()).bind(kind).bind(estate.as_uuid()).fetch_all(self.db.pool()).await.store()?;
        let first = rows.first().ok_or_else(|| Error::not_found("estate", estate))?;
        let epoch: i64 = first.try_get("epoch").store()?;
        let mut versions = Vec::new();
        for row in &rows {
            if row.try_get::<Option<Uuid>, _>("id").store()?.is_some() {
                versions.push(PolicyVersion::read(row)?);
            }
        }
        self.db.epoch_seen().observe(epoch);
        Ok(self.cache.keep(epoch, kind, estate, versions, at))
    }

    /// Asks the database for the epoch, so that the next [`Self::resolve`] is as fresh as this call. For a write whose
    /// guard failed.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn refresh(&self) -> Result<()> {
        epoch::refresh(&self.db).await.map(drop)
    }

    /// Adds a version, in force from its `effective_time`. On the caller's connection, so that the claim and the event
    /// that tell of it can go into one transaction.
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn create_version(&self, tx: &mut PgConnection, new: NewPolicyVersion, now: Timestamp) -> Result<PolicyLayer> {
        let id = Uuid::now_v7();
        let sql = self.db.sql("SELECT {schema}.create_policy_version($1, $2, $3, $4, $5, $6, $7, $8)");
        let version: i64 = sqlx::query_scalar(sql)
            .bind(id)
            .bind(&new.kind)
            .bind(new.scope.kind())
            .bind(new.scope.id())
            .bind(new.document.as_ref())
            .bind(new.effective_time.to_sqlx())
            .bind(&new.created_by)
            .bind(now.to_sqlx())
            .fetch_one(tx)
            .await
            .store()?;
        Ok(Arc::new(PolicyVersion::created(id, version, new, now)))
    }

    /// A version by its id: what a record bound to itself when it was made. Kept in memory for good.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn version(&self, id: Uuid) -> Result<PolicyLayer> {
        if let Some(known) = self.cache.version(id) {
            return Ok(known);
        }
        let sql = self.db.sql("SELECT * FROM {schema}.policies WHERE id = $1");
        let row = sqlx::query(sql).bind(id).fetch_optional(self.db.pool()).await.store()?;
        let row = row.ok_or_else(|| Error::not_found("policy version", id))?;
        Ok(self.cache.intern(PolicyVersion::read(&row)?))
    }

    /// The versions of `kind` in one scope, newest first, at most `limit`, those before version `before` if given.
    ///
    /// # Errors
    /// Postgres does not answer.
    pub async fn versions(&self, kind: &str, scope: PolicyScope, before: Option<i64>, limit: i64) -> Result<Vec<PolicyLayer>> {
        let sql = self.db.sql(
            "SELECT * FROM {schema}.policies
              WHERE kind = $1 AND scope_kind = $2 AND scope_id IS NOT DISTINCT FROM $3 AND ($4::bigint IS NULL OR version < $4)
              ORDER BY version DESC LIMIT $5",
        );
        let rows = sqlx::query(sql)
            .bind(kind)
            .bind(scope.kind())
            .bind(scope.id())
            .bind(before)
            .bind(limit)
            .fetch_all(self.db.pool())
            .await
            .store()?;
        rows.iter().map(|row| PolicyVersion::read(row).map(|version| self.cache.intern(version))).collect()
    }
}
