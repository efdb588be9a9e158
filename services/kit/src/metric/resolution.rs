//! F-07, F-07b and F-07c: what became of what was reported, and how long it took.

use jiff::Timestamp;

use super::as_of::Passed;
use super::figure::{Figure, Part};
use super::ratio::Ratio;
use super::standing::{Entry, Standing};
use super::unit::Unit;

/// How a case was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Close {
    /// Resolved, as staff say.
    Resolved,
    /// Closed by itself, because nobody objected.
    Silent,
    /// Anything else: explained, out of scope.
    Otherwise,
}

/// What the customer said of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opinion {
    /// Confirmed it, or was satisfied or neutral at the callback.
    Accepts,
    /// Was dissatisfied.
    Objects,
    /// Said nothing: not reached, would not answer, or cannot be asked.
    Silent,
}

impl Opinion {
    /// Its code, for columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepts => "accepts",
            Self::Objects => "objects",
            Self::Silent => "silent",
        }
    }

    /// The opinion of a code.
    pub fn parse(code: &str) -> Option<Self> {
        [Self::Accepts, Self::Objects, Self::Silent].into_iter().find(|opinion| opinion.as_str() == code)
    }
}

/// A case as of a cut-off: the cycle that was the last one then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseAtCutOff {
    /// How it stands.
    pub standing: Standing,
    /// When its result was due; `None` when it has no such limit.
    pub result_due: Option<Timestamp>,
    /// How and when the cycle was closed; `None` while it is open, as after a reopening.
    pub closed: Option<(Close, Timestamp)>,
    /// What the customer said by then.
    pub opinion: Opinion,
}

/// How a case counts in the resolution rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// Resolved, and the customer accepts it.
    Confirmed,
    /// Resolved or closed by itself, and nobody objects.
    Unopposed,
    /// Not resolved: open, reopened, opposed, or closed otherwise.
    Unresolved,
    /// Withdrawn: listed, in neither part.
    Withdrawn,
    /// Its result is due after the cut-off.
    NotYetDue,
    /// Out by the edge-case matrix.
    Out,
}

impl Resolution {
    /// Code of the row in an explanation.
    pub fn code(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Unopposed => "auto_closed",
            Self::Unresolved => "unresolved",
            Self::Withdrawn => "withdrawn",
            Self::NotYetDue => "result_not_yet_due",
            Self::Out => "not_a_valid_case",
        }
    }

    /// Whether it is in the numerator and in the denominator.
    pub fn counts(self) -> (bool, bool) {
        match self {
            Self::Confirmed | Self::Unopposed => (true, true),
            Self::Unresolved => (false, true),
            Self::Withdrawn | Self::NotYetDue | Self::Out => (false, false),
        }
    }
}

impl CaseAtCutOff {
    /// How it counts.
    pub fn resolution(&self, cut_off: impl Passed) -> Resolution {
        match self.standing.in_resolution_rate() {
            Entry::Listed => return Resolution::Withdrawn,
            Entry::Out | Entry::HouseholdOnly => return Resolution::Out,
            Entry::Counts => {}
        }
        if self.result_due.is_some_and(|due| !cut_off.has_passed(due)) {
            return Resolution::NotYetDue;
        }
        match (self.closed.filter(|(_, at)| cut_off.has_passed(*at)), self.opinion) {
            (None, _) | (Some((Close::Otherwise, _)), _) | (Some(_), Opinion::Objects) => Resolution::Unresolved,
            (Some((Close::Resolved | Close::Silent, _)), Opinion::Accepts) => Resolution::Confirmed,
            (Some((Close::Resolved | Close::Silent, _)), Opinion::Silent) => Resolution::Unopposed,
        }
    }
}

/// Cases received in a period, as of its cut-off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResolutionCounts {
    /// Confirmed.
    pub confirmed: i64,
    /// Nobody objected.
    pub unopposed: i64,
    /// Not resolved.
    pub unresolved: i64,
    /// Withdrawn.
    pub withdrawn: i64,
    /// Result due after the cut-off.
    pub not_yet_due: i64,
    /// Recorded after the period though they happened in it.
    pub late_entries: i64,
}

crate::adds_up!(ResolutionCounts { confirmed, unopposed, unresolved, withdrawn, not_yet_due, late_entries });

impl ResolutionCounts {
    /// Counts cases.
    pub fn of(cases: impl IntoIterator<Item = Resolution>) -> Self {
        let mut counts = Self::default();
        for case in cases {
            counts.add(case, 1);
        }
        counts
    }

    /// Adds so many of a kind.
    pub fn add(&mut self, case: Resolution, n: i64) {
        match case {
            Resolution::Confirmed => self.confirmed += n,
            Resolution::Unopposed => self.unopposed += n,
            Resolution::Unresolved => self.unresolved += n,
            Resolution::Withdrawn => self.withdrawn += n,
            Resolution::NotYetDue => self.not_yet_due += n,
            Resolution::Out => {}
        }
    }
}

/// F-07: resolved as of the cut-off, by valid cases received whose result was due by then. Split into confirmed and
/// automatic; what was withdrawn is listed.
pub fn resolution_rate(counts: &ResolutionCounts) -> Figure {
    let denominator = counts.confirmed + counts.unopposed + counts.unresolved;
    Figure::rate(counts.confirmed + counts.unopposed, denominator)
        .beside([
            Part::rate("confirmed", counts.confirmed, denominator),
            Part::rate("auto_closed", counts.unopposed, denominator),
            Part::count("withdrawn", counts.withdrawn),
            Part::count("result_not_yet_due", counts.not_yet_due),
        ])
        .late_entries(counts.late_entries)
}

/// F-07b: closed for any reason but invalid, by valid cases received.
pub fn handled_rate(closed: i64, received: i64) -> Figure {
    Figure::rate(closed, received)
}

/// F-07c: the mean of the seconds from receipt to the final close, less suspensions; with the median and the ninetieth
/// per cent beside it. Sorts the rows.
pub fn mean_handling_time(seconds: &mut [i64]) -> Figure {
    seconds.sort_unstable();
    let (p50, p90) = (nearest_rank(seconds, 50), nearest_rank(seconds, 90));
    let sum = seconds.iter().map(|one| i128::from(*one)).sum();
    let n = i64::try_from(seconds.len()).unwrap_or(i64::MAX);
    mean_with_ranks(sum, n, p50, p90)
}

/// F-07c of rows that a database has summed and ranked.
pub fn mean_with_ranks(sum: i128, n: i64, p50: Option<i64>, p90: Option<i64>) -> Figure {
    let shown = |value: Option<i64>| value.map(Ratio::whole);
    Figure::mean(sum, n).beside([Part::of("p50", shown(p50), Unit::SecondsInDays), Part::of("p90", shown(p90), Unit::SecondsInDays)])
}

/// The smallest value with at least so many per cent of the rows at or below it.
fn nearest_rank(sorted: &[i64], per_cent: usize) -> Option<i64> {
    let rank = (sorted.len() * per_cent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const CUT_OFF: &str = "2026-04-10T16:00:00Z";

    fn closed(close: Close, opinion: Opinion) -> CaseAtCutOff {
        CaseAtCutOff {
            standing: Standing::Valid,
            result_due: Some(at("2026-04-01T16:00:00Z")),
            closed: Some((close, at("2026-04-02T00:00:00Z"))),
            opinion,
        }
    }

    fn counted(case: CaseAtCutOff) -> Resolution {
        case.resolution(at(CUT_OFF))
    }

    /// F-07: who was silent counts as automatic, who objects does not count as resolved.
    #[test]
    fn a_case_is_resolved_when_the_customer_accepts_or_is_silent() {
        assert_eq!(counted(closed(Close::Resolved, Opinion::Accepts)), Resolution::Confirmed);
        assert_eq!(counted(closed(Close::Silent, Opinion::Silent)), Resolution::Unopposed);
        assert_eq!(counted(closed(Close::Resolved, Opinion::Silent)), Resolution::Unopposed);
        assert_eq!(counted(closed(Close::Resolved, Opinion::Objects)), Resolution::Unresolved);
        assert_eq!(counted(closed(Close::Otherwise, Opinion::Accepts)), Resolution::Unresolved);
    }

    /// F-07, reopened: open at the cut-off is unresolved, also when it is closed later.
    #[test]
    fn what_is_open_at_the_cut_off_is_unresolved() {
        assert_eq!(counted(CaseAtCutOff { closed: None, ..closed(Close::Resolved, Opinion::Accepts) }), Resolution::Unresolved);
        let later =
            CaseAtCutOff { closed: Some((Close::Resolved, at("2026-04-11T00:00:00Z"))), ..closed(Close::Resolved, Opinion::Accepts) };
        assert_eq!(counted(later), Resolution::Unresolved);
        let not_due = CaseAtCutOff { result_due: Some(at("2026-04-12T00:00:00Z")), ..later };
        assert_eq!(counted(not_due), Resolution::NotYetDue);
    }

    /// F-07, withdrawn: out of both parts, and listed.
    #[test]
    fn withdrawn_cases_are_listed_and_in_neither_part() {
        let of = |standing| counted(CaseAtCutOff { standing, ..closed(Close::Otherwise, Opinion::Silent) });
        assert_eq!(of(Standing::Withdrawn), Resolution::Withdrawn);
        for standing in [Standing::Error, Standing::Invalid, Standing::OutOfScope, Standing::Internal, Standing::Duplicate] {
            assert_eq!(of(standing), Resolution::Out);
        }
    }

    /// F-07, WO-32: of 100 due 94 are resolved.
    #[test]
    fn ninety_four_of_a_hundred_are_94_per_cent() {
        let counts = ResolutionCounts { confirmed: 80, unopposed: 14, unresolved: 6, withdrawn: 3, ..ResolutionCounts::default() };
        let rate = resolution_rate(&counts);
        assert_eq!(Unit::Rate.show(rate.value().unwrap()), "94.0");
        assert_eq!(rate.part("confirmed").map(|part| part.numerator), Some(80));
        assert_eq!(rate.part("withdrawn"), Some(&Part::count("withdrawn", 3)));
    }

    /// F-07c, WO-64
    #[test]
    fn handling_time_is_a_mean_with_its_median_and_its_slowest_tenth() {
        let day = 86_400;
        let mut rows = [7 * day, day, 2 * day, 3 * day, 4 * day, 5 * day, 6 * day, 8 * day, 9 * day, 10 * day];
        let figure = mean_handling_time(&mut rows);
        assert_eq!(Unit::SecondsInDays.show(figure.value().unwrap()), "5.5");
        assert_eq!(figure.part("p50").and_then(Part::value), Some(Ratio::whole(5 * day)));
        assert_eq!(figure.part("p90").and_then(Part::value), Some(Ratio::whole(9 * day)));
        assert_eq!(mean_handling_time(&mut []).value(), None);
    }
}
