//! Numbers that people say on the phone: `FB-2026-000123`. A process takes a block at a time, so an item costs no trip for its
//! number; what is left of a block when the process ends is never given out.

use std::collections::HashMap;
use std::ops::Range;

use sqlx::PgPool;
use steward_kit::Result;
use steward_kit_store::StoreResult;
use tokio::sync::Mutex;

/// Numbers taken at once.
const BLOCK: i64 = 64;

/// The numbers this process may give out.
#[derive(Debug)]
pub(crate) struct Numbers {
    pool: PgPool,
    blocks: Mutex<HashMap<i16, Range<i64>>>,
}

impl Numbers {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool, blocks: Mutex::default() }
    }

    /// The next number of `year`. One trip for every [`BLOCK`] items.
    pub(crate) async fn next(&self, year: i16) -> Result<String> {
        let mut blocks = self.blocks.lock().await;
        let block = blocks.entry(year).or_default();
        if block.is_empty() {
            *block = take_block(&self.pool, year).await?;
        }
        let number = block.start;
        block.start += 1;
        Ok(format!("FB-{year:04}-{number:06}"))
    }
}

async fn take_block(pool: &PgPool, year: i16) -> Result<Range<i64>> {
    let end = sqlx::query_scalar!(
        "INSERT INTO survey.number_blocks AS b (year, next_number) VALUES ($1, 1 + $2::bigint)
         ON CONFLICT ON CONSTRAINT number_blocks_pkey DO UPDATE SET next_number = b.next_number + $2
         RETURNING next_number",
        year,
        BLOCK,
    )
    .fetch_one(pool)
    .await
    .store()?;
    Ok(end - BLOCK..end)
}
