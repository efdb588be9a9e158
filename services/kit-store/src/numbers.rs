//! Numbers that people say on the phone: `WO-2026-000123`.
//!
//! A process takes a block at a time, so a record costs no trip for its number; what is left of a block when the process ends is never
//! given out. Numbers say when something came in, not how many there are. The service keeps the blocks in its table
//! `number_blocks (year smallint primary key, next_number bigint)`, whose key is named `number_blocks_pkey`.

use std::collections::HashMap;
use std::ops::Range;

use sqlx::{PgPool, SqlStr};
use steward_kit::Result;
use tokio::sync::Mutex;

use crate::db::Db;
use crate::error::StoreResult;

/// Numbers taken at once.
const BLOCK: i64 = 64;

/// The numbers this process may give out.
#[derive(Debug)]
pub struct Numbers {
    pool: PgPool,
    prefix: &'static str,
    take_block: SqlStr,
    blocks: Mutex<HashMap<i16, Range<i64>>>,
}

impl Numbers {
    /// Numbers that begin with `prefix`.
    pub fn new(db: &Db, prefix: &'static str) -> Self {
        let take_block = db.sql(
            "INSERT INTO {schema}.number_blocks AS b (year, next_number) VALUES ($1, 1 + $2::bigint)
             ON CONFLICT ON CONSTRAINT number_blocks_pkey DO UPDATE SET next_number = b.next_number + $2
             RETURNING next_number",
        );
        Self { pool: db.pool().clone(), prefix, take_block, blocks: Mutex::default() }
    }

    /// The next number of `year`. One trip for every [`BLOCK`] numbers.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn next(&self, year: i16) -> Result<String> {
        let mut blocks = self.blocks.lock().await;
        let block = blocks.entry(year).or_default();
        if block.is_empty() {
            let end: i64 = sqlx::query_scalar(self.take_block.clone()).bind(year).bind(BLOCK).fetch_one(&self.pool).await.store()?;
            *block = end - BLOCK..end;
        }
        let number = block.start;
        block.start += 1;
        Ok(format!("{}-{year:04}-{number:06}", self.prefix))
    }
}
