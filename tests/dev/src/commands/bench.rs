//! `cargo dev bench`: the benchmarks, against the programs as they are shipped, in a place of their own.

use std::process::{Command, ExitCode};

use super::{build, exit_code};
use crate::{Problem, Result, Workspace, machine};

/// The benchmarks, a binary of `tests/bench`.
const BENCH: &str = "steward-bench";

pub(super) fn run(workspace: &Workspace, rest: &[String]) -> Result<ExitCode> {
    machine::ensure_servers()?;
    build::release(workspace, BENCH)?;
    let mut bench = Command::new(workspace.release_binary(BENCH));
    bench.args(rest).current_dir(workspace.root()).env("STEWARD_DEV_DIR", workspace.target().join("dev-bench"));
    let status = bench.status().map_err(Problem::io("running the benchmarks"))?;
    Ok(exit_code(status.success()))
}
