//! An exact factor on a limit: 1.5 is 3/2, never a float (WO-71).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A rational factor of at least one, in lowest terms. Reads `3/2`, `1.5`, `2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Factor {
    numerator: u32,
    denominator: u32,
}

/// Why a factor is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FactorError {
    /// Not a number or a fraction.
    #[error("`{0}` is not a factor; write for example `3/2` or `1.5`")]
    Malformed(String),
    /// Below one: the mode extends limits, it never shortens them.
    #[error("factor {0} is below one")]
    BelowOne(String),
}

impl Factor {
    /// Makes `numerator / denominator`.
    pub fn new(numerator: u32, denominator: u32) -> Result<Self, FactorError> {
        let text = || format!("{numerator}/{denominator}");
        if denominator == 0 {
            return Err(FactorError::Malformed(text()));
        }
        if numerator < denominator {
            return Err(FactorError::BelowOne(text()));
        }
        let divisor = gcd(numerator, denominator);
        Ok(Self { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    pub(super) fn exact(self, value: u64) -> Option<u64> {
        let product = value.saturating_mul(self.numerator.into());
        product.is_multiple_of(self.denominator.into()).then(|| product / u64::from(self.denominator))
    }

    pub(super) fn rounded_up(self, value: u64) -> u64 {
        value.saturating_mul(self.numerator.into()).div_ceil(self.denominator.into())
    }
}

const fn gcd(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl FromStr for Factor {
    type Err = FactorError;

    fn from_str(text: &str) -> Result<Self, FactorError> {
        let malformed = || FactorError::Malformed(text.to_owned());
        let number = |part: &str| part.parse::<u32>().map_err(|_| malformed());
        if let Some((numerator, denominator)) = text.split_once('/') {
            return Self::new(number(numerator)?, number(denominator)?);
        }
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        if decimals.len() > 6 || (text.contains('.') && decimals.is_empty()) {
            return Err(malformed());
        }
        // Six decimals and a whole part below 4,294 fit; what does not is refused by the parse.
        Self::new(number(&format!("{whole}{decimals}"))?, 10_u32.pow(u32::try_from(decimals.len()).unwrap_or(0)))
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

impl TryFrom<String> for Factor {
    type Error = FactorError;

    fn try_from(text: String) -> Result<Self, FactorError> {
        text.parse()
    }
}

impl From<Factor> for String {
    fn from(factor: Factor) -> Self {
        factor.to_string()
    }
}
