//! Answers to one question, counted by level, with their design weights.

use std::collections::BTreeMap;

use super::interval::effective_size;
use super::ratio::Ratio;

/// One, in the millionths that weights are kept in (SV-38).
pub const WEIGHT_ONE: i64 = 1_000_000;

/// Answers of one level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LevelCount {
    /// Answers.
    pub n: i64,
    /// Sum of their weights, in millionths.
    pub weight: i128,
    /// Sum of the squares of their weights.
    pub weight_squared: i128,
}

/// Answers by level. What is not applicable was left out before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    levels: BTreeMap<u32, LevelCount>,
}

impl Answers {
    /// Answers of weight one.
    pub fn unweighted(counts: impl IntoIterator<Item = (u32, i64)>) -> Self {
        let mut answers = Self::default();
        for (level, n) in counts {
            answers.add(level, n, WEIGHT_ONE);
        }
        answers
    }

    /// Adds `n` answers of a level, each with a weight in millionths.
    pub fn add(&mut self, level: u32, n: i64, weight_ppm: i64) {
        let (count, weight) = (i128::from(n), i128::from(weight_ppm));
        let entry = self.levels.entry(level).or_default();
        entry.n += n;
        entry.weight += count * weight;
        entry.weight_squared += count * weight * weight;
    }

    /// Answers of all levels.
    pub fn n(&self) -> i64 {
        self.levels.values().map(|count| count.n).sum()
    }

    /// Sum of all weights, in millionths.
    pub fn weight(&self) -> i128 {
        self.levels.values().map(|count| count.weight).sum()
    }

    /// Answers and weight of the levels that `picks` picks.
    pub fn picked(&self, picks: impl Fn(u32) -> bool) -> LevelCount {
        self.levels.iter().filter(|(level, _)| picks(**level)).fold(LevelCount::default(), |sum, (_, count)| LevelCount {
            n: sum.n + count.n,
            weight: sum.weight + count.weight,
            weight_squared: sum.weight_squared + count.weight_squared,
        })
    }

    /// Sum of weight times points, by millionths.
    pub fn points(&self, points: impl Fn(u32) -> i64) -> i128 {
        self.levels.iter().map(|(level, count)| count.weight * i128::from(points(*level))).sum()
    }

    /// The mean of points by weight; `None` without answers.
    pub fn mean(&self, points: impl Fn(u32) -> i64) -> Option<Ratio> {
        Ratio::new(self.points(points), self.weight())
    }

    /// How many equally weighted answers these are worth.
    pub fn effective_size(&self) -> f64 {
        let squares = self.levels.values().map(|count| count.weight_squared).sum();
        Ratio::new(squares, 1)
            .map_or(0.0, |squares| effective_size(Ratio::new(self.weight(), 1).map_or(0.0, Ratio::as_f64), squares.as_f64()))
    }

    /// Each level with its count.
    pub fn levels(&self) -> impl Iterator<Item = (u32, LevelCount)> + '_ {
        self.levels.iter().map(|(level, count)| (*level, *count))
    }

    /// These and those together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for (level, count) in other.levels() {
            let entry = self.levels.entry(level).or_default();
            entry.n += count.n;
            entry.weight += count.weight;
            entry.weight_squared += count.weight_squared;
        }
        self
    }
}
