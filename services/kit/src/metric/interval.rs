//! Between which values the true figure lies, at 95 per cent. Intervals are for readers: no verdict rests on them.

/// z of 95 per cent.
const Z: f64 = 1.96;

/// Above this share of the population the finite population correction is made.
const SHARE_THAT_CORRECTS: f64 = 0.05;

/// Confidence of every interval here.
pub(super) const LEVEL: f64 = 0.95;

/// An interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The finite population correction was made.
    pub is_corrected: bool,
}

/// Wilson's interval of a share of `n` cases, out of a population if that is known. `n` may be an effective size.
/// `None` without cases.
pub fn wilson(share: f64, n: f64, population: Option<f64>) -> Option<Interval> {
    if n <= 0.0 {
        return None;
    }
    let is_corrected = population.is_some_and(|all| all > 0.0 && n / all > SHARE_THAT_CORRECTS);
    let n = match population.filter(|_| is_corrected) {
        // Everybody answered: nothing is estimated.
        Some(all) if n >= all => return Some(Interval { low: share, high: share, is_corrected }),
        Some(all) => n * (all - 1.0).max(1.0) / (all - n),
        None => n,
    };
    let z2 = Z * Z;
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    Some(Interval { low: (centre - half).max(0.0), high: (centre + half).min(1.0), is_corrected })
}

/// The interval of a sum or difference of independent estimates, from their variances.
pub fn around(value: f64, variances: &[f64]) -> Interval {
    let half = Z * variances.iter().sum::<f64>().sqrt();
    Interval { low: value - half, high: value + half, is_corrected: false }
}

/// Variance of a share of `n` cases.
pub fn variance_of_share(share: f64, n: f64) -> f64 {
    if n > 0.0 { share * (1.0 - share) / n } else { 0.0 }
}

/// How many equally weighted answers say as much as these (Kish): the square of the sum by the sum of squares.
pub fn effective_size(weight_sum: f64, weight_square_sum: f64) -> f64 {
    if weight_square_sum > 0.0 { weight_sum * weight_sum / weight_square_sum } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_cent(value: f64) -> String {
        format!("{:.1}", value * 100.0)
    }

    /// F-01, vector 1: Wilson 86.1 to 92.9.
    #[test]
    fn the_interval_of_270_in_300_is_that_of_the_vector() {
        let interval = wilson(0.9, 300.0, None).unwrap();
        assert_eq!((per_cent(interval.low), per_cent(interval.high)), ("86.1".into(), "92.9".into()));
    }

    #[test]
    fn a_large_share_of_the_population_narrows_it_and_everybody_ends_it() {
        let plain = wilson(0.9, 300.0, Some(100_000.0)).unwrap();
        assert!(!plain.is_corrected);
        let corrected = wilson(0.9, 300.0, Some(1000.0)).unwrap();
        assert!(corrected.is_corrected && corrected.low > plain.low && corrected.high < plain.high);
        assert_eq!(wilson(0.9, 300.0, Some(300.0)).unwrap(), Interval { low: 0.9, high: 0.9, is_corrected: true });
    }

    #[test]
    fn nothing_asked_has_no_interval_and_nobody_satisfied_has_one_above_zero() {
        assert_eq!(wilson(0.0, 0.0, None), None);
        let none = wilson(0.0, 20.0, None).unwrap();
        assert!(none.low == 0.0 && none.high > 0.1);
    }
}
