//! What people do with a round, each verb with the states that allow it.

use jiff::Timestamp;
use steward_kit::Result;

use super::{Case, Report, Round, State, Training};
use crate::domain::base::{Change, Promise, Stored, TimerKind, forbids};
use crate::domain::terms::Rules;

/// Somebody was trained.
pub fn train(before: &Stored<Round>, training: Training) -> Result<Change<Round>> {
    match before.value.state {
        State::Preparing | State::Active => {
            let mut after = before.value.clone();
            after.trainings.push(training);
            Ok(Change::to(after))
        }
        State::Ended | State::Reported | State::Archived => refuse(before),
    }
}

/// The visits end.
pub fn end(before: &Stored<Round>, now: Timestamp, rules: &Rules) -> Result<Change<Round>> {
    match before.value.state {
        State::Active => before.value.ended(now, rules),
        State::Preparing | State::Ended | State::Reported | State::Archived => refuse(before),
    }
}

/// The report comes in.
pub fn report(before: &Stored<Round>, report: Report) -> Result<Change<Round>> {
    match before.value.state {
        State::Ended => {
            let is_late = before.value.report_due_time.is_some_and(|due| report.submit_time > due);
            let after = Round { state: State::Reported, report: Some(Report { is_late, ..report }), ..before.value.clone() };
            Ok(Change::to(after).promise(Promise::cancel(TimerKind::RoundReport)))
        }
        State::Preparing | State::Active | State::Reported | State::Archived => refuse(before),
    }
}

/// The round becomes a case that names nobody (CA-49).
pub fn archive(before: &Stored<Round>, case: Case) -> Result<Change<Round>> {
    match before.value.state {
        State::Reported => {
            let mut bad = steward_kit::error::Violations::new();
            for (field, text) in [("title", &case.title), ("lesson", &case.lesson)] {
                if names_somebody(text) {
                    bad.add(field, "PERSONAL_DATA", "must not hold a phone or identity number or an address of mail");
                }
            }
            bad.finish()?;
            Ok(Change::to(Round { state: State::Archived, case: Some(case), ..before.value.clone() }))
        }
        State::Preparing | State::Active | State::Ended | State::Archived => refuse(before),
    }
}

/// A run of seven or more digits, written together or with strokes, or an address of mail.
fn names_somebody(text: &str) -> bool {
    let mut run = 0;
    for letter in text.chars() {
        match letter {
            _ if letter.is_numeric() => run += 1,
            '-' | ' ' | '_' if run > 0 => {}
            _ => run = 0,
        }
        if run >= 7 {
            return true;
        }
    }
    text.split_whitespace().any(|word| word.contains('@') && word.contains('.'))
}

fn refuse(before: &Stored<Round>) -> Result<Change<Round>> {
    let allowed: &[&'static str] = match before.value.state {
        State::Preparing => &["RecordTraining"],
        State::Active => &["RecordTraining", "EndVisitRound"],
        State::Ended => &["SubmitRoundReport"],
        State::Reported => &["ArchiveVisitRound"],
        State::Archived => &[],
    };
    forbids::<Round, _>("ROUND_STATE_FORBIDS", before.id, before.value.state.as_str(), allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CA-49: a case names nobody.
    #[test]
    fn texts_that_name_somebody_are_noticed() {
        for text in ["call 138 0013 8000", "13800138000", "id 110101-19900307-1234", "mail li@example.com", "１３８００１３８０００"]
        {
            assert!(names_somebody(text), "{text}");
        }
        for text in ["12 of 40 homes had draughty windows in 2026", "风大漏水 3 次"] {
            assert!(!names_somebody(text), "{text}");
        }
    }
}
