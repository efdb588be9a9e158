//! What a wave found. Every figure names its method; too small a cell is not shown (SV-31, SV-38, SV-40, SV-43, SV-44).

use std::collections::BTreeMap;

use steward_kit::metric::{effective_size, wilson};

use super::answer::{Answer, Value, answer_to};
use super::codes::{Mode, Role};
use super::instrument::{Instrument, Question};
use super::sampling::WEIGHT_ONE;
use super::suppression::hidden_cells;

/// Below this n a figure is marked as resting on few.
pub const SMALL_SAMPLE: i64 = 30;
/// An index of which less than half of the dimension weight was answered is none (F-02b).
const LEAST_INDEX_SHARE: f64 = 0.5;

/// A valid response, as far as figures need it.
#[derive(Clone, Debug)]
pub struct Given {
    /// How it was given.
    pub mode: Mode,
    /// Its weight, in millionths.
    pub weight: i64,
    /// What was answered.
    pub answers: Vec<Answer>,
}

/// How answers become points and satisfied people.
#[derive(Clone, Debug, Default)]
pub struct Yardstick {
    /// Satisfied answers of the policy's scale; empty means the two best of five, the best fifth of others.
    pub satisfied: Vec<u32>,
    /// The middle answer counts too.
    pub include_neutral: bool,
    /// Points of each answer of the policy's scale.
    pub score_map: Vec<u32>,
    /// Cells with fewer are not shown.
    pub suppress_below: u32,
}

/// The rules a wave's figures go by.
#[derive(Clone, Debug)]
pub struct Rules<'a> {
    /// What was asked.
    pub instrument: &'a Instrument,
    /// How answers become figures.
    pub yardstick: &'a Yardstick,
    /// Eligible households, for the finite population correction.
    pub population: Option<i64>,
}

/// Answers that count for a figure: how many, how many of them are in, and the same by weight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counted {
    /// Answers.
    pub n: i64,
    /// Sum of what is counted: people, or points.
    pub sum: f64,
    /// Sum of weights.
    pub weight: f64,
    /// Sum of the squares of weights.
    pub weight_squared: f64,
    /// Sum of what is counted by weight.
    pub weighted_sum: f64,
}

impl Counted {
    fn add(&mut self, value: f64, weight: i64) {
        let weight = to_f64(weight) / to_f64(WEIGHT_ONE);
        self.n += 1;
        self.sum += value;
        self.weight += weight;
        self.weight_squared += weight * weight;
        self.weighted_sum += value * weight;
    }

    fn plain(&self) -> f64 {
        if self.n > 0 { self.sum / to_f64(self.n) } else { 0.0 }
    }

    fn weighted(&self) -> f64 {
        if self.weight > 0.0 { self.weighted_sum / self.weight } else { 0.0 }
    }
}

/// A figure as it may be shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// Which.
    pub metric: &'static str,
    /// Variant of the formula.
    pub method: String,
    /// Responses behind it; 0 is no data.
    pub n: i64,
    /// Too few to show.
    pub is_suppressed: bool,
    /// The figure without weights.
    pub value: f64,
    /// The figure with weights.
    pub weighted_value: f64,
    /// Wilson's interval of a rate.
    pub interval: Option<(f64, f64)>,
}

/// How often an answer was given.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerCount {
    /// The answer.
    pub answer: String,
    /// How often.
    pub count: i64,
    /// Sum of weights.
    pub weighted: f64,
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

/// One dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct DimensionResult {
    /// Its code.
    pub code: String,
    /// Mean points.
    pub score: Shown,
    /// Weight among its siblings.
    pub weight: f64,
    /// Correlation with the overall question.
    pub importance: f64,
}

/// All figures of a wave.
#[derive(Clone, Debug, PartialEq)]
pub struct WaveFigures {
    /// By question.
    pub questions: Vec<QuestionResult>,
    /// By dimension.
    pub dimensions: Vec<DimensionResult>,
    /// F-01.
    pub csat_rate: Shown,
    /// F-02.
    pub csat_score: Shown,
    /// F-02b.
    pub csat_index: Shown,
    /// F-03.
    pub nps: Shown,
    /// F-04.
    pub loyalty_rate: Shown,
    /// F-05b.
    pub complaint_rate: Shown,
    /// F-06b.
    pub complaint_timely_rate: Shown,
    /// SV-26.
    pub suggestion_count: Shown,
}

/// Computes the figures of a wave from its valid responses.
pub fn figures_of(rules: &Rules<'_>, given: &[Given]) -> WaveFigures {
    let Rules { instrument, yardstick, .. } = *rules;
    let questions = instrument.questions.iter().map(|question| of_question(rules, question, given)).collect();
    let dimensions: Vec<DimensionResult> = of_dimensions(rules, given);
    let role = |role| instrument.with_role(role);
    let rate = |metric: &'static str, question: Option<&Question>, method: String, holds: &dyn Fn(&Value) -> Option<bool>| {
        let counted = question.map(|question| count(question, given, holds)).unwrap_or_default();
        rules.rate(metric, method, counted)
    };
    let overall = role(Role::Overall);
    let max = overall.and_then(|question| question.kind.scale_max()).unwrap_or_default();
    let levels = satisfied_levels(yardstick, max);
    let yes = |value: &Value| value.yes();
    WaveFigures {
        questions,
        csat_rate: rate("csat_rate", overall, method_of_levels(&levels, max), &|value| {
            value.points().map(|points| levels.contains(&points))
        }),
        csat_score: rules.mean("csat_score", overall, given),
        csat_index: index(rules, &dimensions),
        nps: nps(rules, role(Role::Recommend), given),
        loyalty_rate: loyalty(rules, given),
        complaint_rate: rate("complaint_rate", role(Role::Complained), "survey".to_owned(), &yes),
        complaint_timely_rate: rate("complaint_timely_rate", role(Role::ComplaintTimely), "survey".to_owned(), &yes),
        suggestion_count: suggestions(instrument, given),
        dimensions,
    }
}

impl Rules<'_> {
    fn suppresses(&self, n: i64) -> bool {
        n > 0 && n < i64::from(self.yardstick.suppress_below)
    }

    /// A share of answers with Wilson's interval.
    fn rate(&self, metric: &'static str, method: String, counted: Counted) -> Shown {
        let n = effective_size(counted.weight, counted.weight_squared);
        let interval = wilson(counted.weighted(), n, self.population.map(to_f64)).map(|interval| (interval.low, interval.high));
        self.shown(metric, method, counted, interval)
    }

    /// Mean points of a scale.
    fn mean(&self, metric: &'static str, question: Option<&Question>, given: &[Given]) -> Shown {
        let Some((question, max)) = question.and_then(|question| Some((question, question.kind.scale_max()?))) else {
            return Shown { metric, ..Shown::default() };
        };
        let map = score_map(self.instrument, self.yardstick, max);
        let mut counted = Counted::default();
        for response in given {
            if let Some(points) = answer_to(&response.answers, &question.code).and_then(Value::points) {
                counted.add(points_of(&map, max, points), response.weight);
            }
        }
        self.shown(metric, method_of_map(&map, max), counted, None)
    }

    fn shown(&self, metric: &'static str, method: String, counted: Counted, interval: Option<(f64, f64)>) -> Shown {
        let is_suppressed = self.suppresses(counted.n);
        let hide = |value: f64| if is_suppressed { 0.0 } else { value };
        Shown {
            metric,
            method,
            n: counted.n,
            is_suppressed,
            value: hide(counted.plain()),
            weighted_value: hide(counted.weighted()),
            interval: interval.filter(|_| !is_suppressed),
        }
    }
}

fn count(question: &Question, given: &[Given], holds: &dyn Fn(&Value) -> Option<bool>) -> Counted {
    let mut counted = Counted::default();
    for response in given {
        if let Some(holds) = answer_to(&response.answers, &question.code).and_then(holds) {
            counted.add(f64::from(u8::from(holds)), response.weight);
        }
    }
    counted
}

fn of_question(rules: &Rules<'_>, question: &Question, given: &[Given]) -> QuestionResult {
    let max = question.kind.scale_max();
    let levels = max.map(|max| satisfied_levels(rules.yardstick, max));
    let is_satisfied = |value: &Value| Some(levels.as_ref()?.contains(&value.points()?));
    let satisfied = |given: &[Given]| {
        let method = method_of_levels(levels.as_deref().unwrap_or_default(), max.unwrap_or_default());
        rules.rate("satisfied_rate", method, count(question, given, &is_satisfied))
    };
    let mut counts: BTreeMap<String, (i64, f64)> = BTreeMap::new();
    let (mut answered, mut not_applicable) = (0, 0);
    for response in given {
        let weight = to_f64(response.weight) / to_f64(WEIGHT_ONE);
        let mut add = |answer: String| {
            let entry = counts.entry(answer).or_default();
            *entry = (entry.0 + 1, entry.1 + weight);
        };
        match answer_to(&response.answers, &question.code) {
            None => continue,
            Some(Value::NotApplicable) => {
                not_applicable += 1;
                continue;
            }
            Some(Value::Scale(points)) => add(format!("{points:02}")),
            Some(Value::Choice(code)) => add(code.clone()),
            Some(Value::Choices(codes)) => codes.iter().cloned().for_each(add),
            Some(Value::Yes(yes)) => add(if *yes { "yes" } else { "no" }.to_owned()),
            Some(Value::Text { .. } | Value::Number(_)) => {}
        }
        answered += 1;
    }
    let is_suppressed = rules.suppresses(answered);
    let listed = counts.into_iter().filter(|_| !is_suppressed);
    let mut modes: Vec<Mode> = given.iter().map(|response| response.mode).collect();
    modes.sort_unstable();
    modes.dedup();
    let of_mode = |mode: Mode| {
        let given: Vec<Given> = given.iter().filter(|response| response.mode == mode).cloned().collect();
        (mode, satisfied(&given))
    };
    let by_mode = |modes: Vec<Mode>| {
        let mut split: Vec<(Mode, Shown)> = modes.into_iter().map(of_mode).collect();
        let counts: Vec<i64> = split.iter().map(|(_, shown)| shown.n).collect();
        for ((_, shown), hidden) in split.iter_mut().zip(hidden_cells(&counts, rules.yardstick.suppress_below)) {
            if hidden {
                *shown = Shown { is_suppressed: true, value: 0.0, weighted_value: 0.0, interval: None, ..shown.clone() };
            }
        }
        split
    };
    QuestionResult {
        code: question.code.clone(),
        satisfied: max.is_some().then(|| satisfied(given)),
        score: max.is_some().then(|| rules.mean("mean_score", Some(question), given)),
        counts: listed
            .map(|(answer, (count, weighted))| AnswerCount { answer: answer.trim_start_matches('0').to_owned(), count, weighted })
            .map(|count| if count.answer.is_empty() { AnswerCount { answer: "0".to_owned(), ..count } } else { count })
            .collect(),
        answered,
        not_applicable,
        is_suppressed,
        modes: if max.is_some() && modes.len() > 1 { by_mode(modes) } else { Vec::new() },
    }
}

fn of_dimensions(rules: &Rules<'_>, given: &[Given]) -> Vec<DimensionResult> {
    let instrument = rules.instrument;
    let of = |code: &str, response: &Given| dimension_points(rules, code, response);
    instrument
        .dimensions
        .iter()
        .map(|dimension| {
            let mut counted = Counted::default();
            let mut pairs = Vec::new();
            for response in given {
                let Some(points) = of(&dimension.code, response) else { continue };
                counted.add(points, response.weight);
                if let Some(overall) = overall_points(rules, response) {
                    pairs.push((points, overall));
                }
            }
            let siblings: Vec<u32> =
                instrument.dimensions.iter().filter(|other| other.parent == dimension.parent).map(|other| other.weight).collect();
            let sum: u64 = siblings.iter().map(|weight| u64::from(*weight)).sum();
            let weight = if sum == 0 {
                1.0 / to_f64(i64::try_from(siblings.len()).unwrap_or(1))
            } else {
                f64::from(dimension.weight) / to_f64(i64::try_from(sum).unwrap_or(1))
            };
            let score = rules.shown("dimension_score", "mean_of_questions".to_owned(), counted, None);
            DimensionResult { code: dimension.code.clone(), score, weight, importance: correlation(&pairs) }
        })
        .collect()
}

/// Mean points of one respondent's answers in a dimension and those below it.
fn dimension_points(rules: &Rules<'_>, code: &str, response: &Given) -> Option<f64> {
    let below = |dimension: &str| {
        let mut at = Some(dimension);
        while let Some(here) = at {
            if here == code {
                return true;
            }
            let node = rules.instrument.dimensions.iter().find(|known| known.code == here);
            at = node.and_then(|node| node.parent.as_deref());
        }
        false
    };
    let (mut sum, mut n) = (0.0, 0);
    for question in &rules.instrument.questions {
        let (Some(dimension), Some(max)) = (question.dimension.as_deref(), question.kind.scale_max()) else { continue };
        if let Some(points) = answer_to(&response.answers, &question.code).and_then(Value::points).filter(|_| below(dimension)) {
            sum += points_of(&score_map(rules.instrument, rules.yardstick, max), max, points);
            n += 1;
        }
    }
    (n > 0).then(|| sum / to_f64(n))
}

fn overall_points(rules: &Rules<'_>, response: &Given) -> Option<f64> {
    let overall = rules.instrument.with_role(Role::Overall)?;
    let max = overall.kind.scale_max()?;
    let points = answer_to(&response.answers, &overall.code)?.points()?;
    Some(points_of(&score_map(rules.instrument, rules.yardstick, max), max, points))
}

/// F-02b: dimension means by weight, over the dimensions of the first level that were answered.
fn index(rules: &Rules<'_>, dimensions: &[DimensionResult]) -> Shown {
    let is_top = |code: &str| rules.instrument.dimensions.iter().any(|dimension| dimension.code == code && dimension.parent.is_none());
    let top = dimensions.iter().filter(|dimension| is_top(&dimension.code) && dimension.score.n > 0);
    let (mut weight, mut plain, mut weighted, mut n, mut hidden) = (0.0, 0.0, 0.0, 0, false);
    for dimension in top {
        weight += dimension.weight;
        plain += dimension.weight * dimension.score.value;
        weighted += dimension.weight * dimension.score.weighted_value;
        n = n.max(dimension.score.n);
        hidden |= dimension.score.is_suppressed;
    }
    let (metric, method) = ("csat_index", "weighted_dimensions".to_owned());
    if weight < LEAST_INDEX_SHARE {
        return Shown { metric, method, ..Shown::default() };
    }
    let value = |sum: f64| if hidden { 0.0 } else { sum / weight };
    Shown { metric, method, n, is_suppressed: hidden, value: value(plain), weighted_value: value(weighted), interval: None }
}

/// F-03: promoters minus detractors, of 0 to 10.
fn nps(rules: &Rules<'_>, question: Option<&Question>, given: &[Given]) -> Shown {
    let mut counted = Counted::default();
    if let Some(question) = question.filter(|question| question.kind.scale_max() == Some(10)) {
        for response in given {
            if let Some(points) = answer_to(&response.answers, &question.code).and_then(Value::points) {
                let side = match points {
                    0..=6 => -100.0,
                    7 | 8 => 0.0,
                    _ => 100.0,
                };
                counted.add(side, response.weight);
            }
        }
    }
    rules.shown("nps", "promoters_minus_detractors".to_owned(), counted, None)
}

/// F-04, composite: satisfied overall, likely to recommend and likely to stay, of those who answered all three.
fn loyalty(rules: &Rules<'_>, given: &[Given]) -> Shown {
    let mut counted = Counted::default();
    let likely = |role: Role, response: &Given| {
        let question = rules.instrument.with_role(role)?;
        let value = answer_to(&response.answers, &question.code)?;
        match value {
            Value::Yes(yes) => Some(*yes),
            Value::Scale(points) => Some(satisfied_levels(rules.yardstick, question.kind.scale_max()?).contains(points)),
            Value::Choice(_) | Value::Choices(_) | Value::Text { .. } | Value::Number(_) | Value::NotApplicable => None,
        }
    };
    for response in given {
        let all = (likely(Role::Overall, response), likely(Role::Recommend, response), likely(Role::Repurchase, response));
        if let (Some(satisfied), Some(recommends), Some(stays)) = all {
            counted.add(f64::from(u8::from(satisfied && recommends && stays)), response.weight);
        }
    }
    rules.rate("loyalty_rate", "composite".to_owned(), counted)
}

/// SV-26: opinions and suggestions, counted; no text is read.
fn suggestions(instrument: &Instrument, given: &[Given]) -> Shown {
    let codes: Vec<&str> = instrument
        .questions
        .iter()
        .filter(|question| question.role == Some(Role::Suggestion))
        .map(|question| question.code.as_str())
        .collect();
    let answered = |response: &Given| codes.iter().filter(|code| answer_to(&response.answers, code).is_some()).count();
    let n = i64::try_from(given.iter().map(answered).sum::<usize>()).unwrap_or(i64::MAX);
    Shown { metric: "suggestion_count", method: "texts".to_owned(), n, value: to_f64(n), weighted_value: to_f64(n), ..Shown::default() }
}

/// Which points count as satisfied on a scale up to `max`: the policy's for its own scale, else the best fifth (4 and 5 of 5, 8
/// to 10 of 10).
fn satisfied_levels(yardstick: &Yardstick, max: u32) -> Vec<u32> {
    let is_own = u32::try_from(yardstick.score_map.len()).is_ok_and(|points| points == max) || (yardstick.score_map.is_empty() && max == 5);
    let mut levels = if is_own && !yardstick.satisfied.is_empty() {
        yardstick.satisfied.clone()
    } else {
        (0..=max).filter(|points| points * 5 >= max * 4).collect()
    };
    let middle = max.div_ceil(2);
    if yardstick.include_neutral && !levels.contains(&middle) {
        levels.push(middle);
    }
    levels.sort_unstable();
    levels
}

/// Points of each answer of a scale; the instrument's map first, then the policy's, then an even spread.
fn score_map(instrument: &Instrument, yardstick: &Yardstick, max: u32) -> Vec<u32> {
    let suits = |map: &[u32]| u32::try_from(map.len()).is_ok_and(|points| points == max);
    if suits(&instrument.score_map) {
        instrument.score_map.clone()
    } else if suits(&yardstick.score_map) {
        yardstick.score_map.clone()
    } else {
        Vec::new()
    }
}

fn points_of(map: &[u32], max: u32, points: u32) -> f64 {
    let mapped = points.checked_sub(1).and_then(|at| map.get(usize::try_from(at).ok()?)).copied();
    mapped.map_or_else(|| f64::from(points) * 100.0 / f64::from(max.max(1)), f64::from)
}

fn method_of_levels(levels: &[u32], max: u32) -> String {
    let levels: Vec<String> = levels.iter().map(u32::to_string).collect();
    format!("satisfied_{}_of_{max}", levels.join("_"))
}

fn method_of_map(map: &[u32], max: u32) -> String {
    let points: Vec<String> = map.iter().map(u32::to_string).collect();
    if points.is_empty() { format!("even_to_100_of_{max}") } else { format!("map_{}", points.join("_")) }
}

/// Pearson's correlation; 0 when it cannot be told.
fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = to_f64(i64::try_from(pairs.len()).unwrap_or_default());
    if pairs.len() < 3 {
        return 0.0;
    }
    let (mean_x, mean_y) = (pairs.iter().map(|pair| pair.0).sum::<f64>() / n, pairs.iter().map(|pair| pair.1).sum::<f64>() / n);
    let spread = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>();
    let both = spread(&|pair| (pair.0 - mean_x) * (pair.1 - mean_y));
    let (of_x, of_y) = (spread(&|pair| (pair.0 - mean_x).powi(2)), spread(&|pair| (pair.1 - mean_y).powi(2)));
    if of_x > 0.0 && of_y > 0.0 { both / (of_x * of_y).sqrt() } else { 0.0 }
}

/// How much a rate moved, in percentage points, with the interval of the difference (F-11, SV-34).
pub fn difference(baseline: &Shown, current: &Shown) -> (f64, f64, f64) {
    let moved = (current.weighted_value - baseline.weighted_value) * 100.0;
    let variance = |figure: &Shown| {
        let share = figure.weighted_value;
        if figure.n > 0 { share * (1.0 - share) / to_f64(figure.n) } else { 0.0 }
    };
    let half = 1.96 * (variance(baseline) + variance(current)).sqrt() * 100.0;
    (moved, moved - half, moved + half)
}

/// The figures that go onto a page: those with data, each with n, method and interval.
pub fn publishable(figures: &WaveFigures) -> Vec<&Shown> {
    let all = [
        &figures.csat_rate,
        &figures.csat_score,
        &figures.csat_index,
        &figures.nps,
        &figures.loyalty_rate,
        &figures.complaint_rate,
        &figures.complaint_timely_rate,
    ];
    all.into_iter().filter(|figure| figure.n > 0).collect()
}

/// Counts and weights are far below the range where this would lose anything.
#[allow(clippy::cast_precision_loss, reason = "counts of answers and millionths of weights are far below 2^52")]
fn to_f64(value: i64) -> f64 {
    value as f64
}
