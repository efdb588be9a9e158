//! What the steps came to: a table, and one closing line that a person and a CI job both read.

use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crate::{
    Result,
    say::{self, Colour},
};

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A check that passed, or a run of this many tests.
    Passed {
        /// How many things were proven; 1 for a plain check.
        count: u32,
    },
    /// A check that failed, or a run of tests in which some failed.
    Failed {
        /// How many passed all the same.
        passed: u32,
        /// How many failed; at least 1.
        failed: u32,
        /// Why, in a line.
        why: String,
    },
    /// Not made, with the reason; never in CI.
    Skipped(String),
}

struct Row {
    name: String,
    verdict: Verdict,
    took: Duration,
}

/// Steps that are made beside others.
pub struct Beside<'scope>(ScopedJoinHandle<'scope, (Report, String)>);

/// The steps made so far.
pub struct Report {
    rows: Vec<Row>,
    begun: Instant,
}

impl Default for Report {
    fn default() -> Self {
        Self { rows: Vec::new(), begun: Instant::now() }
    }
}

impl Report {
    /// Makes one step: prints its name, does it, keeps its verdict and time. A problem is a failure of this step; the next is still made.
    pub fn step(&mut self, name: &str, check: impl FnOnce() -> Result<Verdict>) {
        say::step(name);
        let begun = Instant::now();
        let verdict = check().unwrap_or_else(|problem| Verdict::Failed { passed: 0, failed: 1, why: problem.to_string() });
        let took = begun.elapsed();
        match &verdict {
            Verdict::Passed { .. } => say::done(name, took),
            Verdict::Failed { why, .. } => say::failure(format!("{name}: {why}")),
            Verdict::Skipped(why) => say::warning(format!("{name} not made: {why}")),
        }
        self.rows.push(Row { name: name.to_owned(), verdict, took });
    }

    /// Begins steps that are made beside the next ones, because they wait more than they compute. What they say is kept until they are
    /// joined.
    pub fn beside<'scope>(scope: &'scope Scope<'scope, '_>, steps: impl FnOnce(&mut Report) + Send + 'scope) -> Beside<'scope> {
        Beside(scope.spawn(|| {
            say::kept(|| {
                let mut report = Self::default();
                steps(&mut report);
                report
            })
        }))
    }

    /// Waits for them, tells what they said, and takes their rows over.
    pub fn join(&mut self, beside: Beside<'_>) {
        match beside.0.join() {
            Ok((report, said)) => {
                say::line(said.trim_end());
                self.rows.extend(report.rows);
            }
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Whether anything failed so far.
    pub fn has_failures(&self) -> bool {
        self.rows.iter().any(|row| matches!(row.verdict, Verdict::Failed { .. }))
    }

    /// Prints the table and the closing line; true if nothing failed.
    pub fn close(&self) -> bool {
        say::line("");
        say::step(format!("Summary, {} in all", say::seconds(self.begun.elapsed())));
        for row in &self.rows {
            let took = format!("{:>13}", say::seconds(row.took));
            let (word, note) = match &row.verdict {
                Verdict::Passed { count: 0 | 1 } => (say::paint(Colour::Green, "ok     "), String::new()),
                Verdict::Passed { count } => (say::paint(Colour::Green, "ok     "), format!("  {count} passed")),
                Verdict::Failed { passed, failed, why } => {
                    let first = why.lines().next().unwrap_or_default();
                    (say::paint(Colour::Red, "FAILED "), format!("  {passed} passed, {failed} failed: {first}"))
                }
                Verdict::Skipped(why) => (say::paint(Colour::Yellow, "not made"), format!("  {why}")),
            };
            say::line(format!("  {word} {took}  {}{note}", row.name));
        }
        let (passed, failed) = self.totals();
        say::line(format!("{passed} passed, {failed} failed"));
        failed == 0
    }

    /// Checks and tests together.
    fn totals(&self) -> (u32, u32) {
        self.rows.iter().fold((0, 0), |(all_passed, all_failed), row| match row.verdict {
            Verdict::Passed { count } => (all_passed + count, all_failed),
            Verdict::Failed { passed, failed, .. } => (all_passed + passed, all_failed + failed),
            Verdict::Skipped(_) => (all_passed, all_failed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Problem;

    #[test]
    fn a_problem_in_a_step_is_counted_as_one_failure_and_the_rest_goes_on() {
        let mut report = Report::default();
        report.step("broken", || Err(Problem::new("no")));
        report.step("tests", || Ok(Verdict::Passed { count: 12 }));
        report.step("partly", || Ok(Verdict::Failed { passed: 3, failed: 2, why: "2 tests".to_owned() }));
        assert_eq!(report.totals(), (15, 3));
        assert!(report.has_failures());
    }

    #[test]
    fn steps_made_beside_others_count_and_talk_when_they_are_joined() {
        std::thread::scope(|scope| {
            let mut report = Report::default();
            let beside = Report::beside(scope, |report| {
                report.step("beside", || Ok(Verdict::Failed { passed: 0, failed: 1, why: "no".to_owned() }))
            });
            report.step("tests", || Ok(Verdict::Passed { count: 12 }));
            assert!(!report.has_failures());
            let ((), said) = say::kept(|| report.join(beside));
            assert!(said.contains("beside: no"), "{said}");
            assert_eq!(report.totals(), (12, 1));
        });
    }
}
