//! F-08 and F-08b: who was called back after the work, and with whom there was a talk this month. Different figures (C-08).

use super::figure::{Figure, Part};

/// What became of a callback that was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallbackResult {
    /// Reached by the due time; who would not answer was reached too.
    ReachedInTime,
    /// Reached after it.
    ReachedLate,
    /// Tried as often as the plan demands, by the due time.
    ExhaustedInTime,
    /// Tried as often as the plan demands, after it.
    ExhaustedLate,
    /// Tried less, or never.
    Missed,
}

impl CallbackResult {
    /// Code of the row in an explanation.
    pub fn code(self) -> &'static str {
        match self {
            Self::ReachedInTime => "reached_in_time",
            Self::ReachedLate => "reached_late",
            Self::ExhaustedInTime => "exhausted_in_time",
            Self::ExhaustedLate => "exhausted_late",
            Self::Missed => "missed",
        }
    }
}

/// Which results count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CoverageMethod {
    /// Reached by the due time.
    EffectiveInWindow,
    /// Reached or properly tried, by the due time: the headline of 003.
    AttemptedInWindow,
    /// Reached, whenever.
    Effective,
    /// Reached or properly tried, whenever.
    Attempted,
}

impl CoverageMethod {
    /// Whether a result counts.
    pub fn has(self, result: CallbackResult) -> bool {
        let (attempted, in_window) = match self {
            Self::EffectiveInWindow => (false, true),
            Self::AttemptedInWindow => (true, true),
            Self::Effective => (false, false),
            Self::Attempted => (true, false),
        };
        match result {
            CallbackResult::ReachedInTime => true,
            CallbackResult::ReachedLate => !in_window,
            CallbackResult::ExhaustedInTime => attempted,
            CallbackResult::ExhaustedLate => attempted && !in_window,
            CallbackResult::Missed => false,
        }
    }
}

/// Callbacks due in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallbackCounts {
    /// Reached by the due time.
    pub reached_in_time: i64,
    /// Reached later.
    pub reached_late: i64,
    /// Properly tried by the due time.
    pub exhausted_in_time: i64,
    /// Properly tried later.
    pub exhausted_late: i64,
    /// Neither.
    pub missed: i64,
    /// Left out as provisional.
    pub provisional: i64,
}

crate::adds_up!(CallbackCounts { reached_in_time, reached_late, exhausted_in_time, exhausted_late, missed, provisional });

impl CallbackCounts {
    /// Counts results.
    pub fn of(results: impl IntoIterator<Item = CallbackResult>) -> Self {
        let mut counts = Self::default();
        for result in results {
            counts.add(result, 1);
        }
        counts
    }

    /// Adds so many of a kind.
    pub fn add(&mut self, result: CallbackResult, n: i64) {
        match result {
            CallbackResult::ReachedInTime => self.reached_in_time += n,
            CallbackResult::ReachedLate => self.reached_late += n,
            CallbackResult::ExhaustedInTime => self.exhausted_in_time += n,
            CallbackResult::ExhaustedLate => self.exhausted_late += n,
            CallbackResult::Missed => self.missed += n,
        }
    }

    fn counted(&self, method: CoverageMethod) -> i64 {
        [
            (CallbackResult::ReachedInTime, self.reached_in_time),
            (CallbackResult::ReachedLate, self.reached_late),
            (CallbackResult::ExhaustedInTime, self.exhausted_in_time),
            (CallbackResult::ExhaustedLate, self.exhausted_late),
            (CallbackResult::Missed, self.missed),
        ]
        .into_iter()
        .filter(|(result, _)| method.has(*result))
        .map(|(_, n)| n)
        .sum()
    }
}

/// F-08: called back, by callbacks due in the period; every variant stands beside the headline.
pub fn callback_coverage(counts: &CallbackCounts, method: CoverageMethod) -> Figure {
    let due = counts.reached_in_time + counts.reached_late + counts.exhausted_in_time + counts.exhausted_late + counts.missed;
    let part = |code, method| Part::rate(code, counts.counted(method), due);
    Figure::rate(counts.counted(method), due)
        .beside([
            part("effective_in_window", CoverageMethod::EffectiveInWindow),
            part("attempted_in_window", CoverageMethod::AttemptedInWindow),
            part("effective", CoverageMethod::Effective),
            part("attempted", CoverageMethod::Attempted),
        ])
        .provisional(counts.provisional)
}

/// F-08b: distinct customers with a two-way contact of purpose relationship in the month, by those active on its first day.
/// What nobody answered, mass messages among it, is not for this function to see.
pub fn relationship_callback_coverage(two_way: i64, active: i64) -> Figure {
    Figure::rate(two_way, active)
}

#[cfg(test)]
mod tests {
    use super::super::unit::Unit;
    use super::*;

    /// F-08, vector 4, WO-27
    #[test]
    fn the_same_fifty_callbacks_are_88_effective_and_96_attempted() {
        let counts = CallbackCounts { reached_in_time: 44, reached_late: 1, exhausted_in_time: 4, missed: 1, ..CallbackCounts::default() };
        let shown = |method| Unit::Rate.show(callback_coverage(&counts, method).value().unwrap());
        assert_eq!(shown(CoverageMethod::EffectiveInWindow), "88.0");
        assert_eq!(shown(CoverageMethod::AttemptedInWindow), "96.0");
        assert_eq!(shown(CoverageMethod::Effective), "90.0");
        assert_eq!(shown(CoverageMethod::Attempted), "98.0");
        let headline = callback_coverage(&counts, CoverageMethod::AttemptedInWindow);
        assert_eq!(headline.part("effective_in_window").map(|part| (part.numerator, part.denominator)), Some((44, 50)));
    }

    /// F-08, n=0
    #[test]
    fn no_callback_due_is_no_data() {
        assert_eq!(callback_coverage(&CallbackCounts::default(), CoverageMethod::Effective).value(), None);
    }

    /// F-08b, vector 5: bulletins that were read are not in the count, so they add nothing.
    #[test]
    fn eight_hundred_fifty_two_of_a_thousand_are_85_2() {
        assert_eq!(Unit::Rate.show(relationship_callback_coverage(852, 1000).value().unwrap()), "85.2");
    }
}
