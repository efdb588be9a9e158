//! Targets and verdicts. Exact: 94.96 per cent is shown as 95.0 and misses 95.

use super::ratio::Ratio;

/// Which side is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Higher is better.
    AtLeast,
    /// Lower is better.
    AtMost,
}

/// What a plan aims at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which side is good (C-24).
    pub direction: Direction,
    /// As the plan wrote it, not reduced.
    pub numerator: i64,
    /// As the plan wrote it, not reduced; at least 1.
    pub denominator: i64,
}

impl Target {
    /// The limit.
    pub fn value(&self) -> Option<Ratio> {
        Ratio::new(self.numerator.into(), self.denominator.into())
    }

    /// Whether a value meets it.
    pub fn is_met_by(&self, value: Ratio) -> bool {
        self.value().is_some_and(|limit| match self.direction {
            Direction::AtLeast => value >= limit,
            Direction::AtMost => value <= limit,
        })
    }
}

/// How a figure stands to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The target is for a shorter period than was counted, and the figure grows with the time.
    NotJudged,
    /// Met.
    Met,
    /// Missed.
    Missed,
    /// Nothing to count.
    NoData,
    /// The plan names no target.
    NoTarget,
    /// The plan does not define the metric.
    NotDefined,
}

/// The verdict of a value under a target.
pub fn judge(value: Option<Ratio>, target: Option<&Target>) -> Verdict {
    match (value, target) {
        (None, _) => Verdict::NoData,
        (Some(_), None) => Verdict::NoTarget,
        (Some(value), Some(target)) if target.is_met_by(value) => Verdict::Met,
        (Some(_), Some(_)) => Verdict::Missed,
    }
}

#[cfg(test)]
mod tests {
    use super::super::unit::Unit;
    use super::*;

    fn at_least(numerator: i64, denominator: i64) -> Target {
        Target { direction: Direction::AtLeast, numerator, denominator }
    }

    #[test]
    fn targets_are_compared_before_anything_is_rounded() {
        let value = Ratio::new(9496, 10_000).unwrap();
        assert_eq!(Unit::Rate.show(value), "95.0");
        assert_eq!(judge(Some(value), Some(&at_least(95, 100))), Verdict::Missed);
        assert_eq!(judge(Ratio::new(19, 20), Some(&at_least(95, 100))), Verdict::Met);
    }

    /// C-24
    #[test]
    fn an_upper_bound_is_met_from_below() {
        let ten = Target { direction: Direction::AtMost, numerator: 10, denominator: 100 };
        assert_eq!(judge(Ratio::new(8, 100), Some(&ten)), Verdict::Met);
        assert_eq!(judge(Ratio::new(11, 100), Some(&ten)), Verdict::Missed);
    }

    /// P-6
    #[test]
    fn nothing_counted_is_no_data_and_nothing_aimed_at_is_no_target() {
        assert_eq!(judge(None, Some(&at_least(95, 100))), Verdict::NoData);
        assert_eq!(judge(Ratio::new(1, 2), None), Verdict::NoTarget);
    }
}
