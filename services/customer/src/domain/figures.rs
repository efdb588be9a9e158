//! Figures that customer owns: from judged files to counts. The rows that make a figure explain it.

use steward_kit::metric::{Figure, Part};

use steward_kit::codes;

/// What a figure is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cohort {
    /// Records of customers at home in the estate (CP-02).
    Customers,
    /// Files of the estate's households (CP-53).
    Households,
    /// Exits of estates and customers (F-13a, F-13b): no register of them is kept, so there is no data, which is not 0.
    Exits,
}

impl Cohort {
    /// The cohort of a metric; `None` for one that is not customer's.
    pub fn of(metric: &str) -> Option<Self> {
        Some(match metric {
            "data_quality_dup_rate" => Self::Customers,
            "data_quality_completeness" => Self::Households,
            "estate_churn" | "churn_rate" => Self::Exits,
            _ => return None,
        })
    }

    /// What its rows are, as the database and explanations say it; `None` where there are none.
    pub fn subject(self) -> Option<&'static str> {
        match self {
            Self::Customers => Some("customer"),
            Self::Households => Some("household"),
            Self::Exits => None,
        }
    }
}

codes! {
    /// How a file stands.
    FileStanding {
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
    }
}

impl FileStanding {
    /// It counts above the line: suspected records, complete files.
    pub fn in_numerator(self) -> bool {
        match self {
            Self::SamePhone | Self::Complete => true,
            Self::Distinct | Self::NoPhone | Self::Erased | Self::Unreachable | Self::NoOwner | Self::NoMember | Self::NotDelivered => {
                false
            }
        }
    }

    /// It counts below the line.
    pub fn in_denominator(self) -> bool {
        match self {
            Self::Erased | Self::NotDelivered => false,
            Self::Distinct | Self::NoPhone | Self::SamePhone | Self::Complete | Self::Unreachable | Self::NoOwner | Self::NoMember => true,
        }
    }
}

/// So many files that stand so.
pub type Tally = (FileStanding, i64);

/// The figure of tallies; what is wrong with files, and what is left out, stands beside it.
pub fn figure(cohort: Cohort, tallies: &[Tally]) -> Figure {
    let sum = |counts: &dyn Fn(FileStanding) -> bool| tallies.iter().filter(|(standing, _)| counts(*standing)).map(|(_, n)| n).sum();
    let shown: &[FileStanding] = match cohort {
        Cohort::Exits => return Figure::no_data(),
        Cohort::Customers => &[FileStanding::NoPhone, FileStanding::Erased],
        Cohort::Households => &[FileStanding::NoMember, FileStanding::NoOwner, FileStanding::Unreachable, FileStanding::NotDelivered],
    };
    let parts = shown.iter().map(|shown| Part::count(shown.as_str(), sum(&|standing| standing == *shown)));
    Figure::rate(sum(&FileStanding::in_numerator), sum(&FileStanding::in_denominator)).beside(parts)
}

#[cfg(test)]
mod tests {
    use steward_kit::metric::{Owner, metrics};

    use super::*;

    /// CP-02
    #[test]
    fn four_of_a_hundred_records_are_suspected() {
        let tallies = [(FileStanding::Distinct, 90), (FileStanding::NoPhone, 6), (FileStanding::SamePhone, 4), (FileStanding::Erased, 9)];
        let made = figure(Cohort::Customers, &tallies);
        assert_eq!((made.numerator, made.denominator), (4, 100));
        assert_eq!(made.part("erased"), Some(&Part::count("erased", 9)));
    }

    /// F-13a, F-13b, and the catalogue.
    #[test]
    fn every_metric_of_customer_has_a_cohort_and_exits_have_no_data() {
        for metric in metrics().iter().filter(|metric| metric.owner == Owner::Customer) {
            assert!(Cohort::of(metric.id).is_some(), "{}", metric.id);
        }
        assert_eq!(figure(Cohort::Exits, &[]).value(), None);
        assert_eq!(figure(Cohort::Customers, &[(FileStanding::Erased, 3)]).value(), None, "never 0 or 100");
    }
}
