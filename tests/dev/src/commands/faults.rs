//! `cargo dev faults`: the fault suite, in a place of its own, so that it neither uses nor disturbs a stack that somebody has up.

use std::process::{Command, ExitCode};

use super::{build, exit_code};
use crate::{
    Problem, Result, Workspace,
    checks::{relay, report::Verdict},
    machine,
};

/// The suite, a binary of `tests/faults`.
const SUITE: &str = "steward-faults";

pub(super) fn run(workspace: &Workspace, rest: &[String]) -> Result<ExitCode> {
    machine::ensure_servers()?;
    build::programs_and_faults(workspace)?;
    let status = suite(workspace).args(rest).status().map_err(Problem::io("running the fault suite"))?;
    Ok(exit_code(status.success()))
}

/// The short run, as a step of the tests, which have built it.
pub(super) fn short(workspace: &Workspace) -> Result<Verdict> {
    match relay::run(suite(workspace).arg("--short"), "faults", relay::show)?.success() {
        true => Ok(Verdict::Passed { count: 1 }),
        false => Err(Problem::new(format!("the fault suite found something; the logs are in {}", place(workspace).join("logs").display()))),
    }
}

fn suite(workspace: &Workspace) -> Command {
    let mut command = Command::new(workspace.binary(SUITE));
    command.current_dir(workspace.root()).env("STEWARD_DEV_DIR", place(workspace));
    command
}

fn place(workspace: &Workspace) -> std::path::PathBuf {
    workspace.target().join("dev-faults")
}
