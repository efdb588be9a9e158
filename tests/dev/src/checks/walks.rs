//! Callers in other languages: the main job by curl through JSON, and in Python by reflection alone, against a running stack.

use std::{path::Path, process::Command};

use super::{python, relay, report::Verdict};
use crate::{Problem, Result, Workspace, say, workspace::is_ci};

/// What the Python walk needs: the gRPC library and the client of the reflection service.
const GRPC: [&str; 2] = ["grpcio==1.76.0", "grpcio-reflection==1.76.0"];

/// Fetches what the walks need, so that it is there when the stack is.
pub fn fetch(workspace: &Workspace) -> Result<Verdict> {
    match python::environment(workspace, "grpc", &GRPC) {
        Ok(_) => Ok(Verdict::Passed { count: 1 }),
        Err(problem) if is_ci() => Err(problem),
        Err(problem) => Ok(Verdict::Skipped(problem.to_string())),
    }
}

/// Walks against the stack in `dir`, which is started and stopped by `runner`.
pub fn walk(workspace: &Workspace, runner: &Path, dir: &Path) -> Result<Verdict> {
    let python = match python::environment(workspace, "grpc", &GRPC) {
        Ok(home) => Some(home.join("bin/python")),
        Err(problem) if is_ci() => return Err(problem),
        Err(problem) => {
            say::warning(format!("the walk in Python is not made: {problem}"));
            None
        }
    };
    let at = |program: &Path| {
        let mut command = Command::new(program);
        command.current_dir(workspace.root()).env("STEWARD_DEV_DIR", dir);
        command
    };
    done(relay::run(at(runner).args(["up", "--detach"]), "starting a stack", relay::show)?.success(), "starting a stack")?;
    let walks = workspace.root().join("tests/e2e/walks");
    let walked = relay::run(&mut at(&walks.join("walk.sh")), "walk.sh", relay::show).and_then(|status| {
        done(status.success(), "walk.sh")?;
        let Some(python) = &python else { return Ok(1) };
        let status = relay::run(at(python).arg(walks.join("walk.py")), "walk.py", relay::show)?;
        done(status.success(), "walk.py").map(|()| 2)
    });
    // By its path: the walks may have built this very program anew.
    let launcher = workspace.binary("steward-dev");
    let stopped = relay::run(at(&launcher).arg("down"), "stopping the stack", relay::show)?;
    done(stopped.success(), "stopping the stack")?;
    walked.map(|count| Verdict::Passed { count })
}

fn done(success: bool, what: &str) -> Result<()> {
    if success { Ok(()) } else { Err(Problem::new(format!("{what} failed"))) }
}
