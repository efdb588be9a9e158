//! The bare program beside the product: its own tables with the same rows and indexes, filled as the product's are.

use std::process::Command;

use anyhow::{Context as _, Result};
use prost::Message as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use steward_dev::servers::free_port;
use steward_proto::work_order::v1 as pb;
use uuid::Uuid;

use crate::{
    seed::settle,
    stage::{Served, Stage},
};

/// The program.
pub(crate) const PROGRAM: &str = "steward-bench-bare";

/// The tables that a new order has rows in.
const TABLES: [&str; 7] = ["work_orders", "clocks", "history", "case_facts", "idempotency_claims", "timers", "outbox"];

/// Starts it over a copy of what the product has now. `order` is the one whose rows it writes, made by the request of that id.
pub(crate) async fn start(stage: &Stage, order: &pb::WorkOrder, request_id: &str) -> Result<Served> {
    let url = stage.database_url("postgres");
    copy(&url, order, request_id).await?;
    let port = free_port(None)?;
    let mut command = Command::new(stage.program(PROGRAM)?);
    command.args(["orders", "--listen", &format!("127.0.0.1:{port}"), "--pattern", &order.id, "--database-url", &url]);
    command.args(["--redis-url", &stage.redis_url()]);
    stage.spawn("bare", port, &mut command).await
}

async fn copy(url: &str, order: &pb::WorkOrder, request_id: &str) -> Result<()> {
    let mut database = PgConnection::connect(url).await?;
    sqlx::raw_sql("SET synchronous_commit = off; DROP SCHEMA IF EXISTS bare CASCADE; CREATE SCHEMA bare").execute(&mut database).await?;
    for table in TABLES {
        let make = format!(
            "CREATE TABLE bare.{table} (LIKE work_order.{table} INCLUDING ALL); INSERT INTO bare.{table} SELECT * FROM work_order.{table}"
        );
        sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut database).await.with_context(|| format!("copying {table}"))?;
    }
    sqlx::raw_sql(
        "CREATE UNLOGGED TABLE bare.figure_changes (LIKE work_order.figure_changes INCLUDING ALL);
         CREATE TABLE bare.patterns (id uuid PRIMARY KEY, request_id uuid NOT NULL, change_count bigint NOT NULL, answer bytea NOT NULL)",
    )
    .execute(&mut database)
    .await?;
    // What the statement that wrote the order noted for figures: rows of the same transaction.
    sqlx::query(
        "INSERT INTO bare.patterns (id, request_id, change_count, answer)
         SELECT $1, $2, (SELECT count(*) FROM work_order.figure_changes c
                          WHERE c.xmin = (SELECT xmin FROM work_order.work_orders WHERE id = $1)), $3",
    )
    .bind(Uuid::parse_str(&order.id)?)
    .bind(Uuid::parse_str(request_id)?)
    .bind(order.encode_to_vec())
    .execute(&mut database)
    .await
    .context("keeping the pattern")?;
    settle(&mut database).await
}
