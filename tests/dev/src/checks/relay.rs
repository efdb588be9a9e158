//! Runs a program and passes its lines on as they come, with a sign of life when it is silent.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Problem, Result,
    say::{self, Colour},
};

/// The longest silence before we say that it still runs.
const SILENCE: Duration = Duration::from_secs(8);

/// Runs `command` to its end; `each` sees every line of both its outputs.
pub fn run(command: &mut Command, name: &str, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Problem::io(format_args!("starting {}", command.get_program().to_string_lossy())))?;
    let (sender, lines) = mpsc::channel();
    let readers =
        [child.stdout.take().map(|pipe| read_lines(pipe, sender.clone())), child.stderr.take().map(|pipe| read_lines(pipe, sender))];
    loop {
        match lines.recv_timeout(SILENCE) {
            Ok(line) => each(&line),
            Err(RecvTimeoutError::Timeout) => {
                say::line(say::paint(Colour::Grey, &format!("    … {name}, {}", say::seconds(begun.elapsed()))))
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    for reader in readers.into_iter().flatten() {
        // A reader ends with its pipe; it has nothing that could panic.
        let _ = reader.join();
    }
    child.wait().map_err(Problem::io(format_args!("waiting for {name}")))
}

/// Prints a passed-on line, indented under its step.
pub fn show(line: &str) {
    if !line.trim().is_empty() {
        say::detail(line);
    }
}

fn read_lines(pipe: impl Read + Send + 'static, sender: mpsc::Sender<String>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            bytes.clear();
            if sender.send(line).is_err() {
                return;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_outputs_are_passed_on_and_the_exit_code_is_kept() {
        let mut lines = Vec::new();
        let status =
            run(Command::new("sh").args(["-c", "echo one; echo two >&2; exit 3"]), "sh", |line| lines.push(line.to_owned())).unwrap();
        lines.sort();
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(status.code(), Some(3));
    }
}
