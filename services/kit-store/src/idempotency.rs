//! The answer that a repeated request gets.
//!
//! A mutation writes its claim (`principal`, `method`, `request_id`, hash of the body, the answer) by
//! [`crate::effects`], in the statement that does the work. A repetition makes that statement void: the claim's primary
//! key refuses, [`is_replay`] says so, and [`replay`] reads the first answer. So a first call pays nothing for being
//! repeatable, and a repetition pays one more round trip. See `docs/idempotency.md`.

use bytes::Bytes;
use sqlx::Row;
use steward_kit::idempotency::RequestKey;
use steward_kit::{Error, Result};

use crate::db::Db;
use crate::error::{StoreResult, constraint};

/// The name of the constraint that a repetition breaks.
pub const CLAIM_CONSTRAINT: &str = "idempotency_claims_pkey";

/// Reason of the refusal when a request id comes again with another body.
pub const REQUEST_ID_REUSED: &str = "REQUEST_ID_REUSED";

/// Whether a statement was void because its request id was claimed before.
pub fn is_replay(error: &sqlx::Error) -> bool {
    constraint(error) == Some(CLAIM_CONSTRAINT)
}

/// The stored answer to this request; `None` when the request id is new (or forgotten: claims live a day or more).
///
/// # Errors
/// `AlreadyExists` with reason [`REQUEST_ID_REUSED`] when the first request had another body.
pub async fn replay(db: &Db, key: &RequestKey) -> Result<Option<Bytes>> {
    let row = sqlx::query(db.replay_sql())
        .bind(&key.principal)
        .bind(&key.method)
        .bind(key.request_id.as_uuid())
        .fetch_optional(db.pool())
        .await
        .store()?;
    let Some(row) = row else { return Ok(None) };
    let hash: &[u8] = row.try_get("request_hash").store()?;
    if hash != key.body_hash.as_slice() {
        return Err(Error::already_exists("request", REQUEST_ID_REUSED, "this request_id was used with another body"));
    }
    let response: &[u8] = row.try_get("response").store()?;
    Ok(Some(Bytes::copy_from_slice(response)))
}

/// [`replay`], for a caller that has just seen [`is_replay`]: the answer is there.
///
/// # Errors
/// As [`replay`]; `Unavailable` if the claim was forgotten in between, so that the caller tries again.
pub async fn replayed<M: prost::Message + Default>(db: &Db, key: &RequestKey) -> Result<M> {
    let bytes = replay(db, key)
        .await?
        .ok_or_else(|| Error::unavailable("postgres", anyhow::anyhow!("the claim was forgotten while it was read")))?;
    M::decode(bytes).map_err(Error::internal)
}
