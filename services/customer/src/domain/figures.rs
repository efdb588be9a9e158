//! Figures that customer owns: from judged files and stays to counts, which add up over estates, and from counts to figures. The rows
//! that make a figure explain it.

use steward_kit::metric::{AddsUp, Figure, Lost, Part, Tally, customer_churn, estate_churn};
use steward_kit::{adds_up, codes};

/// The rules that rows are counted by, as they are written (`kit_store::rollups`).
pub const RULES: &[&str] = &[include_str!("figures.rs"), include_str!("exit.rs")];

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

/// Estates lost, and those that were there when the period began; the same of their households and of the area of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct EstateCounts {
    lost: i64,
    at_start: i64,
    households_lost: i64,
    households_at_start: i64,
    area_lost: i64,
    area_at_start: i64,
}

adds_up!(EstateCounts { lost, at_start, households_lost, households_at_start, area_lost, area_at_start });

/// How stays may stand. Of somebody's stays in several estates the first of these counts for all of them.
const STAYS: [Standing; 5] = [Standing::Lost, Standing::NaturalExit, Standing::ExitNotChosen, Standing::Active, Standing::NotActiveAtStart];

/// A stay is kept as one number: the customer's own, times this, and the place of how it stands. That is a fifth of the customer's id, and
/// an estate has thousands of them.
const PLACES: i64 = 8;

/// What files come to: so many that stand so.
pub fn tally_files(counts: &[(Standing, i64)]) -> Tally {
    let of = |shown: &Standing| counts.iter().filter(|(standing, _)| standing == shown).map(|(_, count)| count).sum();
    Tally::of(Standing::ALL.iter().map(of).collect::<Vec<i64>>())
}

/// What stays of an estate come to: numbers of customers, and how they stand.
pub fn tally_stays(stays: impl IntoIterator<Item = (Standing, i64)>) -> Tally {
    let place = |shown: Standing| STAYS.iter().zip(0..).find(|(standing, _)| **standing == shown).map(|(_, place)| place);
    let mut kept: Vec<i64> =
        stays.into_iter().filter_map(|(standing, number)| Some(number.saturating_mul(PLACES).saturating_add(place(standing)?))).collect();
    kept.sort_unstable();
    Tally::default().with_samples(kept)
}

/// What an estate comes to.
pub fn tally_estate(stay: &EstateStay) -> Tally {
    let if_lost = |weight| if stay.standing.in_numerator() { weight } else { 0 };
    let if_there = |weight| if stay.standing.in_denominator() { weight } else { 0 };
    let counts = EstateCounts {
        lost: if_lost(1),
        at_start: if_there(1),
        households_lost: if_lost(stay.households),
        households_at_start: if_there(stay.households),
        area_lost: if_lost(stay.area),
        area_at_start: if_there(stay.area),
    };
    counts.tally()
}

/// How many files or stays stand how; whoever has a stay in several estates counts once.
fn standings(cohort: Cohort, tally: &Tally) -> Vec<(Standing, i64)> {
    match cohort {
        Cohort::Stays => {
            let mut stays = tally.samples.clone();
            stays.sort_unstable();
            stays.dedup_by_key(|stay| stay.div_euclid(PLACES));
            let mut counts = STAYS.map(|standing| (standing, 0));
            for stay in stays {
                let place = usize::try_from(stay.rem_euclid(PLACES)).ok();
                if let Some((_, count)) = place.and_then(|place| counts.get_mut(place)) {
                    *count += 1;
                }
            }
            counts.into()
        }
        Cohort::Customers | Cohort::Households => Standing::ALL.iter().copied().zip(tally.numbers.iter().copied()).collect(),
        Cohort::Estates => Vec::new(),
    }
}

/// The figure of a tally; what is wrong with files, and what is left out, stands beside it.
pub fn figure(cohort: Cohort, tally: &Tally) -> Figure {
    let standings = standings(cohort, tally);
    let sum =
        |counts: &dyn Fn(Standing) -> bool| -> i64 { standings.iter().filter(|(standing, _)| counts(*standing)).map(|(_, n)| n).sum() };
    let of = |shown: Standing| sum(&|standing| standing == shown);
    let shown: &[Standing] = match cohort {
        Cohort::Stays => {
            let others = [Standing::ExitNotChosen, Standing::NotActiveAtStart].map(|shown| Part::count(shown.as_str(), of(shown)));
            let (lost, active) = (sum(&Standing::in_numerator), sum(&Standing::in_denominator));
            return customer_churn(lost, of(Standing::NaturalExit), active).beside(others);
        }
        Cohort::Estates => {
            let of = EstateCounts::of_tally(tally);
            let lost = |lost, at_start| Lost { lost, at_start };
            return estate_churn(
                lost(of.lost, of.at_start),
                lost(of.households_lost, of.households_at_start),
                lost(of.area_lost, of.area_at_start),
            );
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
        let counts = [(Standing::Distinct, 90), (Standing::NoPhone, 6), (Standing::SamePhone, 4), (Standing::Erased, 9)];
        let made = figure(Cohort::Customers, &tally_files(&counts));
        assert_eq!((made.numerator, made.denominator), (4, 100));
        assert_eq!(made.part("erased"), Some(&Part::count("erased", 9)));
    }

    fn stays(first: i64, counts: &[(Standing, i64)]) -> Tally {
        let all = counts.iter().flat_map(|(standing, count)| std::iter::repeat_n(*standing, usize::try_from(*count).unwrap()));
        tally_stays(all.zip(first..))
    }

    /// F-13b: 23 of 1,000; forty moved house, and stay below the line.
    #[test]
    fn whoever_moved_house_is_not_lost() {
        let counts = [(Standing::Active, 937), (Standing::Lost, 23), (Standing::NaturalExit, 40), (Standing::NotActiveAtStart, 5)];
        let made = figure(Cohort::Stays, &stays(1, &counts));
        assert_eq!((made.numerator, made.denominator), (23, 1000));
        assert_eq!(made.part("natural_exit"), Some(&Part::count("natural_exit", 40)));
        assert_eq!(made.part("not_active_at_start"), Some(&Part::count("not_active_at_start", 5)));
    }

    /// F-13b: lost somewhere is lost, and whoever was there somewhere was there.
    #[test]
    fn whoever_has_several_estates_counts_once_in_all_of_them() {
        let here = stays(1, &[(Standing::Active, 10)]);
        let there = stays(9, &[(Standing::Lost, 1), (Standing::NotActiveAtStart, 1), (Standing::Active, 3)]);
        let made = figure(Cohort::Stays, &Tally::sum([&here, &there]));
        assert_eq!((made.numerator, made.denominator), (1, 13));
        assert_eq!(made.part("not_active_at_start"), Some(&Part::count("not_active_at_start", 0)));
    }

    /// F-13a, CP-48: households of a lost estate stand beside it.
    #[test]
    fn a_lost_estate_takes_its_households_with_it() {
        let stay = |standing, households| tally_estate(&EstateStay { standing, households, area: households * 100 });
        let estates = [stay(Standing::Active, 600), stay(Standing::Lost, 200), stay(Standing::NotActiveAtStart, 999)];
        let made = figure(Cohort::Estates, &Tally::sum(&estates));
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
        assert_eq!(figure(Cohort::Stays, &Tally::default()).value(), None);
        assert_eq!(figure(Cohort::Estates, &Tally::default()).value(), None);
        assert_eq!(figure(Cohort::Customers, &tally_files(&[(Standing::Erased, 3)])).value(), None, "never 0 or 100");
    }
}
