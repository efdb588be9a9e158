//! F-17 and F-18: what had to be done again, and what was settled at the first contact.

use jiff::{SignedDuration, Timestamp};

use super::as_of::Passed;
use super::figure::{Figure, Part};

/// Cases closed in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepeatCounts {
    /// Closed.
    pub closed: i64,
    /// Of them, reopened.
    pub reopened: i64,
    /// Of them, followed by a case of the same household and category within the window.
    pub repeated: i64,
}

crate::adds_up!(RepeatCounts { closed, reopened, repeated });

/// F-17, reopened.
pub fn reopen_rate(counts: &RepeatCounts) -> Figure {
    Figure::rate(counts.reopened, counts.closed).beside([Part::rate("repeated", counts.repeated, counts.closed)])
}

/// F-17, repeated.
pub fn repeat_rate(counts: &RepeatCounts) -> Figure {
    Figure::rate(counts.repeated, counts.closed).beside([Part::rate("reopened", counts.reopened, counts.closed)])
}

/// How a contact stands to those around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FirstContact {
    /// Another contact came within the look-back before it.
    NotFirst,
    /// The look-ahead after it has not passed yet.
    Pending,
    /// The first, and nothing came after it.
    Resolved,
    /// The first, and another came after it.
    Again,
}

impl FirstContact {
    /// Code of the row in an explanation.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotFirst => "not_a_first_contact",
            Self::Pending => "look_ahead_not_over",
            Self::Resolved => "no_contact_after",
            Self::Again => "contacted_again",
        }
    }
}

/// How a contact counts, from the nearest ones of the same household (and category, if the plan says so).
pub fn first_contact(
    contact: Timestamp,
    previous: Option<Timestamp>,
    next: Option<Timestamp>,
    (look_back, look_ahead): (SignedDuration, SignedDuration),
    as_of: impl Passed,
) -> FirstContact {
    if previous.is_some_and(|before| contact.duration_since(before) <= look_back) {
        FirstContact::NotFirst
    } else if next.is_some_and(|after| after.duration_since(contact) <= look_ahead) {
        FirstContact::Again
    } else if contact.checked_add(look_ahead).is_ok_and(|end| as_of.has_passed(end)) {
        FirstContact::Resolved
    } else {
        FirstContact::Pending
    }
}

/// First contacts of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirstContactCounts {
    /// Nothing came after.
    pub resolved: i64,
    /// Another came after.
    pub again: i64,
    /// The look-ahead has not passed yet.
    pub pending: i64,
}

crate::adds_up!(FirstContactCounts { resolved, again, pending });

impl FirstContactCounts {
    /// Adds one.
    pub fn add(&mut self, contact: FirstContact) {
        match contact {
            FirstContact::Resolved => self.resolved += 1,
            FirstContact::Again => self.again += 1,
            FirstContact::Pending => self.pending += 1,
            FirstContact::NotFirst => {}
        }
    }
}

/// F-18: first contacts without a new one in the look-ahead, by first contacts.
pub fn first_contact_resolution(counts: &FirstContactCounts) -> Figure {
    Figure::rate(counts.resolved, counts.resolved + counts.again).beside([Part::count("look_ahead_not_over", counts.pending)])
}

#[cfg(test)]
mod tests {
    use super::super::unit::Unit;
    use super::*;

    /// F-17
    #[test]
    fn reopened_and_repeated_are_shown_beside_each_other() {
        let counts = RepeatCounts { closed: 40, reopened: 2, repeated: 3 };
        assert_eq!(Unit::Rate.show(reopen_rate(&counts).value().unwrap()), "5.0");
        assert_eq!(Unit::Rate.show(repeat_rate(&counts).value().unwrap()), "7.5");
    }

    /// F-18, GR-26: no repeat in 72 hours counts as resolved.
    #[test]
    fn a_contact_is_the_first_when_nothing_came_before_and_resolved_when_nothing_comes_after() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let windows = (SignedDuration::from_hours(24 * 7), SignedDuration::from_hours(72));
        let contact = at("2026-03-10T00:00:00Z");
        let judged =
            |previous: Option<&str>, next: Option<&str>, as_of| first_contact(contact, previous.map(at), next.map(at), windows, at(as_of));
        assert_eq!(judged(None, None, "2026-03-20T00:00:00Z"), FirstContact::Resolved);
        assert_eq!(judged(None, None, "2026-03-11T00:00:00Z"), FirstContact::Pending);
        assert_eq!(judged(None, Some("2026-03-13T00:00:00Z"), "2026-03-20T00:00:00Z"), FirstContact::Again);
        assert_eq!(judged(None, Some("2026-03-13T00:00:01Z"), "2026-03-20T00:00:00Z"), FirstContact::Resolved);
        assert_eq!(judged(Some("2026-03-03T00:00:00Z"), None, "2026-03-20T00:00:00Z"), FirstContact::NotFirst);
    }
}
