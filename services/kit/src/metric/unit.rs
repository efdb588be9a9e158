//! What a figure means, and how it is shown: rounded half up to 0.1, and only when it is shown.

use super::ratio::Ratio;

/// What numerator by denominator means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A share; shown in per cent.
    Rate,
    /// A mean of seconds, shown in hours.
    Seconds,
    /// A mean of seconds, shown in days.
    SecondsInDays,
    /// A mean of seconds, shown in seconds.
    SecondsAsTheyAre,
    /// A mean of points, 0 to 100.
    Points,
    /// A count.
    Count,
    /// A weighted index, 0 to 100.
    Index,
    /// Net promoter score, an integer.
    Nps,
    /// An amount in whole units of a currency.
    Currency,
    /// So many in a thousand.
    PerThousand,
    /// A difference of two shares, shown in percentage points with its sign.
    RateDifference,
    /// A change by a share of what was before, shown in per cent with its sign.
    RelativeChange,
}

impl Unit {
    /// By what the value is multiplied before it is shown.
    fn scale(self) -> Ratio {
        let of = |numerator, denominator| Ratio::new(numerator, denominator).unwrap_or(Ratio::ONE);
        match self {
            Self::Rate | Self::RateDifference | Self::RelativeChange => of(100, 1),
            Self::Seconds => of(1, 3600),
            Self::SecondsInDays => of(1, 86_400),
            Self::PerThousand => of(1000, 1),
            Self::SecondsAsTheyAre | Self::Points | Self::Count | Self::Index | Self::Nps | Self::Currency => Ratio::ONE,
        }
    }

    /// Digits behind the point.
    fn digits(self) -> u32 {
        match self {
            Self::Count | Self::Nps | Self::Currency => 0,
            Self::Rate
            | Self::Seconds
            | Self::SecondsInDays
            | Self::SecondsAsTheyAre
            | Self::Points
            | Self::Index
            | Self::PerThousand
            | Self::RateDifference
            | Self::RelativeChange => 1,
        }
    }

    /// Whether a rise is written with its sign.
    fn is_signed(self) -> bool {
        matches!(self, Self::RateDifference | Self::RelativeChange)
    }

    /// What stands behind the number.
    pub fn label(self) -> &'static str {
        match self {
            Self::Rate | Self::RelativeChange => "%",
            Self::Seconds => "h",
            Self::SecondsInDays => "d",
            Self::SecondsAsTheyAre => "s",
            Self::Points => "points",
            Self::PerThousand => "‰",
            Self::RateDifference => "pp",
            Self::Count | Self::Index | Self::Nps | Self::Currency => "",
        }
    }

    /// Whether a figure of fewer than 30 is a small sample: where it is an estimate from cases.
    pub fn rests_on_cases(self) -> bool {
        !matches!(self, Self::Count | Self::Currency)
    }

    /// The value as it is shown.
    pub fn show(self, value: Ratio) -> String {
        let shown = value.times(self.scale()).map_or_else(String::new, |scaled| half_up(scaled, self.digits()));
        let is_rise = self.is_signed() && !shown.starts_with('-') && shown.bytes().any(|digit| digit.is_ascii_digit() && digit != b'0');
        if is_rise { format!("+{shown}") } else { shown }
    }
}

/// A decimal rounded half up to so many digits behind the point.
pub fn half_up(value: Ratio, digits: u32) -> String {
    let power = 10i128.pow(digits.min(9));
    // Doubled before the division, so that the half is exact; what does not fit is far beyond any figure.
    let doubled = value.numerator().saturating_mul(power).saturating_mul(2).saturating_add(value.denominator());
    let rounded = doubled.div_euclid(value.denominator().saturating_mul(2));
    let (sign, magnitude) = (if rounded < 0 { "-" } else { "" }, rounded.unsigned_abs());
    let power = power.unsigned_abs();
    if digits == 0 {
        return format!("{sign}{magnitude}");
    }
    format!("{sign}{}.{:0width$}", magnitude / power, magnitude % power, width = digits as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(numerator: i128, denominator: i128) -> Ratio {
        Ratio::new(numerator, denominator).unwrap()
    }

    #[test]
    fn a_half_goes_up_and_less_than_a_half_does_not() {
        assert_eq!(half_up(ratio(8705, 100), 1), "87.1");
        assert_eq!(half_up(ratio(8704, 100), 1), "87.0");
        assert_eq!(half_up(ratio(-1165, 100), 1), "-11.6");
        assert_eq!(half_up(ratio(-1, 20), 1), "0.0");
        assert_eq!(half_up(ratio(5, 2), 0), "3");
    }

    #[test]
    fn each_unit_is_shown_in_its_own_way() {
        assert_eq!(Unit::Rate.show(ratio(270, 300)), "90.0");
        assert_eq!(Unit::Points.show(ratio(26_120, 300)), "87.1");
        assert_eq!(Unit::Nps.show(ratio(28, 1)), "28");
        assert_eq!(Unit::Seconds.show(ratio(5400, 1)), "1.5");
        assert_eq!(Unit::SecondsInDays.show(ratio(604_800, 1)), "7.0");
        assert_eq!(Unit::SecondsAsTheyAre.show(ratio(12_345, 1000)), "12.3");
        assert_eq!(Unit::RateDifference.show(ratio(116, 1000)), "+11.6");
        assert_eq!(Unit::RelativeChange.show(ratio(2, 5)), "+40.0");
        assert_eq!(Unit::RateDifference.show(ratio(0, 1)), "0.0");
        assert_eq!(Unit::PerThousand.show(ratio(12, 1000)), "12.0");
    }
}
