//! `cargo dev rows`: which requirement rows have a test.

use std::{fs, process::ExitCode};

use crate::{
    Problem, Result, Workspace,
    rows::{coverage, proofs_below, wanted},
    say::{self, Colour},
};

pub(super) fn run(workspace: &Workspace, rest: &[String]) -> Result<ExitCode> {
    let only_missing = rest.iter().any(|argument| argument == "--missing");
    let files: Vec<_> = rest.iter().filter(|argument| !argument.starts_with("--")).collect();
    if files.is_empty() {
        return Err(Problem::new("rows of which list?").remedy("cargo dev rows <file with ids or a table of rows>"));
    }
    let mut list = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).map_err(Problem::io(format_args!("reading {file}")))?;
        let rows = wanted(&text);
        if rows.is_empty() {
            return Err(Problem::new(format!("{file} names no requirement row (`WO-44`)")));
        }
        list.extend(rows);
    }
    list.sort();
    list.dedup();

    let (mut proven_count, mut missing_count) = (0, 0);
    for (prefix, found) in coverage(list, &proofs_below(workspace.root())?) {
        let (proven, missing) = (found.proven.len(), found.missing.len());
        proven_count += proven;
        missing_count += missing;
        say::step(format!("{prefix} {}: {} rows, {proven} with a test, {missing} without", service(&prefix), proven + missing));
        if !only_missing {
            for (row, proofs) in &found.proven {
                for (index, proof) in proofs.iter().enumerate() {
                    let name = if index == 0 { row.to_string() } else { String::new() };
                    say::line(format!("  {} {proof}", say::paint(Colour::Green, &format!("{name:<8}"))));
                }
            }
        }
        for line in found.missing.chunks(12) {
            let names: Vec<_> = line.iter().map(ToString::to_string).collect();
            say::line(format!("  {} {}", say::paint(Colour::Yellow, "no test "), names.join(" ")));
        }
    }
    say::line(format!("{} rows: {proven_count} with a test, {missing_count} without", proven_count + missing_count));
    Ok(ExitCode::SUCCESS)
}

/// The service that a prefix of the requirements belongs to.
fn service(prefix: &str) -> &'static str {
    match prefix {
        "CP" => "(customer)",
        "WO" => "(work-order)",
        "SV" => "(survey)",
        "CA" => "(care)",
        "NT" => "(notification)",
        "GR" => "(gateway)",
        "XC" => "(cross-cutting)",
        "F" => "(metric formulas)",
        _other => "",
    }
}
