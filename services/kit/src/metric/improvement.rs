//! F-19 to F-22: what became of suggestions, of opinions to collate, of visits, and of measures.

use super::care::Share;
use super::figure::{Figure, Part};
use super::interval::{around, variance_of_share};
use super::ratio::Ratio;
use super::timeliness::{TimelyCounts, timely_rate};

/// F-19: adopted, by suggestions assessed in the period.
pub fn suggestion_adoption(adopted: i64, assessed: i64) -> Figure {
    Figure::rate(adopted, assessed)
}

/// F-20: opinions collated within their limit, by those due in the period.
pub fn collation_rate(counts: &TimelyCounts) -> Figure {
    timely_rate(counts)
}

/// What a visit had to meet (F-21).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VisitProof {
    /// Announced early enough.
    pub notice_in_time: bool,
    /// Long enough.
    pub long_enough: bool,
    /// Its form came in time.
    pub form_in_time: bool,
    /// The visitor was trained.
    pub is_trained: bool,
    /// The kit was complete.
    pub has_kit: bool,
}

impl VisitProof {
    /// Whether it meets all.
    pub fn conforms(&self) -> bool {
        self.first_fault().is_none()
    }

    /// The first thing that it does not meet, as a code.
    pub fn first_fault(&self) -> Option<&'static str> {
        [
            (self.notice_in_time, "notice_late"),
            (self.long_enough, "too_short"),
            (self.form_in_time, "form_late"),
            (self.is_trained, "visitor_untrained"),
            (self.has_kit, "kit_incomplete"),
        ]
        .into_iter()
        .find(|(met, _)| !met)
        .map(|(_, code)| code)
    }
}

/// Visits that were done in a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VisitCounts {
    /// Done.
    pub done: i64,
    /// Of them, those that meet everything.
    pub conforming: i64,
    /// Those announced early enough.
    pub notice_in_time: i64,
    /// Those that were long enough.
    pub long_enough: i64,
    /// Those whose form came in time.
    pub form_in_time: i64,
}

crate::adds_up!(VisitCounts { done, conforming, notice_in_time, long_enough, form_in_time });

impl<'a> FromIterator<&'a VisitProof> for VisitCounts {
    fn from_iter<I: IntoIterator<Item = &'a VisitProof>>(visits: I) -> Self {
        visits.into_iter().fold(Self::default(), |counts, visit| Self {
            done: counts.done + 1,
            conforming: counts.conforming + i64::from(visit.conforms()),
            notice_in_time: counts.notice_in_time + i64::from(visit.notice_in_time),
            long_enough: counts.long_enough + i64::from(visit.long_enough),
            form_in_time: counts.form_in_time + i64::from(visit.form_in_time),
        })
    }
}

/// F-21: visits that meet notice, length, form, training and kit, by visits done in the round.
pub fn visit_conformity(counts: &VisitCounts) -> Figure {
    Figure::rate(counts.conforming, counts.done).beside([
        Part::rate("notice_in_time", counts.notice_in_time, counts.done),
        Part::rate("long_enough", counts.long_enough, counts.done),
        Part::rate("form_in_time", counts.form_in_time, counts.done),
    ])
}

/// F-22: the value after the follow-up less the baseline, for a measure on a share. With the interval of the difference.
pub fn improvement_effect(baseline: Share, followed: Share) -> Figure {
    let value = |share: Share| Ratio::new(share.numerator.into(), share.denominator.into());
    let variance = |share: Share| variance_of_share(value(share).map_or(0.0, Ratio::as_f64), Ratio::whole(share.denominator).as_f64());
    let change = value(baseline).zip(value(followed)).and_then(|(before, after)| after.minus(before));
    let relative = change.zip(value(baseline)).and_then(|(change, before)| change.over(before));
    Figure::of(change, baseline.denominator + followed.denominator)
        .within(change.map(|change| around(change.as_f64(), &[variance(baseline), variance(followed)])))
        .beside([Part::of("relative", relative, super::unit::Unit::RelativeChange)])
}

/// F-22 for a measure on a count: complaints of 50 a month that become 20 are −60 per cent.
pub fn relative_effect(baseline: i64, followed: i64) -> Figure {
    Figure::of(Ratio::new(i128::from(followed) - i128::from(baseline), baseline.into()), baseline)
}

#[cfg(test)]
mod tests {
    use super::super::unit::Unit;
    use super::*;

    /// F-19, F-20
    #[test]
    fn suggestions_and_collations_are_shares() {
        assert_eq!(Unit::Rate.show(suggestion_adoption(3, 12).value().unwrap()), "25.0");
        let counts = TimelyCounts { in_time: 19, open_late: 1, ..TimelyCounts::default() };
        assert_eq!(Unit::Rate.show(collation_rate(&counts).value().unwrap()), "95.0");
    }

    /// F-21
    #[test]
    fn a_visit_conforms_when_it_meets_everything() {
        let good = VisitProof { notice_in_time: true, long_enough: true, form_in_time: true, is_trained: true, has_kit: true };
        let short = VisitProof { long_enough: false, ..good };
        let figure = visit_conformity(&[good, good, good, short].iter().collect());
        assert_eq!(Unit::Rate.show(figure.value().unwrap()), "75.0");
        assert_eq!(short.first_fault(), Some("too_short"));
        assert_eq!(visit_conformity(&VisitCounts::default()).value(), None);
    }

    /// F-22, SV-17, GR-09: timely 70 to 95 per cent, complaints −60 per cent.
    #[test]
    fn the_effect_of_a_measure_is_the_value_after_less_the_value_before() {
        let share = |numerator| Share { numerator, denominator: 100 };
        assert_eq!(Unit::RateDifference.show(improvement_effect(share(70), share(95)).value().unwrap()), "+25.0");
        assert_eq!(Unit::RelativeChange.show(relative_effect(50, 20).value().unwrap()), "-60.0");
        assert_eq!(relative_effect(0, 20).value(), None);
    }
}
