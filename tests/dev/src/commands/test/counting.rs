//! Counts tests from what nextest or libtest say at the end.

use std::process::Command;

use crate::{
    Result,
    checks::{relay, report::Verdict},
};

/// Runs a command that runs tests, and counts them.
pub(super) fn run(command: &mut Command, name: &str) -> Result<Verdict> {
    let mut counts = Counts::default();
    let status = relay::run(command, name, |line| {
        counts.read(line);
        relay::show(line);
    })?;
    let Counts { passed, failed } = counts;
    Ok(match (status.success(), failed) {
        (true, 0) => Verdict::Passed { count: passed },
        (_, 0) => Verdict::Failed { passed, failed: 1, why: format!("{name} did not run to the end ({status})") },
        (_, failed) => Verdict::Failed { passed, failed, why: format!("{failed} of {} {name} failed", passed + failed) },
    })
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u32,
    failed: u32,
}

impl Counts {
    /// `     Summary [   1.2s] 9 tests run: 8 passed (1 slow), 1 failed, 0 skipped`, or `test result: ok. 9 passed; 0 failed; …`
    fn read(&mut self, line: &str) {
        let line = without_colour(line);
        let line = line.trim();
        let is_nextest = line.starts_with("Summary [");
        if !is_nextest && !line.starts_with("test result:") {
            return;
        }
        if is_nextest {
            // It counts everything; what came before are results that a failed test printed.
            *self = Self::default();
        }
        let words: Vec<_> = line.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let count = pair[0].parse().unwrap_or(0);
            match pair[1] {
                "passed" => self.passed += count,
                "failed" | "timed" => self.failed += count,
                _other => {}
            }
        }
    }
}

fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut is_code = false;
    for character in line.chars() {
        match (is_code, character) {
            (false, '\x1b') => is_code = true,
            (false, _) => plain.push(character),
            (true, 'm') => is_code = false,
            (true, _) => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runners_are_understood() {
        let mut counts = Counts::default();
        counts.read("        test result: FAILED. 0 passed; 1 failed; 0 ignored; what nextest shows of a test that failed");
        counts.read("\x1b[32m     Summary\x1b[0m [   1.2s] 12 tests run: 9 passed (1 slow), 1 failed, 2 timed out, 4 skipped");
        assert_eq!(counts, Counts { passed: 9, failed: 3 });
        counts.read("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
        counts.read("a line about 7 passed things");
        assert_eq!(counts, Counts { passed: 12, failed: 3 });
    }
}
