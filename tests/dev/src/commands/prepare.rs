//! `cargo dev prepare`: every `sqlx::query!` checked against a real database, and what it answered kept in `.sqlx/`.
//!
//! The macros themselves write their answers when they are given a live database and `SQLX_OFFLINE_DIR`. The database comes from
//! `steward-stack with-database`: neither the harness nor kit-store contains a checked query, so they compile without `.sqlx/`.

mod answers;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

pub(super) use answers::differences;

use super::build;
use crate::{Problem, Result, Workspace, machine, say};

pub(super) fn run(workspace: &Workspace, rest: &[String]) -> Result<ExitCode> {
    machine::ensure_servers()?;
    let is_check = rest.iter().any(|argument| argument == "--check");
    build::runner(workspace)?;
    say::step("Checking every query against a real database");
    let begun = Instant::now();
    let fresh = fresh_answers(workspace)?;
    let mut command = with_live_database(workspace, &fresh, &["check", "--workspace", "--all-targets"])?;
    if !build::show(&mut command, "cargo check")?.success() {
        return Err(Problem::new("the workspace does not compile against the migrated database, see above"));
    }
    let committed = committed(workspace);
    let differing = differences(&committed, &fresh)?;
    if differing.is_empty() {
        say::done(".sqlx is up to date", begun.elapsed());
    } else if is_check {
        return Err(stale(&differing));
    } else {
        answers::replace(&committed, &fresh)?;
        say::done(format!(".sqlx refreshed, {} files changed", differing.len()), begun.elapsed());
    }
    Ok(ExitCode::SUCCESS)
}

/// The refusal when `.sqlx/` is not what the queries say.
pub(super) fn stale(differing: &[String]) -> Problem {
    Problem::new(format!(".sqlx is stale: {} of its files are missing, left over or different", differing.len()))
        .remedy("cargo dev prepare, and commit .sqlx")
}

/// The folder that is committed.
pub(super) fn committed(workspace: &Workspace) -> PathBuf {
    workspace.root().join(".sqlx")
}

/// An empty folder for the macros' answers.
pub(super) fn fresh_answers(workspace: &Workspace) -> Result<PathBuf> {
    let dir = answers_dir(workspace);
    if dir.exists() {
        fs::remove_dir_all(&dir).map_err(Problem::io(format_args!("removing {}", dir.display())))?;
    }
    fs::create_dir_all(&dir).map_err(Problem::io(format_args!("making {}", dir.display())))?;
    Ok(dir)
}

/// Where the macros put their answers.
pub(super) fn answers_dir(workspace: &Workspace) -> PathBuf {
    workspace.target().join("sqlx-answers")
}

/// A cargo command that expands every query anew, against a freshly migrated database.
pub(super) fn with_live_database(workspace: &Workspace, answers: &Path, arguments: &[&str]) -> Result<Command> {
    for folder in ["services", "gateway", "tests"] {
        answers::touch_queries(&workspace.root().join(folder), answers)?;
    }
    let cargo = build::cargo(workspace);
    let mut command = Command::new(workspace.binary(build::RUNNER));
    command.args(["with-database", "--"]).arg(cargo.get_program()).args(arguments).current_dir(workspace.root());
    for (name, value) in cargo.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("SQLX_OFFLINE", "false").env("SQLX_OFFLINE_DIR", answers);
    Ok(command)
}
