//! F-01, F-02 and F-02b: how satisfied customers are. Three different numbers from the same answers, on purpose (C-01,
//! SV-44).

use super::answers::Answers;
use super::figure::{Figure, Part};
use super::interval::wilson;
use super::ratio::Ratio;
use super::unit::Unit;

/// The scale of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scale {
    /// 1 to 5.
    Five,
    /// 0 to 10.
    Ten,
}

impl Scale {
    /// Whether it has such an answer.
    pub fn has(self, level: u32) -> bool {
        match self {
            Self::Five => (1..=5).contains(&level),
            Self::Ten => level <= 10,
        }
    }
}

/// Which answers count as satisfied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SatisfiedLevels(Vec<u32>);

impl SatisfiedLevels {
    /// What the plan names, or the two best of five and the three best of ten; with the neutral ones if it says so.
    pub fn of(scale: Scale, named: &[u32], include_neutral: bool) -> Self {
        let (best, neutral): (&[u32], &[u32]) = match scale {
            Scale::Five => (&[4, 5], &[3]),
            Scale::Ten => (&[8, 9, 10], &[6, 7]),
        };
        let mut levels = if named.is_empty() { best.to_vec() } else { named.to_vec() };
        if include_neutral {
            levels.extend(neutral);
        }
        Self(levels)
    }

    /// Whether an answer is one of them.
    pub fn has(&self, level: u32) -> bool {
        self.0.contains(&level)
    }
}

/// F-01: answers at a satisfied level, by answers; by weight where answers have one. The unweighted share stands beside it.
pub fn csat_rate(answers: &Answers, satisfied: &SatisfiedLevels, population: Option<i64>) -> Figure {
    let picked = answers.picked(|level| satisfied.has(level));
    share(answers, picked.weight, picked.n, population)
}

/// A weighted share of answers with what stands beside it.
pub(super) fn share(answers: &Answers, weight: i128, count: i64, population: Option<i64>) -> Figure {
    let n = answers.n();
    let is_weighted = answers.levels().any(|(_, level)| level.weight != i128::from(level.n) * i128::from(super::WEIGHT_ONE));
    if !is_weighted {
        return Figure::rate_of(count, n, population);
    }
    let value = Ratio::new(weight, answers.weight());
    let population = population.map(|all| Ratio::whole(all).as_f64());
    Figure { n, numerator: weight, denominator: answers.weight(), ..Figure::default() }
        .within(value.and_then(|value| wilson(value.as_f64(), answers.effective_size(), population)))
        .beside([Part::rate("unweighted", count, n)])
}

/// Points of each answer of five, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreMap(pub [u32; 5]);

impl ScoreMap {
    /// 20, 40, 60, 80, 100.
    pub const TWENTIES: Self = Self([20, 40, 60, 80, 100]);
    /// 0, 25, 50, 75, 100.
    pub const LINEAR: Self = Self([0, 25, 50, 75, 100]);

    /// The map that a plan writes out; `None` unless it has five.
    pub fn written(points: &[u32]) -> Option<Self> {
        points.try_into().ok().map(Self)
    }

    /// Points of a level of a scale; tens are taken as they are, ten times.
    pub fn points(self, scale: Scale, level: u32) -> i64 {
        match scale {
            Scale::Five => level.checked_sub(1).and_then(|at| self.0.get(at as usize)).map_or(0, |points| i64::from(*points)),
            Scale::Ten => i64::from(level.min(10)) * 10,
        }
    }
}

/// F-02: the mean of points by weight.
pub fn csat_score(answers: &Answers, scale: Scale, map: ScoreMap) -> Figure {
    let points = |level| map.points(scale, level);
    let is_weighted = answers.levels().any(|(_, level)| level.weight != i128::from(level.n) * i128::from(super::WEIGHT_ONE));
    let plain: i128 = answers.levels().map(|(level, count)| i128::from(count.n) * i128::from(points(level))).sum();
    if !is_weighted {
        return Figure::mean(plain, answers.n());
    }
    Figure { n: answers.n(), numerator: answers.points(points), denominator: answers.weight(), ..Figure::default() }.beside([Part::of(
        "unweighted",
        Ratio::new(plain, answers.n().into()),
        Unit::Points,
    )])
}

/// One dimension of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DimensionMean {
    /// Its weight in the questionnaire.
    pub weight: Ratio,
    /// The mean of its points; `None` when nobody answered it.
    pub mean: Option<Ratio>,
    /// Answers that it rests on.
    pub n: i64,
}

/// F-02b: the weighted mean of the dimensions' means. A dimension that nobody answered is left out and the weights of the
/// rest stand for the whole; with less than half of the dimensions answered there is no index.
pub fn csat_index(dimensions: &[DimensionMean]) -> Figure {
    let answered: Vec<_> = dimensions.iter().filter_map(|one| one.mean.map(|mean| (one.weight, mean))).collect();
    if dimensions.is_empty() || answered.len() * 2 < dimensions.len() {
        return Figure::no_data().beside([Part::count("dimensions_unanswered", left_out(dimensions, answered.len()))]);
    }
    let n = dimensions.iter().map(|one| one.n).max().unwrap_or(0);
    Figure::of(weighted_mean(&answered), n).beside([Part::count("dimensions_unanswered", left_out(dimensions, answered.len()))])
}

fn left_out(dimensions: &[DimensionMean], answered: usize) -> i64 {
    i64::try_from(dimensions.len() - answered).unwrap_or(i64::MAX)
}

/// Exact where it fits; with dozens of unlike denominators each sum is kept to 10^-12.
fn weighted_mean(parts: &[(Ratio, Ratio)]) -> Option<Ratio> {
    let mut weights = Ratio::ZERO;
    let mut sum = Ratio::ZERO;
    for (weight, mean) in parts {
        weights = weights.plus(*weight)?;
        let term = weight.times(*mean).or_else(|| weight.times(mean.coarse()?))?;
        sum = sum.plus(term).or_else(|| sum.coarse()?.plus(term.coarse()?))?;
    }
    sum.over(weights).or_else(|| sum.coarse()?.over(weights))
}

#[cfg(test)]
mod tests {
    use super::super::target::{Direction, Target, Verdict, judge};
    use super::*;

    /// The 300 answers of vector 1.
    fn answers() -> Answers {
        Answers::unweighted([(5, 150), (4, 120), (3, 20), (2, 6), (1, 4)])
    }

    /// F-01, F-02, vector 1, C-01: under 002 the rate meets 90 % and the score misses 90 points.
    #[test]
    fn the_same_answers_meet_the_rate_and_miss_the_score() {
        let rate = csat_rate(&answers(), &SatisfiedLevels::of(Scale::Five, &[], false), None);
        let score = csat_score(&answers(), Scale::Five, ScoreMap::TWENTIES);
        assert_eq!((rate.numerator, rate.denominator, Unit::Rate.show(rate.value().unwrap())), (270, 300, "90.0".into()));
        assert_eq!((score.numerator, score.denominator, Unit::Points.show(score.value().unwrap())), (26_120, 300, "87.1".into()));
        let target = |numerator, denominator| Target { direction: Direction::AtLeast, numerator, denominator };
        assert_eq!(judge(rate.value(), Some(&target(90, 100))), Verdict::Met);
        assert_eq!(judge(score.value(), Some(&target(90, 1))), Verdict::Missed);
    }

    /// F-01: whether "average" counts is a parameter; tens have their own levels (P18).
    #[test]
    fn neutral_answers_count_only_where_the_plan_says_so() {
        let neutral = csat_rate(&answers(), &SatisfiedLevels::of(Scale::Five, &[], true), None);
        assert_eq!(neutral.numerator, 290);
        let tens = Answers::unweighted([(10, 3), (8, 3), (7, 2), (0, 2)]);
        assert_eq!(csat_rate(&tens, &SatisfiedLevels::of(Scale::Ten, &[], false), None).numerator, 6);
    }

    /// F-01, SV-38: complainers asked twice as often count half.
    #[test]
    fn oversampled_answers_are_weighed_back() {
        let mut answers = Answers::default();
        answers.add(5, 80, super::super::WEIGHT_ONE);
        answers.add(1, 40, super::super::WEIGHT_ONE / 2);
        let rate = csat_rate(&answers, &SatisfiedLevels::of(Scale::Five, &[], false), None);
        assert_eq!(Unit::Rate.show(rate.value().unwrap()), "80.0");
        assert_eq!(Unit::Rate.show(rate.part("unweighted").unwrap().value().unwrap()), "66.7");
        assert_eq!(rate.n, 120);
        assert!(rate.interval.unwrap().low < 0.8);
        let score = csat_score(&answers, Scale::Five, ScoreMap::TWENTIES);
        assert_eq!(Unit::Points.show(score.value().unwrap()), "84.0");
    }

    /// F-02: the preset names the map.
    #[test]
    fn the_linear_map_gives_another_score() {
        let score = csat_score(&answers(), Scale::Five, ScoreMap::LINEAR);
        assert_eq!(score.numerator, 150 * 100 + 120 * 75 + 20 * 50 + 6 * 25);
    }

    /// F-02b
    #[test]
    fn a_dimension_without_answers_gives_its_weight_to_the_rest() {
        let dimension =
            |weight, mean: Option<i64>| DimensionMean { weight: Ratio::new(weight, 10).unwrap(), mean: mean.map(Ratio::whole), n: 30 };
        let index = csat_index(&[dimension(5, Some(80)), dimension(3, Some(90)), dimension(2, None)]);
        assert_eq!(index.value(), Ratio::new(670, 8));
        assert_eq!(csat_index(&[dimension(5, Some(80)), dimension(3, None), dimension(2, None)]).value(), None);
        assert_eq!(csat_index(&[]).value(), None);
    }

    /// F-01, n=0
    #[test]
    fn nobody_asked_is_no_data() {
        assert_eq!(csat_rate(&Answers::default(), &SatisfiedLevels::of(Scale::Five, &[], false), None).value(), None);
        assert_eq!(csat_score(&Answers::default(), Scale::Five, ScoreMap::TWENTIES).value(), None);
    }
}
