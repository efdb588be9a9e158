//! "Now", for counting. Whoever counts asks it whether an instant has passed, and it remembers what it was asked: between which
//! instants the same rows would have been counted the same. So a count can be kept, and is known to be true for how long.

use std::cell::Cell;

use jiff::Timestamp;

/// Something that says whether an instant has passed.
pub trait Passed {
    /// Whether it has; the instant itself has.
    fn has_passed(&self, at: Timestamp) -> bool;
}

impl Passed for Timestamp {
    fn has_passed(&self, at: Timestamp) -> bool {
        at <= *self
    }
}

impl<T: Passed> Passed for &T {
    fn has_passed(&self, at: Timestamp) -> bool {
        (*self).has_passed(at)
    }
}

/// What a count rests on beside its own rows. `None` where there is no such bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The last instant that had passed: before it the count would have been another.
    pub since: Option<Timestamp>,
    /// The next instant to pass: from then on the count may be another.
    pub until: Option<Timestamp>,
    /// Between which instants a neighbour of a row would change how the row counts, both ends included.
    pub around: Option<(Timestamp, Timestamp)>,
}

/// An instant that facts are judged at, which remembers what was asked of it. There is no other way to the instant, so that
/// nothing is judged that is not remembered.
#[derive(Clone, Debug)]
pub struct AsOf {
    now: Timestamp,
    seen: Cell<Seen>,
}

impl AsOf {
    /// Judged now.
    pub fn new(now: Timestamp) -> Self {
        Self { now, seen: Cell::default() }
    }

    /// Says that rows between two instants would change how a row counts.
    pub fn looks_around(&self, from: Timestamp, to: Timestamp) {
        let mut seen = self.seen.get();
        seen.around = Some(seen.around.map_or((from, to), |(first, last)| (first.min(from), last.max(to))));
        self.seen.set(seen);
    }

    /// What it was asked.
    pub fn seen(&self) -> Seen {
        self.seen.get()
    }
}

impl Passed for AsOf {
    fn has_passed(&self, at: Timestamp) -> bool {
        let has_passed = at <= self.now;
        let mut seen = self.seen.get();
        if has_passed {
            seen.since = Some(seen.since.map_or(at, |since| since.max(at)));
        } else {
            seen.until = Some(seen.until.map_or(at, |until| until.min(at)));
        }
        self.seen.set(seen);
        has_passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_true_from_the_last_instant_that_passed_until_the_next() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let as_of = AsOf::new(at("2026-03-10T12:00:00Z"));
        assert_eq!(as_of.seen(), Seen::default());
        assert!(as_of.has_passed(at("2026-03-10T12:00:00Z")) && as_of.has_passed(at("2026-03-09T12:00:00Z")));
        assert!(!as_of.has_passed(at("2026-03-12T00:00:00Z")) && !as_of.has_passed(at("2026-03-11T00:00:00Z")));
        as_of.looks_around(at("2026-03-02T00:00:00Z"), at("2026-03-03T00:00:00Z"));
        as_of.looks_around(at("2026-03-01T00:00:00Z"), at("2026-03-02T00:00:00Z"));
        let seen = as_of.seen();
        assert_eq!((seen.since, seen.until), (Some(at("2026-03-10T12:00:00Z")), Some(at("2026-03-11T00:00:00Z"))));
        assert_eq!(seen.around, Some((at("2026-03-01T00:00:00Z"), at("2026-03-03T00:00:00Z"))));
    }
}
