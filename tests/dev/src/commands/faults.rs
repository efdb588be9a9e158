//! `cargo dev faults`: the fault suite, in a place of its own, so that it neither uses nor disturbs a stack that somebody has up.

use std::{
    path::Path,
    process::{Command, ExitCode},
};

use super::{build, exit_code};
use crate::{
    Problem, Result, Workspace,
    checks::{relay, report::Verdict},
    machine,
};

/// The suite, a binary of `tests/faults`.
pub(super) const SUITE: &str = "steward-faults";

/// Where it works.
const PLACE: &str = "dev-faults";

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
        false => Err(Problem::new(format!(
            "the fault suite found something; the logs are in {}",
            workspace.target().join(PLACE).join("logs").display()
        ))),
    }
}

fn suite(workspace: &Workspace) -> Command {
    at(workspace, &workspace.binary(SUITE), PLACE)
}

/// The suite, in a folder of the build's.
pub(super) fn at(workspace: &Workspace, suite: &Path, place: &str) -> Command {
    let mut command = Command::new(suite);
    command.current_dir(workspace.root()).env("STEWARD_DEV_DIR", workspace.target().join(place));
    command
}
