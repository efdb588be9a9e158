//! `cargo dev test`: every check that CI runs, as named steps with times and one closing line.
//!
//! The order spares work: clippy and the queries' check share one pass over the workspace, the test binaries and the demo's programs share
//! another. What mostly waits is made beside what mostly computes.

mod counting;

use std::{fs, path::PathBuf, process::ExitCode, thread};

use super::{build, exit_code, faults, prepare, storm};
use crate::{
    Problem, Result, Workspace,
    checks::{
        alerts, deny, manifests, proto, relay,
        report::{Report, Verdict},
        walks,
    },
    machine,
    servers::on_path,
};

pub(super) fn run(workspace: &Workspace, rest: &[String]) -> Result<ExitCode> {
    let is_quick = rest.iter().any(|argument| argument == "--quick");
    let filters: Vec<_> = rest.iter().filter(|argument| !argument.starts_with("--")).map(String::as_str).collect();
    machine::ensure_servers()?;

    let mut report = Report::default();
    if !filters.is_empty() {
        report.step("tests", || tests(workspace, &filters));
        return Ok(exit_code(report.close()));
    }
    report.step("format", || cargo_check(workspace, &["fmt", "--all", "--check"]));
    thread::scope(|scope| {
        // They fetch their tools and look at files; the compilers have the cores.
        let files = Report::beside(scope, |report| files(workspace, report));
        if is_quick {
            report.step("clippy", || cargo_check(workspace, &CLIPPY));
        } else {
            report.step("clippy, every query checked against a real database", || clippy_and_queries(workspace));
            report.step(".sqlx is what the queries say", || sqlx_is_fresh(workspace));
        }
        report.join(files);
    });
    report.step("tests", || tests(workspace, &[]));
    match is_quick {
        true => report.step(MANIFESTS, || manifests::check(workspace, None)),
        false => with_programs(workspace, &mut report),
    }
    Ok(exit_code(report.close()))
}

/// What needs every program. Stacks wait for each other's crashes and clocks, so two are up at once, each in a place of its own.
fn with_programs(workspace: &Workspace, report: &mut Report) {
    report.step("programs", || build::programs_and_faults(workspace).map(|()| Verdict::Passed { count: 1 }));
    thread::scope(|scope| {
        let faults = Report::beside(scope, |report| {
            report.step("faults, the short run: kills, cuts, a flush, a failover, a full disk", || faults::short(workspace));
        });
        report.step("doc tests", || doc_tests(workspace));
        report.step(MANIFESTS, || manifests::check(workspace, workspace.binary(build::RUNNER).parent()));
        report.step("demo: the main job from an empty stack, and its trace", || demo(workspace, &["--trace"]));
        report.step("demo among crashes: every service killed again and again", || demo(workspace, &["--kill"]));
        report.step("demo of a storm day, a small one: a kill and a flush at its height", || storm::small(workspace));
        report.step("callers in other languages: curl and Python", || {
            walks::walk(workspace, &workspace.binary(build::RUNNER), &check_dir(workspace))
        });
        report.join(faults);
    });
}

/// What compiles nothing.
fn files(workspace: &Workspace, report: &mut Report) {
    report.step("contract lint (buf)", || proto::lint(workspace));
    // A build fetches the crates of this platform only; the lock names those of every one.
    report.step("crates of every platform", || cargo_check(workspace, &["fetch", "--locked"]));
    report.step("dependencies: bans, licences, sources (cargo deny)", || deny::check(workspace));
    report.step("alerts: rules, what they fire on, a page for each (promtool)", || alerts::check(workspace));
    report.step("tools of the manifests' check", || manifests::fetch(workspace));
    report.step("tools of the callers in other languages", || walks::fetch(workspace));
}

/// The manifests alone; `--quick` builds no programs to ask.
pub(super) fn manifests(workspace: &Workspace, rest: &[String]) -> Result<ExitCode> {
    let is_quick = rest.iter().any(|argument| argument == "--quick");
    let mut report = Report::default();
    report.step(MANIFESTS, || if is_quick { manifests::check(workspace, None) } else { manifests_and_programs(workspace) });
    Ok(exit_code(report.close()))
}

const MANIFESTS: &str = "manifests: rendered, schemas, lint, settings";

/// The programs say which settings they read.
fn manifests_and_programs(workspace: &Workspace) -> Result<Verdict> {
    build::programs(workspace)?;
    manifests::check(workspace, workspace.binary(build::RUNNER).parent())
}

const CLIPPY: [&str; 6] = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];

fn cargo_check(workspace: &Workspace, arguments: &[&str]) -> Result<Verdict> {
    let name = format!("cargo {}", arguments[0]);
    match relay::run(build::cargo(workspace).args(arguments), &name, relay::show)?.success() {
        true => Ok(Verdict::Passed { count: 1 }),
        false => Err(Problem::new(format!("{name} found something"))),
    }
}

/// Lints the workspace while its queries are expanded against a migrated database.
fn clippy_and_queries(workspace: &Workspace) -> Result<Verdict> {
    build::runner(workspace)?;
    let mut command = prepare::with_live_database(workspace, &prepare::fresh_answers(workspace)?, &CLIPPY)?;
    match relay::run(&mut command, "cargo clippy", relay::show)?.success() {
        true => Ok(Verdict::Passed { count: 1 }),
        false => Err(Problem::new("cargo clippy found something")),
    }
}

/// Compares what the step before learnt with what is committed.
fn sqlx_is_fresh(workspace: &Workspace) -> Result<Verdict> {
    let differing = prepare::differences(&prepare::committed(workspace), &prepare::answers_dir(workspace))?;
    match differing.is_empty() {
        true => Ok(Verdict::Passed { count: 1 }),
        false => Err(prepare::stale(&differing)),
    }
}

fn tests(workspace: &Workspace, filters: &[&str]) -> Result<Verdict> {
    let mut command = build::cargo(workspace);
    let has_nextest = on_path("cargo-nextest").is_some() || cargo_home_has("cargo-nextest");
    match has_nextest {
        true => command.args(["nextest", "run", "--workspace", "--no-fail-fast"]),
        // Slower, because each binary runs by itself, but nothing has to be built from source first.
        false => command.args(["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]),
    };
    at_once(&mut command);
    counting::run(command.args(filters), "tests")
}

/// Tests wait for their databases more than they compute: two to a core keep it busy. Who sets a number has it.
fn at_once(command: &mut std::process::Command) {
    let tests = 2 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for name in ["NEXTEST_TEST_THREADS", "RUST_TEST_THREADS"] {
        if crate::workspace::variable(name).is_none() {
            command.env(name, tests.to_string());
        }
    }
}

fn doc_tests(workspace: &Workspace) -> Result<Verdict> {
    counting::run(build::cargo(workspace).args(["test", "--workspace", "--doc", "--no-fail-fast"]), "doc tests")
}

/// Plays the demo in a place of its own, so that it neither uses nor disturbs a stack that somebody has up.
fn demo(workspace: &Workspace, how: &[&str]) -> Result<Verdict> {
    let dir = check_dir(workspace);
    let mut command = std::process::Command::new(workspace.binary(build::RUNNER));
    command.args(["demo", "--fresh"]).args(how).current_dir(workspace.root()).env("STEWARD_DEV_DIR", &dir);
    match relay::run(&mut command, "demo", relay::show)?.success() {
        true => Ok(Verdict::Passed { count: 1 }),
        false => Err(Problem::new(format!("the demo failed; the services' logs are in {}", dir.join("logs").display()))),
    }
}

fn check_dir(workspace: &Workspace) -> PathBuf {
    workspace.target().join("dev-check")
}

fn cargo_home_has(program: &str) -> bool {
    let home = crate::workspace::variable("CARGO_HOME").or_else(|| crate::workspace::variable("HOME").map(|home| format!("{home}/.cargo")));
    home.is_some_and(|home| fs::metadata(format!("{home}/bin/{program}")).is_ok())
}
