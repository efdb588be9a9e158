//! What a figure is made of, as it adds up: over estates, and over any parts of the answers of one. Answers that are alike are
//! counted, so that each figure, weighted or not, is made of the same answers whoever counted them.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use steward_kit::metric::{Answers, DimensionMean, Figure, Part, Ratio, Tally, Unit, csat_index};

use super::formulas::{UNWEIGHTED, mean, plain};

/// Answers to one question: how many of each level and weight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alike(BTreeMap<(u32, i64), i64>);

impl Alike {
    /// One more answer of a level, with its weight in millionths.
    pub(super) fn add(&mut self, level: u32, weight: i64) {
        self.put(level, weight, 1);
    }

    fn put(&mut self, level: u32, weight: i64, n: i64) {
        *self.0.entry((level, weight)).or_default() += n;
    }

    /// These and those together.
    pub(super) fn and(&mut self, other: &Self) {
        other.0.iter().for_each(|((level, weight), n)| self.put(*level, *weight, *n));
    }

    /// For the formulas.
    pub fn answers(&self) -> Answers {
        let mut answers = Answers::default();
        self.0.iter().for_each(|((level, weight), n)| answers.add(*level, *n, *weight));
        answers
    }
}

/// The answers of a figure that has one kind of them; of a lift, those after.
pub(super) const ANSWERS: i64 = 0;
/// Of a lift, the answers before.
pub(super) const BEFORE: i64 = 1;

/// What a figure is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// Eligible households.
    pub(super) population: i64,
    /// Invitations.
    pub(super) invited: i64,
    /// Waves that were closed with too few responses.
    pub(super) under_sample: i64,
    /// Responses that it rests on.
    pub(super) responses: i64,
    /// Plain counts, in an order that is the figure's own.
    pub(super) counts: Vec<i64>,
    /// Answers, by [`ANSWERS`], [`BEFORE`] or a dimension's [`key`].
    pub(super) alike: BTreeMap<i64, Alike>,
    /// Who answered a dimension, by its [`key`].
    pub(super) respondents: BTreeMap<i64, i64>,
    /// Dimensions of the first level with their weights, as the last wave was asked; `None` without a wave.
    pub(super) weights: Option<Vec<(i64, Ratio)>>,
}

/// What stands in the first of five samples: how the other four are read.
mod kind {
    /// A key, a level, a weight, how many answers.
    pub(super) const ALIKE: i64 = 0;
    /// A key and how many respondents.
    pub(super) const RESPONDENTS: i64 = 1;
    /// The weights of another wave follow.
    pub(super) const WAVE: i64 = 2;
    /// A key and its weight, as a fraction.
    pub(super) const WEIGHT: i64 = 3;
}

/// Numbers of a sample.
const WIDTH: usize = 5;

/// Numbers before the plain counts.
const FIXED: usize = 4;

/// A dimension's code as a number: waves of different instruments share a dimension by its code. Not one of the small numbers.
pub(super) fn key(code: &str) -> i64 {
    let hash = digest::digest(&digest::SHA256, code.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_ref()[..8]);
    i64::from_be_bytes(first) | 1 << 32
}

impl Sums {
    /// To be added and kept. What is not added place by place stands among the samples, in fives.
    pub(super) fn tally(&self) -> Tally {
        let numbers = [self.population, self.invited, self.under_sample, self.responses].into_iter().chain(self.counts.iter().copied());
        let mut samples = Vec::new();
        for (key, alike) in &self.alike {
            alike.0.iter().for_each(|((level, weight), n)| samples.extend([kind::ALIKE, *key, i64::from(*level), *weight, *n]));
        }
        self.respondents.iter().for_each(|(key, n)| samples.extend([kind::RESPONDENTS, *key, *n, 0, 0]));
        if let Some(weights) = &self.weights {
            samples.extend([kind::WAVE, 0, 0, 0, 0]);
            for (key, weight) in weights {
                samples.extend([kind::WEIGHT, *key, whole(weight.numerator()), whole(weight.denominator()), 0]);
            }
        }
        Tally::of(numbers.collect::<Vec<_>>()).with_samples(samples)
    }

    /// Out of what was added.
    pub(super) fn of(tally: &Tally) -> Self {
        let number = |at: usize| tally.numbers.get(at).copied().unwrap_or_default();
        let mut sums = Self {
            population: number(0),
            invited: number(1),
            under_sample: number(2),
            responses: number(3),
            counts: tally.numbers.iter().skip(FIXED).copied().collect(),
            ..Self::default()
        };
        for sample in tally.samples.chunks_exact(WIDTH) {
            let [kind, key, first, second, third] = *sample else { continue };
            match kind {
                kind::ALIKE => sums.alike.entry(key).or_default().put(u32::try_from(first).unwrap_or_default(), second, third),
                kind::RESPONDENTS => *sums.respondents.entry(key).or_default() += first,
                kind::WAVE => sums.weights = Some(Vec::new()),
                kind::WEIGHT => {
                    let weight = Ratio::new(first.into(), second.into()).unwrap_or(Ratio::ZERO);
                    sums.weights.get_or_insert_default().push((key, weight));
                }
                // Nothing else is written.
                _ => {}
            }
        }
        sums
    }

    /// Answers under a key.
    pub(super) fn answers(&self, key: i64) -> Answers {
        self.alike.get(&key).map(Alike::answers).unwrap_or_default()
    }

    /// The plain count at a place.
    pub(super) fn count(&self, at: usize) -> i64 {
        self.counts.get(at).copied().unwrap_or_default()
    }

    /// F-02b: dimensions of the first level, by the weights of the last wave's instrument.
    pub(super) fn index(&self) -> Figure {
        let Some(weights) = &self.weights else { return Figure::no_data() };
        let (mut means, mut unweighted) = (Vec::with_capacity(weights.len()), Vec::with_capacity(weights.len()));
        for (key, weight) in weights {
            let (weight, n) = (*weight, self.respondents.get(key).copied().unwrap_or_default());
            let mean = mean(&self.answers(*key));
            unweighted.push(DimensionMean { weight, mean: plain(&mean), n });
            means.push(DimensionMean { weight, mean: mean.value(), n });
        }
        let mut figure = csat_index(&means);
        if means != unweighted {
            figure.parts.push(Part::of(UNWEIGHTED, csat_index(&unweighted).value(), Unit::Points));
        }
        figure
    }
}

/// Weights are millionths of a whole: they fit.
fn whole(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
