//! Cases by the hundred thousand, written as rows: a month of them cannot be reported one by one in the time that a test has.

use anyhow::{Context, Result};
use jiff::Timestamp;
use sqlx::PgPool;
use uuid::Uuid;

/// Cases of a stretch of days, spread evenly over it.
#[derive(Debug, Clone, Copy)]
pub struct Cases {
    /// When the first one came in.
    pub from: Timestamp,
    /// Over how many days they come in.
    pub days: i32,
    /// How many each estate has.
    pub of_each: i32,
    /// Whether they were closed; if not, what was asked for is done and they wait for it. Of closed complaints figures keep the time that
    /// each took, because ranks do not add up.
    pub are_closed: bool,
}

impl Cases {
    /// Gives them to the estates, each with its six clocks and its facts, as work-order would have written them. `db` is a superuser's.
    ///
    /// # Errors
    /// The statement does not run.
    pub async fn fill(self, db: &PgPool, estates: &[Uuid]) -> Result<()> {
        let insert = sqlx::query(include_str!("fill.sql")).bind(estates).bind(self.from.to_string()).bind(self.days).bind(self.of_each);
        insert.bind(self.are_closed).execute(db).await.context("filling in cases")?;
        Ok(())
    }
}
