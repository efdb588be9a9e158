//! Exact fractions. A figure is compared with its target as one of these, before anything is rounded.

use std::cmp::Ordering;
use std::fmt;

/// A fraction in lowest terms with a positive denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    numerator: i128,
    denominator: i128,
}

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    /// One.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// `numerator / denominator`; `None` when the denominator is 0.
    pub fn new(numerator: i128, denominator: i128) -> Option<Self> {
        if denominator == 0 {
            return None;
        }
        let common = gcd(numerator.unsigned_abs(), denominator.unsigned_abs());
        let common = i128::try_from(common).ok()?;
        let sign = denominator.signum();
        Some(Self { numerator: numerator / common * sign, denominator: denominator / common * sign })
    }

    /// A whole number.
    pub const fn whole(value: i64) -> Self {
        Self { numerator: value as i128, denominator: 1 }
    }

    /// Upper part, in lowest terms.
    pub const fn numerator(self) -> i128 {
        self.numerator
    }

    /// Lower part, in lowest terms; positive.
    pub const fn denominator(self) -> i128 {
        self.denominator
    }

    /// The sum; `None` when it does not fit.
    pub fn plus(self, other: Self) -> Option<Self> {
        let common = i128::try_from(gcd(self.denominator.unsigned_abs(), other.denominator.unsigned_abs())).ok()?;
        let left = self.numerator.checked_mul(other.denominator / common)?;
        let right = other.numerator.checked_mul(self.denominator / common)?;
        Self::new(left.checked_add(right)?, (self.denominator / common).checked_mul(other.denominator)?)
    }

    /// The difference; `None` when it does not fit.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { numerator: other.numerator.checked_neg()?, denominator: other.denominator })
    }

    /// The product; `None` when it does not fit.
    pub fn times(self, other: Self) -> Option<Self> {
        // Across, so that what cancels cannot overflow.
        let (a, b) = (Self::new(self.numerator, other.denominator)?, Self::new(other.numerator, self.denominator)?);
        Self::new(a.numerator.checked_mul(b.numerator)?, a.denominator.checked_mul(b.denominator)?)
    }

    /// The quotient; `None` for a divisor of 0, and when it does not fit.
    pub fn over(self, other: Self) -> Option<Self> {
        self.times(Self::new(other.denominator, other.numerator)?)
    }

    /// The nearest fraction of 10^12, half up: what sums of many unlike denominators fall back to.
    pub fn coarse(self) -> Option<Self> {
        const FINE: i128 = 1_000_000_000_000;
        let (whole, rest) = (self.numerator.div_euclid(self.denominator), self.numerator.rem_euclid(self.denominator));
        let mut rest = Self::new(rest, self.denominator)?;
        while rest.denominator > i128::MAX / FINE / 4 {
            rest = Self::new(rest.numerator / 2, rest.denominator / 2)?;
        }
        let parts = (rest.numerator * FINE * 2 + rest.denominator).div_euclid(rest.denominator * 2);
        Self::new(whole.checked_mul(FINE)?.checked_add(parts)?, FINE)
    }

    /// The nearest floating-point number: for intervals and sizes, never for a verdict.
    #[expect(clippy::cast_precision_loss, reason = "the nearest one is what is asked for")]
    pub fn as_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    /// The largest whole number not above it, as far as an `i64` reaches.
    pub fn floor(self) -> i64 {
        let floor = self.numerator.div_euclid(self.denominator);
        i64::try_from(floor).unwrap_or(if floor < 0 { i64::MIN } else { i64::MAX })
    }
}

impl Ord for Ratio {
    /// By continued fractions: exact for any two, without a product that could overflow.
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (*self, *other);
        let mut flipped = false;
        loop {
            let (left, right) = (a.numerator.div_euclid(a.denominator), b.numerator.div_euclid(b.denominator));
            let (left_rest, right_rest) = (a.numerator.rem_euclid(a.denominator), b.numerator.rem_euclid(b.denominator));
            let ordering = match (left.cmp(&right), left_rest == 0, right_rest == 0) {
                (unequal @ (Ordering::Less | Ordering::Greater), _, _) => unequal,
                (Ordering::Equal, true, true) => Ordering::Equal,
                (Ordering::Equal, true, false) => Ordering::Less,
                (Ordering::Equal, false, true) => Ordering::Greater,
                (Ordering::Equal, false, false) => {
                    // The rests compare the other way round once they are turned over.
                    a = Self { numerator: a.denominator, denominator: left_rest };
                    b = Self { numerator: b.denominator, denominator: right_rest };
                    flipped = !flipped;
                    continue;
                }
            };
            return if flipped { ordering.reverse() } else { ordering };
        }
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_thirds_are_less_than_667_thousandths() {
        assert!(Ratio::new(2, 3) < Ratio::new(667, 1000));
        assert_eq!(Ratio::new(6, -9), Ratio::new(-2, 3));
        assert_eq!(Ratio::new(1, 0), None);
    }

    proptest! {
        #[test]
        fn order_is_that_of_cross_products(a in -1000i128..1000, b in 1i128..1000, c in -1000i128..1000, d in 1i128..1000) {
            let (left, right) = (Ratio::new(a, b).unwrap(), Ratio::new(c, d).unwrap());
            prop_assert_eq!(left.cmp(&right), (a * d).cmp(&(c * b)));
        }

        #[test]
        fn sums_and_quotients_undo_themselves(a in -1000i128..1000, b in 1i128..1000, c in 1i128..1000, d in 1i128..1000) {
            let (left, right) = (Ratio::new(a, b).unwrap(), Ratio::new(c, d).unwrap());
            prop_assert_eq!(left.plus(right).unwrap().minus(right), Some(left));
            prop_assert_eq!(left.times(right).unwrap().over(right), Some(left));
        }

        #[test]
        fn a_coarse_ratio_is_within_a_billionth(a in any::<i64>(), b in 1i64..i64::MAX) {
            let exact = Ratio::new(a.into(), b.into()).unwrap();
            let off = exact.coarse().unwrap().as_f64() - exact.as_f64();
            prop_assert!(off.abs() <= 1e-9 * exact.as_f64().abs().max(1.0));
        }
    }
}
