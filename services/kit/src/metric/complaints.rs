//! F-05: how many complain. By operation (a), after a campaign (c); by survey (b) it is a share of answers, which survey counts.

use super::figure::{Figure, Part};
use super::interval::wilson;
use super::ratio::Ratio;
use super::unit::Unit;

/// Complaints received in a period, after the edge-case matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ComplaintCounts {
    /// Distinct households with at least one complaint that counts; merged ones bring their household.
    pub households: i64,
    /// Cases that count, those without a household among them.
    pub cases: i64,
    /// Cases that count and have no household: visitors, anonymous.
    pub without_household: i64,
    /// Cases not of the provider's matter, shown on their own line.
    pub out_of_scope: i64,
    /// Cases recorded after the period had ended.
    pub late_entries: i64,
}

crate::adds_up!(ComplaintCounts { households, cases, without_household, out_of_scope, late_entries });

/// F-05a: distinct households with a complaint, by the mean number of households. Without a base there is no data.
pub fn complaint_rate(counts: &ComplaintCounts, base: Option<Ratio>) -> Figure {
    of_base(counts.households, counts, base)
}

/// F-05a, volume: cases by a thousand households.
pub fn complaints_per_thousand(counts: &ComplaintCounts, base: Option<Ratio>) -> Figure {
    of_base(counts.cases, counts, base).within(None)
}

/// F-05a: complaints by number.
pub fn complaint_count(counts: &ComplaintCounts) -> Figure {
    Figure::count(counts.cases).beside(lines(counts)).late_entries(counts.late_entries)
}

fn of_base(numerator: i64, counts: &ComplaintCounts, base: Option<Ratio>) -> Figure {
    let Some(base) = base.filter(|base| *base > Ratio::ZERO) else {
        return Figure::no_data().beside(lines(counts)).late_entries(counts.late_entries);
    };
    let value = Ratio::whole(numerator).over(base);
    let per_thousand = Part::of("complaints_per_1000hh", Ratio::whole(counts.cases).over(base), Unit::PerThousand);
    // More can complain than live there on average; the interval of a share ends at one.
    let share = value.map_or(0.0, Ratio::as_f64).min(1.0);
    Figure {
        n: base.floor(),
        numerator: i128::from(numerator).saturating_mul(base.denominator()),
        denominator: base.numerator(),
        ..Figure::default()
    }
    .within(wilson(share, base.as_f64(), None))
    .beside([per_thousand])
    .beside(lines(counts))
    .late_entries(counts.late_entries)
}

fn lines(counts: &ComplaintCounts) -> [Part; 3] {
    [
        Part::count("cases", counts.cases),
        Part::count("without_household", counts.without_household),
        Part::count("out_of_scope", counts.out_of_scope),
    ]
}

/// F-05c: distinct customers with a complaint caused by the campaign, by distinct customers whom it reached.
pub fn campaign_complaint_rate(complained: i64, delivered: i64) -> Figure {
    Figure::rate(complained, delivered)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-05a: the base is a mean of days, and is not rounded.
    #[test]
    fn the_rate_is_of_the_mean_number_of_households() {
        let counts = ComplaintCounts { households: 9, cases: 12, without_household: 2, ..ComplaintCounts::default() };
        // 906 households for 30 days, 907 for one.
        let base = Ratio::new(906 * 30 + 907, 31);
        let figure = complaint_rate(&counts, base);
        assert_eq!(figure.value(), Ratio::new(9 * 31, 906 * 30 + 907));
        assert_eq!(figure.n, 906);
        assert_eq!(Unit::PerThousand.show(figure.part("complaints_per_1000hh").unwrap().value().unwrap()), "13.2");
        assert_eq!(figure.part("without_household"), Some(&Part::count("without_household", 2)));
        assert_eq!(Unit::PerThousand.show(complaints_per_thousand(&counts, base).value().unwrap()), "13.2");
    }

    /// F-05a, n=0
    #[test]
    fn without_households_there_is_no_rate() {
        let counts = ComplaintCounts { households: 1, cases: 1, ..ComplaintCounts::default() };
        assert_eq!(complaint_rate(&counts, None).value(), None);
        assert_eq!(complaint_rate(&counts, Some(Ratio::ZERO)).value(), None);
        assert_eq!(complaint_rate(&ComplaintCounts::default(), Some(Ratio::whole(900))).value(), Some(Ratio::ZERO));
    }

    /// F-05c
    #[test]
    fn a_campaign_answers_for_those_whom_it_reached() {
        assert_eq!(Unit::Rate.show(campaign_complaint_rate(23, 100).value().unwrap()), "23.0");
        assert_eq!(campaign_complaint_rate(0, 0).value(), None);
    }
}
