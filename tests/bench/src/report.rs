//! What a run leaves: a table for people, and a file for whoever compares runs.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{machine::Machine, row::Row, stage::Stage, table, tell};

/// A finished run.
pub(crate) struct Report {
    machine: Machine,
    rows: Vec<Row>,
    file: PathBuf,
}

/// A row with its verdict, as the file has it.
#[derive(Serialize)]
struct Judged<'a> {
    #[serde(flatten)]
    row: &'a Row,
    verdict: crate::row::Verdict,
}

impl Report {
    /// Writes `target/bench/<time>.json`.
    pub(crate) async fn of(stage: &Stage, rows: Vec<Row>) -> Result<Self> {
        let now = stage.clock.now();
        let machine = Machine::of(stage).await?;
        let dir = stage.workspace().target().join("bench");
        fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
        let file = dir.join(format!("{}.json", file_name(now)));
        let rows_of_file: Vec<Judged<'_>> = rows.iter().map(|row| Judged { row, verdict: row.verdict() }).collect();
        let (orders, customers) = (stage.options.orders, stage.options.customers);
        let text: Value = json!({
            "time": now.to_string(), "machine": machine, "orders": orders, "customers": customers, "quick": stage.options.quick,
            "rows": rows_of_file,
        });
        fs::write(&file, serde_json::to_string_pretty(&text)?).with_context(|| format!("writing {}", file.display()))?;
        Ok(Self { machine, rows, file })
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(crate) fn print(&self) {
        println!("{}\n", self.machine.line());
        for line in table::lines(&self.rows) {
            println!("{line}");
        }
        tell(format!("\nwritten to {}", self.file.display()));
    }
}

/// `2026-03-25T020000Z`: a time that every file system takes.
fn file_name(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H%M%SZ").to_string()
}
