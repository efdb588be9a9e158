//! A join across services is impossible, not forbidden (DESIGN §4): the database roles are tried, and must fail.

use anyhow::{Context as _, Result};
use sqlx::{AssertSqlSafe, PgPool};
use steward_harness::{SCHEMAS, TestDatabase};

/// SQLSTATE of "permission denied".
const INSUFFICIENT_PRIVILEGE: &str = "42501";

async fn code(pool: &PgPool, sql: &str) -> Option<String> {
    let refused = sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.err()?;
    refused.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned))
}

/// XC-30
#[tokio::test]
async fn no_service_reads_another_services_tables() -> Result<()> {
    let database = TestDatabase::new().await?;
    for (own, _) in SCHEMAS {
        let pool = database.pool(own).await?;
        for (other, _) in SCHEMAS.into_iter().filter(|(other, _)| *other != own) {
            let refused = code(&pool, &format!("SELECT 1 FROM {other}.outbox")).await;
            assert_eq!(refused.as_deref(), Some(INSUFFICIENT_PRIVILEGE), "{own} reads {other}");
        }
        sqlx::raw_sql(AssertSqlSafe(format!("SELECT 1 FROM {own}.outbox"))).execute(&pool).await.context("its own table")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_running_service_changes_rows_and_no_tables() -> Result<()> {
    let database = TestDatabase::new().await?;
    for (schema, _) in SCHEMAS {
        let pool = database.pool(schema).await?;
        for sql in [
            format!("CREATE TABLE {schema}.intruder (id int)"),
            format!("DROP TABLE {schema}.outbox"),
            format!("ALTER TABLE {schema}.outbox ADD COLUMN intruder int"),
            format!("TRUNCATE {schema}.outbox"),
        ] {
            assert_eq!(code(&pool, &sql).await.as_deref(), Some(INSUFFICIENT_PRIVILEGE), "{sql}");
        }
    }
    Ok(())
}
