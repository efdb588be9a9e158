//! `cargo dev demo --storm`: the day of a storm, which the fault suite plays with its own checks, in a place of its own; with the programs
//! as they are shipped, because nothing else does a large group's day in minutes.

use std::process::ExitCode;

use super::{build, exit_code, faults};
use crate::{
    Problem, Result, Workspace,
    checks::{relay, report::Verdict},
    machine,
};

/// Where it works.
const PLACE: &str = "dev-storm";

/// A day small enough for every check.
const SMALL: [&str; 5] = ["--storm", "--orders", "60", "--homes", "4"];

pub(super) fn run(workspace: &Workspace, rest: &[String]) -> Result<ExitCode> {
    machine::ensure_servers()?;
    build::release(workspace, faults::SUITE)?;
    let suite = workspace.release_binary(faults::SUITE);
    let status = faults::at(workspace, &suite, PLACE).args(rest).status().map_err(Problem::io("playing the day of the storm"))?;
    Ok(exit_code(status.success()))
}

/// A small one with the programs that the tests have built, as a step of them.
pub(super) fn small(workspace: &Workspace) -> Result<Verdict> {
    match relay::run(faults::at(workspace, &workspace.binary(faults::SUITE), PLACE).args(SMALL), "storm", relay::show)?.success() {
        true => Ok(Verdict::Passed { count: 1 }),
        false => {
            let logs = workspace.target().join(PLACE).join("logs");
            Err(Problem::new(format!("something was lost or wrong in the storm; the logs are in {}", logs.display())))
        }
    }
}
