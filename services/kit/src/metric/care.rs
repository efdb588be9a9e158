//! F-09 to F-11: whom care reached, and what it changed.

use super::figure::{Figure, Part};
use super::interval::{around, variance_of_share};
use super::ratio::Ratio;
use super::unit::Unit;

/// Households of a care layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CareCounts {
    /// Delivered households.
    pub households: i64,
    /// Of them, those that opted out.
    pub opted_out: i64,
    /// Of them, those held out for comparison.
    pub held_out: i64,
    /// Eligible ones with at least one delivered action.
    pub covered: i64,
}

/// F-09: eligible households with a delivered action, by eligible households. Opt-outs are told apart.
pub fn care_coverage(counts: &CareCounts) -> Figure {
    let eligible = (counts.households - counts.opted_out - counts.held_out).max(0);
    Figure::rate(counts.covered, eligible).beside([Part::count("opted_out", counts.opted_out), Part::count("held_out", counts.held_out)])
}

/// F-10: customers with a delivered or read contact, by customers targeted.
pub fn reach_rate(reached: i64, targeted: i64) -> Figure {
    Figure::rate(reached, targeted)
}

/// F-10, lift: `(new − old) / old`, with the difference in points beside it.
pub fn reach_lift(old: Option<Ratio>, new: Option<Ratio>, n: i64) -> Figure {
    let difference = old.zip(new).and_then(|(old, new)| new.minus(old));
    let lift = difference.zip(old).and_then(|(difference, old)| difference.over(old));
    Figure::of(lift, n).beside([Part::of("points", difference, Unit::RateDifference)])
}

/// A share in one wave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Positive answers.
    pub numerator: i64,
    /// Answers.
    pub denominator: i64,
}

impl Share {
    fn value(self) -> Option<Ratio> {
        Ratio::new(self.numerator.into(), self.denominator.into())
    }

    fn variance(self) -> f64 {
        variance_of_share(self.value().map_or(0.0, Ratio::as_f64), Ratio::whole(self.denominator).as_f64())
    }
}

/// A group before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BeforeAfter {
    /// Baseline wave.
    pub before: Share,
    /// Follow-up wave.
    pub after: Share,
}

impl BeforeAfter {
    fn change(self) -> Option<Ratio> {
        self.after.value()?.minus(self.before.value()?)
    }
}

/// F-11: the change of those treated less that of the hold-out group; without one the plain change, which the figure says
/// by its part `without_control`. Percentage points, with the interval of the difference.
pub fn csat_lift(treated: BeforeAfter, control: Option<BeforeAfter>) -> Figure {
    let n = treated.before.denominator + treated.after.denominator;
    let (value, variances, without) = match control.filter(|control| control.change().is_some()) {
        Some(control) => {
            let value = treated.change().zip(control.change()).and_then(|(treated, control)| treated.minus(control));
            (value, vec![treated.before, treated.after, control.before, control.after], 0)
        }
        None => (treated.change(), vec![treated.before, treated.after], 1),
    };
    let variances: Vec<f64> = variances.into_iter().map(Share::variance).collect();
    Figure::of(value, n).within(value.map(|value| around(value.as_f64(), &variances))).beside([Part::count("without_control", without)])
}

/// Return on what was spent: `(benefit − cost) / cost`; `None` where nothing was spent.
pub fn return_on_investment(benefit: i64, cost: i64) -> Option<Ratio> {
    Ratio::new(i128::from(benefit) - i128::from(cost), cost.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-09, vector 6
    #[test]
    fn coverage_is_of_those_who_may_be_cared_for() {
        let figure = care_coverage(&CareCounts { households: 1020, opted_out: 10, held_out: 10, covered: 980 });
        assert_eq!((figure.denominator, Unit::Rate.show(figure.value().unwrap())), (1000, "98.0".into()));
        assert_eq!(figure.part("opted_out"), Some(&Part::count("opted_out", 10)));
    }

    /// F-10, vector 9
    #[test]
    fn from_50_to_70_is_40_per_cent_and_20_points() {
        let figure = reach_lift(Ratio::new(50, 100), Ratio::new(70, 100), 100);
        assert_eq!(Unit::RelativeChange.show(figure.value().unwrap()), "+40.0");
        assert_eq!(Unit::RateDifference.show(figure.part("points").unwrap().value().unwrap()), "+20.0");
        assert_eq!(reach_lift(Some(Ratio::ZERO), Ratio::new(1, 2), 4).value(), None);
    }

    /// F-11, SV-34: 72.0 to 83.6 is +11.6 points, with the interval of the difference.
    #[test]
    fn without_a_control_group_the_plain_change_says_so() {
        let treated =
            BeforeAfter { before: Share { numerator: 720, denominator: 1000 }, after: Share { numerator: 836, denominator: 1000 } };
        let figure = csat_lift(treated, None);
        assert_eq!(Unit::RateDifference.show(figure.value().unwrap()), "+11.6");
        assert_eq!(figure.part("without_control"), Some(&Part::count("without_control", 1)));
        let interval = figure.interval.unwrap();
        assert!(interval.low > 0.07 && interval.high < 0.16);
    }

    /// F-11
    #[test]
    fn what_the_hold_out_group_gained_too_is_no_lift() {
        let half = Share { numerator: 50, denominator: 100 };
        let more = |numerator| BeforeAfter { before: half, after: Share { numerator, denominator: 100 } };
        assert_eq!(csat_lift(more(70), Some(more(60))).value(), Ratio::new(1, 10));
        assert_eq!(return_on_investment(150, 100), Ratio::new(1, 2));
        assert_eq!(return_on_investment(150, 0), None);
    }
}
