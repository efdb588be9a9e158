//! Numbers that people say on the phone: `CU-000123`.
//!
//! A process takes some at a time, so a customer costs no trip for their number; what is left when the process ends is
//! never given out.

use std::collections::VecDeque;

use sqlx::PgPool;
use steward_kit::{Error, Result};
use steward_kit_store::StoreResult;
use tokio::sync::Mutex;

/// Numbers taken beyond what is needed now.
const SPARE: usize = 64;

/// The numbers this process may give out.
#[derive(Debug)]
pub(crate) struct Numbers {
    pool: PgPool,
    taken: Mutex<VecDeque<i64>>,
}

impl Numbers {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool, taken: Mutex::default() }
    }

    /// The next number. One trip for every [`SPARE`] customers.
    pub(crate) async fn next(&self) -> Result<i64> {
        self.take(1).await?.pop().ok_or_else(|| Error::bug("a sequence gave no number"))
    }

    /// The next `count` numbers.
    pub(crate) async fn take(&self, count: usize) -> Result<Vec<i64>> {
        let mut taken = self.taken.lock().await;
        if taken.len() < count {
            let wanted = i64::try_from(count - taken.len() + SPARE).map_err(Error::internal)?;
            let fresh = sqlx::query_scalar!(
                r#"SELECT nextval('customer.customer_numbers') AS "number!" FROM generate_series(1, $1::bigint)"#,
                wanted
            )
            .fetch_all(&self.pool)
            .await
            .store()?;
            taken.extend(fresh);
        }
        Ok(taken.drain(..count).collect())
    }
}
