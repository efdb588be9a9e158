//! `buf lint`: the contract's names, comments and layout. Buf comes from its Python wheel into a folder under `target/`.

use std::{path::PathBuf, process::Command};

use super::{python, relay, report::Verdict};
use crate::{Problem, Result, Workspace, servers::on_path, workspace::is_ci};

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
    Ok(python::environment(workspace, "buf", &[BUF])?.join("bin/buf"))
}
