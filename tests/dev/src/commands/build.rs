//! Calls to cargo that keep talking.

use std::{
    io::IsTerminal,
    process::{Command, ExitStatus},
    time::Instant,
};

use crate::{Problem, Result, Workspace, checks::relay, say, workspace::variable};

/// The cargo that runs us.
pub(super) fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".to_owned()));
    command.current_dir(workspace.root());
    // Set by the cargo that started us for our own crate; they mean nothing to the crates built below.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME"] {
        command.env_remove(name);
    }
    if say::is_colourful() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    command
}

/// The stack's runner, a binary of steward-harness.
pub(super) const RUNNER: &str = "steward-stack";

/// Builds every program of the stack. The benchmarks and the fault suite are none of it.
pub(super) fn programs(workspace: &Workspace) -> Result<()> {
    let targets = ["--bins", "--exclude", "steward-bench", "--exclude", "steward-faults"];
    build(workspace, "Building the services, the gateway and the stack runner", &targets)
}

/// The same, and the fault suite.
pub(super) fn programs_and_faults(workspace: &Workspace) -> Result<()> {
    build(workspace, "Building the services, the gateway and the fault suite", &["--bins", "--exclude", "steward-bench"])
}

/// Builds the stack's runner alone.
pub(super) fn runner(workspace: &Workspace) -> Result<()> {
    build(workspace, "Building the stack runner", &["--bin", RUNNER])
}

/// Builds what production runs as it is shipped, and with it one package of ours that measures it. Only the names of functions stay in
/// the programs, so that a profiler can say where time goes; the code is the same.
pub(super) fn release(workspace: &Workspace, package: &str) -> Result<()> {
    say::step("Building the services and the gateway for release; the first time takes many minutes");
    let begun = Instant::now();
    let mut command = cargo(workspace);
    command.args(["build", "--release", "--bins", "--config", "profile.release.strip=\"debuginfo\"", "--package", package]);
    for program in SHIPPED {
        command.args(["--package", program]);
    }
    match show(&mut command, "cargo build")?.success() {
        true => say::done("built", begun.elapsed()),
        false => return Err(Problem::new("the build failed, see above")),
    }
    Ok(())
}

/// The packages of the programs that production runs.
const SHIPPED: [&str; 6] =
    ["steward-customer", "steward-work-order", "steward-notification", "steward-survey", "steward-care", "steward-gateway"];

/// Always `--workspace`: with other packages chosen, cargo would choose other features of what they share, and build it twice. (What
/// is excluded adds no feature of its own.)
fn build(workspace: &Workspace, what: &str, targets: &[&str]) -> Result<()> {
    say::step(what);
    let begun = Instant::now();
    let mut command = cargo(workspace);
    command.args(["build", "--workspace"]).args(targets);
    match show(&mut command, "cargo build")?.success() {
        true => say::done("built", begun.elapsed()),
        false => return Err(Problem::new("the build failed, see above")),
    }
    Ok(())
}

/// Runs cargo in sight: with its own progress bar on a terminal, line by line elsewhere.
pub(super) fn show(command: &mut Command, name: &str) -> Result<ExitStatus> {
    if std::io::stderr().is_terminal() {
        return command.status().map_err(Problem::io(format_args!("running {name}")));
    }
    relay::run(command, name, relay::show)
}
