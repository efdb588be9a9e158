//! `buf lint`: the contract's names, comments and layout. Buf comes from its Python wheel into a folder under `target/`.

use std::{fs, path::PathBuf, process::Command};

use super::{relay, report::Verdict};
use crate::{
    Problem, Result, Workspace, machine, say,
    servers::{is_root, on_path},
    workspace::is_ci,
};

/// The release of buf that the contract is linted with.
const BUF: &str = "buf-bin==1.75.0";

/// Lints the contract.
pub fn lint(workspace: &Workspace) -> Result<Verdict> {
    let buf = match find_or_fetch(workspace) {
        Ok(buf) => buf,
        // In CI a check that cannot be made has failed; a person without a network goes on.
        Err(problem) if is_ci() => return Err(problem),
        Err(problem) => return Ok(Verdict::Skipped(problem.to_string())),
    };
    let status = relay::run(Command::new(buf).arg("lint").current_dir(workspace.root().join("proto")), "buf lint", relay::show)?;
    match status.success() {
        true => Ok(Verdict::Passed { count: 1 }),
        false => Err(Problem::new("buf lint found something")),
    }
}

fn find_or_fetch(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(buf) = on_path("buf") {
        return Ok(buf);
    }
    let home = workspace.tools().join("buf");
    let buf = home.join("bin/buf");
    if buf.is_file() {
        return Ok(buf);
    }
    say::detail(format!("fetching {BUF} into {} (a private Python environment)", home.display()));
    // A half-made environment of an interrupted run would never work.
    if home.exists() {
        fs::remove_dir_all(&home).map_err(Problem::io(format_args!("removing {}", home.display())))?;
    }
    make_environment(&home)?;
    run(Command::new(home.join("bin/pip")).args(["install", "--quiet", "--disable-pip-version-check", BUF]), "pip install")?;
    match buf.is_file() {
        true => Ok(buf),
        false => Err(Problem::new(format!("{BUF} brought no program for this machine")).remedy("put `buf` on the PATH")),
    }
}

fn make_environment(home: &std::path::Path) -> Result<()> {
    let make = || run(Command::new("python3").args(["-m", "venv"]).arg(home), "python3 -m venv");
    let Err(problem) = make() else { return Ok(()) };
    if !is_root() {
        return Err(problem.remedy("sudo apt-get install -y python3-venv, or put `buf` on the PATH"));
    }
    machine::install(&["python3", "python3-venv"], "buf, the linter of the contract, comes as a Python wheel")?;
    make()
}

fn run(command: &mut Command, name: &str) -> Result<()> {
    let mut last = String::new();
    let status = relay::run(command, name, |line| line.clone_into(&mut last))?;
    match status.success() {
        true => Ok(()),
        false => Err(Problem::new(format!("{name} failed: {last}"))),
    }
}
