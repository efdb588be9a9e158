//! Counts that a service keeps (`kit_store::rollups`), for the tests that hold them against the rows.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{AssertSqlSafe, PgPool};
use steward_kit::metric::Tally;
use steward_proto::metric::v1::MetricValue;
use uuid::Uuid;

/// The kept counts of a service.
#[derive(Debug, Clone, Copy)]
pub struct KeptCounts<'a> {
    /// As superuser.
    pub db: &'a PgPool,
    /// The service's schema.
    pub schema: &'static str,
}

impl KeptCounts<'_> {
    /// Makes every kept count of the estate a wrong one, all sevens: whoever uses it is found out.
    ///
    /// # Panics
    /// Nothing is kept.
    pub async fn spoil(self, estate: Uuid) {
        let tallies = format!("{}.figure_tallies", self.schema);
        let kept = sqlx::query_as(AssertSqlSafe(format!("SELECT question, tallies FROM {tallies} WHERE estate_id = $1")));
        let kept: Vec<(Vec<u8>, Vec<u8>)> = kept.bind(estate).fetch_all(self.db).await.expect("the kept counts");
        assert!(!kept.is_empty(), "nothing is kept");
        for (question, counts) in kept {
            let wrong = Tally::kept(&counts).expect("tallies").iter().map(|_| Tally::of([7; 6])).collect();
            let spoil = sqlx::query(AssertSqlSafe(format!("UPDATE {tallies} SET tallies = $3 WHERE estate_id = $1 AND question = $2")));
            spoil.bind(estate).bind(question).bind(Tally::keep(wrong)).execute(self.db).await.expect("spoils");
        }
    }

    /// Forgets all of them: who asks now is answered from the rows.
    pub async fn forget(self) {
        let forget = sqlx::query(AssertSqlSafe(format!("DELETE FROM {}.figure_tallies", self.schema)));
        forget.execute(self.db).await.expect("forgets");
    }

    /// Whether no timer is due any more that may write something.
    pub async fn is_settled(self, now: Timestamp) -> bool {
        let due = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {}.timers WHERE wake_time <= $1", self.schema)));
        let due: i64 = due.bind(now.to_sqlx()).fetch_one(self.db).await.expect("the timers");
        due == 0
    }
}

/// Figures without the time at which they were asked for.
pub fn without_time(values: Vec<MetricValue>) -> Vec<MetricValue> {
    values.into_iter().map(|value| MetricValue { as_of_time: None, ..value }).collect()
}
