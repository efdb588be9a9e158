//! A figure as it may be shown: exact, with its method, and without its number where few would be given away.

use serde::{Deserialize, Serialize};
use steward_kit::metric::wire::SMALL_SAMPLE;
use steward_kit::metric::{Figure, Interval, Ratio};

use super::super::figures::plain;

/// A fraction as messages and rows hold it; the denominator is 0 where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fraction {
    /// Numerator.
    pub numerator: i64,
    /// Denominator.
    pub denominator: i64,
}

impl Fraction {
    /// In lowest terms; kept to 10^-12 where it does not fit otherwise.
    pub fn of(value: Option<Ratio>) -> Self {
        let fits = |ratio: Ratio| {
            let (numerator, denominator) = (i64::try_from(ratio.numerator()).ok()?, i64::try_from(ratio.denominator()).ok()?);
            Some(Self { numerator, denominator })
        };
        value.and_then(|ratio| fits(ratio).or_else(|| fits(ratio.coarse()?))).unwrap_or_default()
    }

    /// For readers; 0 where there is none.
    pub fn as_f64(self) -> f64 {
        Ratio::new(self.numerator.into(), self.denominator.into()).map_or(0.0, Ratio::as_f64)
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
    pub plain: Option<Ratio>,
    /// The figure with weights.
    pub weighted: Option<Ratio>,
    /// Between which values the true one lies.
    pub interval: Option<Interval>,
}

impl Shown {
    /// A figure; one that rests on some, but fewer than `suppress_below`, is not shown.
    pub fn of(metric: &'static str, method: String, figure: &Figure, suppress_below: u32) -> Self {
        let n = if figure.value().is_some() { figure.n } else { 0 };
        let (plain, weighted, interval) = (plain(figure), figure.value(), figure.interval);
        let shown = Self { metric, method, n, is_suppressed: false, plain, weighted, interval };
        if n > 0 && n < i64::from(suppress_below) { shown.hidden() } else { shown }
    }

    /// The same without its number.
    #[must_use]
    pub fn hidden(self) -> Self {
        Self { is_suppressed: self.n > 0, plain: None, weighted: None, interval: None, ..self }
    }

    /// It rests on few.
    pub fn is_small_sample(&self) -> bool {
        self.n < SMALL_SAMPLE
    }
}

/// How much a figure moved.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Difference {
    /// Later minus earlier, in percentage points.
    pub points: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
    /// The interval does not hold 0.
    pub is_significant: bool,
}

impl Difference {
    /// A difference of shares, in percentage points.
    pub fn of(moved: &Figure) -> Self {
        let points = moved.value().and_then(|value| value.times(Ratio::whole(100))).map_or(0.0, Ratio::as_f64);
        let (low, high) = moved.interval.map_or((0.0, 0.0), |interval| (interval.low * 100.0, interval.high * 100.0));
        Self { points, low, high, is_significant: low > 0.0 || high < 0.0 }
    }
}
