//! Private Python environments under `target/`, for tools and clients that come as Python packages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::relay;
use crate::{Problem, Result, Workspace, machine, say, servers::is_root};

/// The environment `name` with these packages in it.
pub fn environment(workspace: &Workspace, name: &str, packages: &[&str]) -> Result<PathBuf> {
    let home = workspace.tools().join(name);
    // Written last: an environment whose packages did not come has its own `python` all the same. Other packages make another one.
    let complete = home.join("complete");
    if fs::read_to_string(&complete).is_ok_and(|made_of| made_of == packages.join("\n")) {
        return Ok(home);
    }
    say::detail(format!("fetching {} into {} (a private Python environment)", packages.join(", "), home.display()));
    // A half-made environment of an interrupted run would never work.
    if home.exists() {
        fs::remove_dir_all(&home).map_err(Problem::io(format_args!("removing {}", home.display())))?;
    }
    make(&home)?;
    let mut install = Command::new(home.join("bin/pip"));
    run(install.args(["install", "--quiet", "--no-compile", "--disable-pip-version-check"]).args(packages), "pip install")?;
    fs::write(&complete, packages.join("\n")).map_err(Problem::io(format_args!("writing {}", complete.display())))?;
    Ok(home)
}

fn make(home: &Path) -> Result<()> {
    let make = || run(Command::new("python3").args(["-m", "venv"]).arg(home), "python3 -m venv");
    let Err(problem) = make() else { return Ok(()) };
    if !is_root() {
        return Err(problem.remedy("sudo apt-get install -y python3-venv (or put what it brings on the PATH)"));
    }
    machine::install(&["python3", "python3-venv"], "some checks come as Python packages")?;
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
