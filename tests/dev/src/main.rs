//! `cargo dev …`: see `steward_dev::commands`.

use std::process::ExitCode;

use steward_dev::{commands, say};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match commands::run(&arguments) {
        Ok(code) => code,
        Err(problem) => {
            say::failure(problem.to_string());
            ExitCode::FAILURE
        }
    }
}
