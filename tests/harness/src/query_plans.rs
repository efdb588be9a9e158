//! How Postgres answers a list: by which nodes and which indexes. The statements are those that the service sends, read by
//! a proxy ([`crate::Asked`]); a golden file holds what Postgres makes of them over tables of some size.

use anyhow::{Context, Result};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgPool, postgres::PgConnection, types::Json};

/// A statement of a service, with arguments that are typical for it.
#[derive(Debug, Clone)]
pub struct PlannedQuery {
    /// What it is, for the golden file.
    pub name: &'static str,
    /// The statement, `$1` and all.
    pub sql: String,
    /// Its arguments as literals, separated by commas.
    pub arguments: String,
}

/// Which plan to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanFor {
    /// The one for these arguments.
    TheseArguments,
    /// The one for any arguments, which Postgres may turn to after some calls.
    AnyArguments,
    /// The one that Postgres has settled on after many calls: for any arguments where that is no dearer.
    ManyCalls,
}

/// Calls after which Postgres has settled: it compares from the sixth on.
const MANY: usize = 8;

/// A plan of Postgres.
#[derive(Debug, Clone)]
pub struct QueryPlan(Value);

/// Fills tables, and has Postgres look at those that are large now, as it does by itself some time later.
pub async fn fill(pool: &PgPool, sql: &str, large: &str) -> Result<()> {
    pool.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.context("filling the tables")?;
    pool.execute(sqlx::raw_sql(AssertSqlSafe(format!("ANALYZE {large}")))).await.context("looking at what was filled")?;
    Ok(())
}

impl PlannedQuery {
    /// A statement and its arguments.
    pub fn new(name: &'static str, sql: &str, arguments: impl Into<String>) -> Self {
        Self { name, sql: sql.to_owned(), arguments: arguments.into() }
    }

    /// What Postgres makes of it, whenever the tables were vacuumed last: an index alone answers only for pages that a vacuum has found
    /// visible to everybody.
    pub async fn explain(&self, connection: &mut PgConnection, plan: PlanFor) -> Result<QueryPlan> {
        let (mode, calls) = match plan {
            PlanFor::TheseArguments => ("force_custom_plan", 1),
            PlanFor::AnyArguments => ("force_generic_plan", 1),
            PlanFor::ManyCalls => ("auto", MANY),
        };
        let settings = format!("SET plan_cache_mode = {mode}; SET enable_indexonlyscan = off");
        connection.execute(sqlx::raw_sql(AssertSqlSafe(settings))).await?;
        connection.execute(sqlx::raw_sql(AssertSqlSafe(format!("PREPARE asked AS {}", self.sql)))).await?;
        let explain = format!("EXPLAIN (COSTS OFF, FORMAT JSON) EXECUTE asked ({})", self.arguments);
        let mut answer = None;
        for _ in 0..calls {
            let explained = sqlx::query_scalar(AssertSqlSafe(explain.clone())).persistent(false).fetch_one(&mut *connection).await;
            answer = Some(explained.with_context(|| format!("explaining {}", self.name)));
        }
        connection.execute(sqlx::raw_sql("DEALLOCATE asked")).await?;
        let Json(plan): Json<Value> = answer.context("explained at least once")??;
        Ok(QueryPlan(plan[0]["Plan"].clone()))
    }
}

impl QueryPlan {
    /// One node a line: its type, its index or table, and whether it begins where the last page ended. Months are one.
    pub fn shape(&self) -> String {
        let mut out = String::new();
        print(&self.0, 1, &mut out);
        out
    }

    /// Whether it reads the table from end to end.
    pub fn reads_whole(&self, table: &str) -> bool {
        fn any(node: &Value, table: &str) -> bool {
            let is_it = node["Node Type"] == "Seq Scan" && node["Relation Name"].as_str().is_some_and(|name| month_less(name) == table);
            is_it || node["Plans"].as_array().into_iter().flatten().any(|child| any(child, table))
        }
        any(&self.0, table)
    }

    /// The first column of each index that it uses, with the index.
    pub async fn leading_columns(&self, connection: &mut PgConnection, schema: &str) -> Result<Vec<(String, String)>> {
        let (mut indexes, mut leading) = (Vec::new(), Vec::new());
        indexes_of(&self.0, &mut indexes);
        for index in indexes {
            let column = sqlx::query_scalar("SELECT pg_get_indexdef((quote_ident($1) || '.' || quote_ident($2))::regclass, 1, true)")
                .bind(schema)
                .bind(&index)
                .fetch_one(&mut *connection)
                .await?;
            leading.push((index, column));
        }
        Ok(leading)
    }
}

fn print(node: &Value, depth: usize, out: &mut String) {
    let text = |key: &str| node[key].as_str().unwrap_or_default();
    let (index, table) = (text("Index Name"), text("Relation Name"));
    let mut line = format!("{:width$}{}", "", text("Node Type"), width = depth * 2);
    match (index.is_empty(), table.is_empty()) {
        (false, _) => line += &format!(" by {}", month_less(index)),
        (true, false) => line += &format!(" on {}", month_less(table)),
        (true, true) => {}
    }
    if text("Index Cond").contains("ROW(") {
        line += ", from the key of the last page";
    }
    out.push_str(&line);
    out.push('\n');
    let mut last = String::new();
    for child in node["Plans"].as_array().into_iter().flatten() {
        let mut shape = String::new();
        print(child, depth + 1, &mut shape);
        // The months of a table are read alike.
        if shape != last {
            out.push_str(&shape);
        }
        last = shape;
    }
}

/// The name of a partition or of its index, without the month that it is for.
fn month_less(name: &str) -> String {
    let is_month = |part: &str| {
        let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        let month = part.strip_prefix('y').and_then(|part| part.split_once('m'));
        part == "default" || month.is_some_and(|(year, month)| digits(year, 4) && digits(month, 2))
    };
    name.split('_').filter(|part| !is_month(part)).collect::<Vec<_>>().join("_")
}

fn indexes_of(node: &Value, out: &mut Vec<String>) {
    out.extend(node["Index Name"].as_str().map(str::to_owned));
    node["Plans"].as_array().into_iter().flatten().for_each(|child| indexes_of(child, out));
}
