//! A figure before a plan judges it: counts, and what is shown beside them.

use super::interval::{self, Interval};
use super::ratio::Ratio;
use super::unit::Unit;

/// A figure within a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is, such as `withdrawn`.
    pub code: &'static str,
    /// Numerator.
    pub numerator: i128,
    /// Denominator; 0 without data.
    pub denominator: i128,
    /// What they mean.
    pub unit: Unit,
}

impl Part {
    /// A count beside the figure.
    pub fn count(code: &'static str, count: i64) -> Self {
        Self { code, numerator: count.into(), denominator: 1, unit: Unit::Count }
    }

    /// A share beside the figure.
    pub fn rate(code: &'static str, numerator: i64, denominator: i64) -> Self {
        Self { code, numerator: numerator.into(), denominator: denominator.into(), unit: Unit::Rate }
    }

    /// Anything else beside the figure.
    pub fn of(code: &'static str, value: Option<Ratio>, unit: Unit) -> Self {
        let (numerator, denominator) = value.map_or((0, 0), |value| (value.numerator(), value.denominator()));
        Self { code, numerator, denominator, unit }
    }

    /// The value; `None` without data.
    pub fn value(&self) -> Option<Ratio> {
        Ratio::new(self.numerator, self.denominator)
    }
}

/// A figure: an exact fraction with what it rests on. Without a denominator there is no data, and no number is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    /// Cases or answers that it rests on.
    pub n: i64,
    /// Numerator, not reduced.
    pub numerator: i128,
    /// Denominator, not reduced; 0 without data.
    pub denominator: i128,
    /// The interval, where the formula has one.
    pub interval: Option<Interval>,
    /// Splits, exclusions and variants.
    pub parts: Vec<Part>,
    /// Rows left out because their deadline rests on a year that is not announced.
    pub provisional_count: i64,
    /// Rows counted that were recorded after the period though they happened in it.
    pub late_entry_count: i64,
    /// The whole base was asked (C-25).
    pub is_census: bool,
    /// Shown without its number, because the cell is small enough to give a person away.
    pub is_suppressed: bool,
    /// Label instead of the unit's own, such as `CNY`.
    pub label: Option<String>,
}

impl Figure {
    /// No data.
    pub fn no_data() -> Self {
        Self::default()
    }

    /// A share of cases, with its Wilson interval.
    pub fn rate(numerator: i64, denominator: i64) -> Self {
        Self::rate_of(numerator, denominator, None)
    }

    /// A share of a sample out of a population, with its interval.
    pub fn rate_of(numerator: i64, denominator: i64, population: Option<i64>) -> Self {
        let share = Ratio::new(numerator.into(), denominator.into()).map(Ratio::as_f64);
        let population = population.map(|all| Ratio::whole(all).as_f64());
        Self {
            n: denominator,
            numerator: numerator.into(),
            denominator: denominator.max(0).into(),
            interval: share.and_then(|share| interval::wilson(share, Ratio::whole(denominator).as_f64(), population)),
            ..Self::default()
        }
    }

    /// A mean: a sum over so many cases.
    pub fn mean(sum: i128, n: i64) -> Self {
        Self { n, numerator: sum, denominator: n.max(0).into(), ..Self::default() }
    }

    /// A count; nothing counted is 0, and data.
    pub fn count(count: i64) -> Self {
        Self { n: count, numerator: count.into(), denominator: 1, ..Self::default() }
    }

    /// A value that is computed otherwise, resting on `n` cases.
    pub fn of(value: Option<Ratio>, n: i64) -> Self {
        let (numerator, denominator) = value.map_or((0, 0), |value| (value.numerator(), value.denominator()));
        Self { n, numerator, denominator, ..Self::default() }
    }

    /// With an interval.
    #[must_use]
    pub fn within(mut self, interval: Option<Interval>) -> Self {
        self.interval = interval;
        self
    }

    /// With something shown beside.
    #[must_use]
    pub fn beside(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.parts.extend(parts);
        self
    }

    /// With rows that were left out as provisional.
    #[must_use]
    pub fn provisional(mut self, count: i64) -> Self {
        self.provisional_count = count;
        self
    }

    /// With rows that came late.
    #[must_use]
    pub fn late_entries(mut self, count: i64) -> Self {
        self.late_entry_count = count;
        self
    }

    /// The value; `None` without data.
    pub fn value(&self) -> Option<Ratio> {
        Ratio::new(self.numerator, self.denominator)
    }

    /// A part by its code.
    pub fn part(&self, code: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.code == code)
    }
}
