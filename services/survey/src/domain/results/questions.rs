//! Questions: how often each answer was given, by mode and together (SV-06, SV-44).

use std::collections::BTreeMap;

use super::super::answer::{Value, answer_to};
use super::super::codes::Mode;
use super::super::figures::{Answered, Asked, Tally};
use super::super::instrument::Question;
use super::super::suppression::hidden_cells;
use super::{Rules, Shown};

/// How often an answer was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerCount {
    /// The answer.
    pub answer: String,
    /// How often.
    pub count: i64,
    /// Sum of weights, in millionths.
    pub weight: i64,
}

/// One question.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionResult {
    /// Its code.
    pub code: String,
    /// Share of satisfied answers.
    pub satisfied: Option<Shown>,
    /// Mean points.
    pub score: Option<Shown>,
    /// How often each answer was given; empty when suppressed.
    pub counts: Vec<AnswerCount>,
    /// Who answered.
    pub answered: i64,
    /// Whom it did not apply to.
    pub not_applicable: i64,
    /// Too few answered.
    pub is_suppressed: bool,
    /// The satisfied share by mode.
    pub modes: Vec<(Mode, Shown)>,
}

/// The questions of a wave, in their order.
pub(super) fn of(rules: &Rules<'_>, answered: &Answered, tally: &Tally<'_>) -> Vec<QuestionResult> {
    let mut modes: BTreeMap<Mode, Asked<'_>> = BTreeMap::new();
    for row in &answered.rows {
        modes.entry(row.mode).or_insert_with(|| Asked { instrument: &answered.instrument, rows: Vec::new() }).rows.push(row);
    }
    let of_modes: Vec<(Mode, Tally<'_>)> = modes
        .into_iter()
        .map(|(mode, asked)| (mode, Tally { yardstick: tally.yardstick, waves: vec![asked], population: tally.population }))
        .collect();
    answered.instrument.questions.iter().map(|question| result(rules, answered, question, tally, &of_modes)).collect()
}

fn result(
    rules: &Rules<'_>,
    answered: &Answered,
    question: &Question,
    tally: &Tally<'_>,
    of_modes: &[(Mode, Tally<'_>)],
) -> QuestionResult {
    let max = question.kind.scale_max().filter(|max| tally.yardstick.satisfied_of(*max).is_some());
    let satisfied = |tally: &Tally<'_>, max: u32| {
        let method = tally.yardstick.name_of_levels(max);
        Shown::of("satisfied_rate", method, &tally.satisfied_share(&|asked| asked.coded(&question.code)), rules.suppress_below)
    };
    let score = |max: u32| {
        let method = tally.yardstick.name_of_points(max);
        Shown::of("mean_score", method, &tally.mean_points(&|asked| asked.coded(&question.code)), rules.suppress_below)
    };
    let (counts, count, not_applicable) = counted(answered, question);
    let is_suppressed = count > 0 && count < i64::from(rules.suppress_below);
    QuestionResult {
        code: question.code.clone(),
        satisfied: max.map(|max| satisfied(tally, max)),
        score: max.map(score),
        counts: if is_suppressed { Vec::new() } else { counts },
        answered: count,
        not_applicable,
        is_suppressed,
        modes: match max {
            Some(max) if of_modes.len() > 1 => {
                without_small(rules, of_modes.iter().map(|(mode, tally)| (*mode, satisfied(tally, max))).collect())
            }
            Some(_) | None => Vec::new(),
        },
    }
}

/// How often each answer was given, how many answered, and how many it did not apply to.
fn counted(answered: &Answered, question: &Question) -> (Vec<AnswerCount>, i64, i64) {
    // Points in their order, before everything else.
    let mut counts: BTreeMap<(u32, String), (i64, i64)> = BTreeMap::new();
    let (mut count, mut not_applicable) = (0, 0);
    for row in &answered.rows {
        let mut add = |key| {
            let entry = counts.entry(key).or_default();
            *entry = (entry.0 + 1, entry.1 + row.weight);
        };
        match answer_to(&row.answers, &question.code) {
            None => continue,
            Some(Value::NotApplicable) => {
                not_applicable += 1;
                continue;
            }
            Some(Value::Scale(points)) => add((*points, points.to_string())),
            Some(Value::Choice(code)) => add((0, code.clone())),
            Some(Value::Choices(codes)) => codes.iter().for_each(|code| add((0, code.clone()))),
            Some(Value::Yes(yes)) => add((0, if *yes { "yes" } else { "no" }.to_owned())),
            Some(Value::Text { .. } | Value::Number(_)) => {}
        }
        count += 1;
    }
    let counts = counts.into_iter().map(|((_, answer), (count, weight))| AnswerCount { answer, count, weight }).collect();
    (counts, count, not_applicable)
}

/// A split without the cells that are too small, and without those from which such a one could be computed.
fn without_small(rules: &Rules<'_>, split: Vec<(Mode, Shown)>) -> Vec<(Mode, Shown)> {
    let counts: Vec<i64> = split.iter().map(|(_, shown)| shown.n).collect();
    let hidden = hidden_cells(&counts, rules.suppress_below);
    split.into_iter().zip(hidden).map(|((mode, shown), hidden)| (mode, if hidden { shown.hidden() } else { shown })).collect()
}
