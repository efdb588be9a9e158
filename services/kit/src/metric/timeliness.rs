//! F-06 and F-16: what was done by when it was due. Judged from event times, never from when a timer was noticed.

use jiff::Timestamp;

use super::as_of::Passed;
use super::figure::{Figure, Part};

/// A deadline and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// When it was due; suspensions have moved it.
    pub due: Timestamp,
    /// When it was reached; `None` while it was not.
    pub reached: Option<Timestamp>,
    /// When it ceased to matter without being reached: cancelled, withdrawn, handed over.
    pub ended: Option<Timestamp>,
    /// The due time rests on a year that is not announced.
    pub is_provisional: bool,
}

/// How a deadline counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timeliness {
    /// Left out: the due time is not certain yet.
    Provisional,
    /// Left out: it ceased to matter before it was due.
    Ended,
    /// Left out: neither reached nor due yet.
    NotYetDue,
    /// Reached by its due time.
    InTime,
    /// Reached after its due time.
    Late,
    /// Past due and still open.
    OpenLate,
}

impl Timeliness {
    /// Whether it is in the denominator.
    pub fn counts(self) -> bool {
        matches!(self, Self::InTime | Self::Late | Self::OpenLate)
    }

    /// Code of the row in an explanation.
    pub fn code(self) -> &'static str {
        match self {
            Self::Provisional => "provisional",
            Self::Ended => "ended_before_due",
            Self::NotYetDue => "not_yet_due",
            Self::InTime => "in_time",
            Self::Late => "late",
            Self::OpenLate => "open_late",
        }
    }
}

impl Deadline {
    /// How it counts, as of an instant. That it is due in the period is the caller's to pick.
    pub fn judged(&self, as_of: impl Passed) -> Timeliness {
        let reached = self.reached.filter(|at| as_of.has_passed(*at));
        match (reached, self.ended) {
            _ if self.is_provisional => Timeliness::Provisional,
            (Some(at), _) if at <= self.due => Timeliness::InTime,
            (Some(_), _) => Timeliness::Late,
            (None, Some(ended)) if ended <= self.due => Timeliness::Ended,
            (None, Some(_)) => Timeliness::Late,
            (None, None) if as_of.has_passed(self.due) => Timeliness::OpenLate,
            (None, None) => Timeliness::NotYetDue,
        }
    }
}

/// A case's deadlines of one milestone in one period: it is timely only if every one is, and open only if none is late.
pub fn worst(deadlines: impl IntoIterator<Item = Timeliness>) -> Option<Timeliness> {
    deadlines.into_iter().max()
}

/// Deadlines of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimelyCounts {
    /// In time.
    pub in_time: i64,
    /// Late.
    pub late: i64,
    /// Late and still open.
    pub open_late: i64,
    /// Left out as provisional.
    pub provisional: i64,
    /// Recorded after the period though they happened in it.
    pub late_entries: i64,
}

crate::adds_up!(TimelyCounts { in_time, late, open_late, provisional, late_entries });

impl TimelyCounts {
    /// Counts judged deadlines.
    pub fn of(judged: impl IntoIterator<Item = Timeliness>) -> Self {
        let mut counts = Self::default();
        for one in judged {
            counts.add(one, 1);
        }
        counts
    }

    /// Adds so many of a kind.
    pub fn add(&mut self, judged: Timeliness, n: i64) {
        match judged {
            Timeliness::InTime => self.in_time += n,
            Timeliness::Late => self.late += n,
            Timeliness::OpenLate => self.open_late += n,
            Timeliness::Provisional => self.provisional += n,
            Timeliness::Ended | Timeliness::NotYetDue => {}
        }
    }
}

/// F-06, F-16: reached by its due time, by all due in the period; what is open and past due is late.
pub fn timely_rate(counts: &TimelyCounts) -> Figure {
    Figure::rate(counts.in_time, counts.in_time + counts.late + counts.open_late)
        .beside([Part::count("late", counts.late), Part::count("open_late", counts.open_late)])
        .provisional(counts.provisional)
        .late_entries(counts.late_entries)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::super::period::{Period, PeriodKind};
    use super::super::unit::Unit;
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn due_at_noon() -> Deadline {
        Deadline { due: at("2026-03-10T12:00:00Z"), reached: None, ended: None, is_provisional: false }
    }

    /// F-06, vector 3
    #[test]
    fn what_is_open_and_past_due_is_late() {
        let rate = timely_rate(&TimelyCounts { in_time: 114, late: 4, open_late: 2, ..TimelyCounts::default() });
        assert_eq!(Unit::Rate.show(rate.value().unwrap()), "95.0");
        assert_eq!(rate.n, 120);
    }

    /// F-06, vector 3: received 31 March 23:50 and due 1 April 00:05 belongs to April.
    #[test]
    fn a_deadline_belongs_to_the_month_that_it_is_due_in() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let due = at("2026-03-31T16:05:00Z");
        let april = Period::around(PeriodKind::Month, date(2026, 4, 1)).unwrap().instants(&zone).unwrap();
        let march = Period::around(PeriodKind::Month, date(2026, 3, 1)).unwrap().instants(&zone).unwrap();
        assert!(april.0 <= due && due < april.1 && due >= march.1);
    }

    /// F-06: the second of the limit is in time, the one after is late (WO-13).
    #[test]
    fn the_due_instant_itself_is_in_time() {
        let now = at("2026-03-20T00:00:00Z");
        let reached = |text: &str| Deadline { reached: Some(at(text)), ..due_at_noon() }.judged(now);
        assert_eq!(reached("2026-03-10T12:00:00Z"), Timeliness::InTime);
        assert_eq!(reached("2026-03-10T12:00:00.000001Z"), Timeliness::Late);
    }

    /// F-06: early is left out, cancelled before due is left out, cancelled after due was late.
    #[test]
    fn what_never_came_due_is_left_out() {
        let later = at("2026-03-20T00:00:00Z");
        assert_eq!(due_at_noon().judged(at("2026-03-10T11:59:59Z")), Timeliness::NotYetDue);
        assert_eq!(due_at_noon().judged(later), Timeliness::OpenLate);
        let ended = |text: &str| Deadline { ended: Some(at(text)), ..due_at_noon() }.judged(later);
        assert_eq!(ended("2026-03-10T11:00:00Z"), Timeliness::Ended);
        assert_eq!(ended("2026-03-10T13:00:00Z"), Timeliness::Late);
        assert_eq!(Deadline { is_provisional: true, ..due_at_noon() }.judged(later), Timeliness::Provisional);
    }

    /// F-06, reopened: a case is timely only if every cycle is.
    #[test]
    fn one_late_cycle_makes_the_case_late() {
        assert_eq!(worst([Timeliness::InTime, Timeliness::Late]), Some(Timeliness::Late));
        assert_eq!(worst([Timeliness::InTime, Timeliness::NotYetDue]), Some(Timeliness::InTime));
        assert_eq!(worst([]), None);
    }
}
