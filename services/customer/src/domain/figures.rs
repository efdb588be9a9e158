//! Figures that customer owns: from judged files and stays to counts. The rows that make a figure explain it.

use steward_kit::codes;
use steward_kit::metric::{Figure, Lost, Part, customer_churn, estate_churn};

/// What a figure is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cohort {
    /// Records of customers at home in the estate (CP-02).
    Customers,
    /// Files of the estate's households (CP-53).
    Households,
    /// Customers who had a tenure on the period's first day, and who left in it (F-13b).
    Stays,
    /// Estates that were there on the period's first day, and which left in it (F-13a).
    Estates,
}

impl Cohort {
    /// The cohort of a metric; `None` for one that is not customer's.
    pub fn of(metric: &str) -> Option<Self> {
        Some(match metric {
            "data_quality_dup_rate" => Self::Customers,
            "data_quality_completeness" => Self::Households,
            "churn_rate" => Self::Stays,
            "estate_churn" => Self::Estates,
            _ => return None,
        })
    }

    /// What its rows are, as the database and explanations say it.
    pub fn subject(self) -> &'static str {
        match self {
            Self::Customers | Self::Stays => "customer",
            Self::Households => "household",
            Self::Estates => "estate",
        }
    }
}

codes! {
    /// How a file, or somebody's stay, stands.
    Standing {
        /// The only record, or the first one, with its phone.
        Distinct = "distinct",
        /// A record without a phone: nothing to compare.
        NoPhone = "no_phone",
        /// An earlier record of the estate has the same phone.
        SamePhone = "same_phone",
        /// The person was erased.
        Erased = "erased",
        /// An owner, and somebody who can be reached.
        Complete = "complete",
        /// Members, and none who can be reached.
        Unreachable = "unreachable",
        /// Members, and no owner among them.
        NoOwner = "no_owner",
        /// Nobody on record.
        NoMember = "no_member",
        /// Not handed over yet.
        NotDelivered = "not_delivered",
        /// There when the period began, and did not leave in it.
        Active = "active",
        /// Left in the period by an exit that counts.
        Lost = "lost",
        /// Moved house or sold, where that does not count.
        NaturalExit = "natural_exit",
        /// Left otherwise, by an exit that the plan does not count.
        ExitNotChosen = "exit_not_chosen",
        /// Left, and was not there when the period began.
        NotActiveAtStart = "not_active_at_start",
    }
}

impl Standing {
    /// It counts above the line: suspected records, complete files, whoever was lost.
    pub fn in_numerator(self) -> bool {
        match self {
            Self::SamePhone | Self::Complete | Self::Lost => true,
            Self::Distinct
            | Self::NoPhone
            | Self::Erased
            | Self::Unreachable
            | Self::NoOwner
            | Self::NoMember
            | Self::NotDelivered
            | Self::Active
            | Self::NaturalExit
            | Self::ExitNotChosen
            | Self::NotActiveAtStart => false,
        }
    }

    /// It counts below the line.
    pub fn in_denominator(self) -> bool {
        match self {
            Self::Erased | Self::NotDelivered | Self::NotActiveAtStart => false,
            Self::Distinct
            | Self::NoPhone
            | Self::SamePhone
            | Self::Complete
            | Self::Unreachable
            | Self::NoOwner
            | Self::NoMember
            | Self::Active
            | Self::Lost
            | Self::NaturalExit
            | Self::ExitNotChosen => true,
        }
    }
}

/// So many that stand so.
pub type Tally = (Standing, i64);

/// An estate, with what it weighs in churn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EstateStay {
    /// Active, lost, or not there when the period began.
    pub standing: Standing,
    /// Its households.
    pub households: i64,
    /// Their area in whole square metres.
    pub area: i64,
}

/// The figure of tallies; what is wrong with files, and what is left out, stands beside it.
pub fn figure(cohort: Cohort, tallies: &[Tally], estates: &[EstateStay]) -> Figure {
    let sum = |counts: &dyn Fn(Standing) -> bool| -> i64 { tallies.iter().filter(|(standing, _)| counts(*standing)).map(|(_, n)| n).sum() };
    let of = |shown: Standing| sum(&|standing| standing == shown);
    let shown: &[Standing] = match cohort {
        Cohort::Stays => {
            let others = [Standing::ExitNotChosen, Standing::NotActiveAtStart].map(|shown| Part::count(shown.as_str(), of(shown)));
            let (lost, active) = (sum(&Standing::in_numerator), sum(&Standing::in_denominator));
            return customer_churn(lost, of(Standing::NaturalExit), active).beside(others);
        }
        Cohort::Estates => {
            let weighed = |weight: &dyn Fn(&EstateStay) -> i64| Lost {
                lost: estates.iter().filter(|stay| stay.standing.in_numerator()).map(weight).sum(),
                at_start: estates.iter().filter(|stay| stay.standing.in_denominator()).map(weight).sum(),
            };
            return estate_churn(weighed(&|_| 1), weighed(&|stay| stay.households), weighed(&|stay| stay.area));
        }
        Cohort::Customers => &[Standing::NoPhone, Standing::Erased],
        Cohort::Households => &[Standing::NoMember, Standing::NoOwner, Standing::Unreachable, Standing::NotDelivered],
    };
    let parts = shown.iter().map(|shown| Part::count(shown.as_str(), of(*shown)));
    Figure::rate(sum(&Standing::in_numerator), sum(&Standing::in_denominator)).beside(parts)
}

#[cfg(test)]
mod tests {
    use steward_kit::metric::{Owner, metrics};

    use super::*;

    /// CP-02
    #[test]
    fn four_of_a_hundred_records_are_suspected() {
        let tallies = [(Standing::Distinct, 90), (Standing::NoPhone, 6), (Standing::SamePhone, 4), (Standing::Erased, 9)];
        let made = figure(Cohort::Customers, &tallies, &[]);
        assert_eq!((made.numerator, made.denominator), (4, 100));
        assert_eq!(made.part("erased"), Some(&Part::count("erased", 9)));
    }

    /// F-13b: 23 of 1,000; forty moved house, and stay below the line.
    #[test]
    fn whoever_moved_house_is_not_lost() {
        let tallies = [(Standing::Active, 937), (Standing::Lost, 23), (Standing::NaturalExit, 40), (Standing::NotActiveAtStart, 5)];
        let made = figure(Cohort::Stays, &tallies, &[]);
        assert_eq!((made.numerator, made.denominator), (23, 1000));
        assert_eq!(made.part("natural_exit"), Some(&Part::count("natural_exit", 40)));
        assert_eq!(made.part("not_active_at_start"), Some(&Part::count("not_active_at_start", 5)));
    }

    /// F-13a, CP-48: households of a lost estate stand beside it.
    #[test]
    fn a_lost_estate_takes_its_households_with_it() {
        let stay = |standing, households| EstateStay { standing, households, area: households * 100 };
        let estates = [stay(Standing::Active, 600), stay(Standing::Lost, 200), stay(Standing::NotActiveAtStart, 999)];
        let made = figure(Cohort::Estates, &[], &estates);
        assert_eq!((made.numerator, made.denominator), (1, 2));
        let part = made.part("by_households").and_then(Part::value);
        assert_eq!(part, steward_kit::metric::Ratio::new(200, 800));
    }

    /// F-13a, F-13b, and the catalogue.
    #[test]
    fn every_metric_of_customer_has_a_cohort_and_nothing_to_count_is_no_data() {
        for metric in metrics().iter().filter(|metric| metric.owner == Owner::Customer) {
            assert!(Cohort::of(metric.id).is_some(), "{}", metric.id);
        }
        assert_eq!(figure(Cohort::Stays, &[], &[]).value(), None);
        assert_eq!(figure(Cohort::Estates, &[], &[]).value(), None);
        assert_eq!(figure(Cohort::Customers, &[(Standing::Erased, 3)], &[]).value(), None, "never 0 or 100");
    }
}
