//! The commands about a running stack. Building, then handing over to `steward-stack`, which knows the services; stopping is done here, so
//! that it works even when nothing compiles.

use std::{
    fs,
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

use super::build;
use crate::{Problem, Result, Workspace, machine, process::ProcessTable, say, shutdown::stop_everything};

pub(super) fn build_and_hand_over(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    machine::ensure_servers()?;
    build::programs(workspace)?;
    hand_over(workspace, arguments)
}

/// Becomes the stack runner; comes back only if that cannot be.
pub(super) fn hand_over(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let runner = workspace.binary(build::RUNNER);
    if !runner.is_file() {
        build::programs(workspace)?;
    }
    let error = Command::new(&runner).args(arguments).current_dir(workspace.root()).exec();
    Err(Problem::new(format!("starting {}: {error}", runner.display())))
}

pub(super) fn down(workspace: &Workspace) -> Result<ExitCode> {
    let stopped = stop_everything(workspace)?;
    match stopped.is_empty() {
        true => say::line("nothing was running"),
        false => say::line(format!("stopped {}; the data stays in {}", stopped.join(", "), workspace.dev().display())),
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn kill(workspace: &Workspace, rest: &[String]) -> Result<ExitCode> {
    let [name] = rest else { return Err(Problem::new("kill what?").remedy("cargo dev kill work-order")) };
    match ProcessTable::open(workspace.dev().join("run"))?.kill(name)? {
        true => say::line(format!("killed {name}; `cargo dev start {name}` starts it again")),
        false => return Err(Problem::new(format!("{name} does not run")).remedy("cargo dev status")),
    }
    Ok(ExitCode::SUCCESS)
}

/// Becomes `tail` over the logs.
pub(super) fn logs(workspace: &Workspace, rest: &[String]) -> Result<ExitCode> {
    let dir = workspace.dev().join("logs");
    let (options, names): (Vec<&String>, Vec<&String>) = rest.iter().partition(|argument| argument.starts_with('-'));
    if let Some(unknown) = options.iter().find(|option| !["-f", "--follow"].contains(&option.as_str())) {
        return Err(Problem::new(format!("logs has no option {unknown}")).remedy("cargo dev logs work-order --follow"));
    }
    let mut files: Vec<_> = match names.as_slice() {
        [] => fs::read_dir(&dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect(),
        names => names.iter().map(|name| dir.join(format!("{name}.log"))).collect(),
    };
    files.retain(|file| file.is_file());
    files.sort();
    if files.is_empty() {
        return Err(Problem::new("there is no such log").remedy("cargo dev status"));
    }
    let follow = (!options.is_empty()).then_some("-F");
    let error = Command::new("tail").args(["-n", "40"]).args(follow).args(files).exec();
    Err(Problem::new(format!("starting tail: {error}")))
}
