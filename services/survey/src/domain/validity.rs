//! Whether a response counts, and why not (SV-35, SV-39, SV-49). An invalid response is kept; a suspicious one is held until
//! somebody has looked.

use serde::{Deserialize, Serialize};

use super::answer::{Answer, answer_to};
use super::codes::Verdict;
use super::instrument::{Instrument, QuestionKind};
use super::path::Walk;

/// The rules of the policy. `None` and 0 switch a rule off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidityRules {
    /// Least share of the required questions on the path: numerator and denominator.
    pub min_complete: Option<(u32, u32)>,
    /// Least seconds a question takes on average.
    pub min_seconds_per_question: u32,
    /// From so many scale questions on, one answer to all of them is a straight line.
    pub straight_line_from: u32,
    /// From so many responses of one device on, all but the first are held.
    pub burst_count: u32,
    /// The span of a burst, in seconds.
    pub burst_within_s: i64,
}

/// What is known of a response beside its answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Circumstances {
    /// Seconds it took; `None` when not known.
    pub duration_s: Option<i64>,
    /// Another response of the household counts already.
    pub household_answered: bool,
    /// The household is not one that was drawn.
    pub outside_frame: bool,
    /// Responses of the same device before it, within the span of a burst.
    pub same_device_before: i64,
    /// A member of staff gave it as an owner's own.
    pub by_staff: bool,
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub rule: String,
    /// In words, without any answer.
    pub detail: String,
}

/// Judges a response.
pub fn judge(
    instrument: &Instrument,
    answers: &[Answer],
    walk: &Walk,
    about: &Circumstances,
    rules: &ValidityRules,
) -> (Verdict, Vec<Finding>) {
    let mut invalid = Vec::new();
    let mut suspicious = Vec::new();
    let finding = |rule: &str, detail: String| Finding { rule: rule.to_owned(), detail };
    if about.outside_frame {
        invalid.push(finding("not_in_frame", "the household was not drawn".to_owned()));
    }
    if about.household_answered {
        invalid.push(finding("duplicate_household", "another response of the household counts already".to_owned()));
    }
    if let Some((least, of)) = rules.min_complete
        && u64::from(walk.required_answered) * u64::from(of) < u64::from(walk.required) * u64::from(least)
    {
        let detail = format!("{} of {} required questions are answered", walk.required_answered, walk.required);
        invalid.push(finding("incomplete", detail));
    }
    if let Some(seconds) = about.duration_s {
        let asked = i64::try_from(answers.len()).unwrap_or(i64::MAX);
        let least = asked.saturating_mul(rules.min_seconds_per_question.into());
        if seconds < least {
            invalid.push(finding("too_fast", format!("{asked} answers in {seconds} s, at least {least} s are taken")));
        }
    }
    if is_straight_line(instrument, answers, rules.straight_line_from) {
        invalid.push(finding("straight_line", "every scale has the same answer".to_owned()));
    }
    if rules.burst_count > 1 && about.same_device_before + 1 >= i64::from(rules.burst_count) {
        suspicious.push(finding("device_burst", format!("{} responses of one device", about.same_device_before + 1)));
    }
    if about.by_staff {
        suspicious.push(finding("staff_network", "given by staff in an owner's place".to_owned()));
    }
    let verdict = match (invalid.is_empty(), suspicious.is_empty()) {
        (false, _) => Verdict::Invalid,
        (true, false) => Verdict::Held,
        (true, true) => Verdict::Valid,
    };
    invalid.extend(suspicious);
    (verdict, invalid)
}

fn is_straight_line(instrument: &Instrument, answers: &[Answer], from: u32) -> bool {
    let scales = instrument.questions.iter().filter(|question| matches!(question.kind, QuestionKind::Scale { .. }));
    let points: Vec<u32> = scales.filter_map(|question| answer_to(answers, &question.code)?.points()).collect();
    let many = u32::try_from(points.len()).unwrap_or(u32::MAX) >= from;
    from > 0 && many && points.windows(2).all(|pair| pair[0] == pair[1])
}

/// A low score that asks for follow-up (SV-45): the question, the points and the scale's highest.
pub fn low_score<'a>(instrument: &'a Instrument, answers: &[Answer], low: u32, low_of_ten: u32) -> Option<(&'a str, u32, u32)> {
    let lows = instrument.questions.iter().filter_map(|question| {
        let max = question.kind.scale_max()?;
        let points = answer_to(answers, &question.code)?.points()?;
        let threshold = if max == 10 { low_of_ten } else { low };
        let is_asked =
            matches!(question.role, Some(super::codes::Role::Overall | super::codes::Role::Recommend)) || question.dimension.is_some();
        (is_asked && threshold > 0 && points <= threshold).then_some((question.code.as_str(), points, max))
    });
    // The overall question speaks first; else the lowest.
    let overall = instrument.with_role(super::codes::Role::Overall).map(|question| question.code.as_str());
    let lows: Vec<_> = lows.collect();
    lows.iter().find(|(code, ..)| Some(*code) == overall).or_else(|| lows.iter().min_by_key(|(_, points, _)| *points)).copied()
}
