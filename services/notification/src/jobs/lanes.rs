//! Errands that wait for a place, in their lanes: what is said to one goes first, and what is said to many never has all of the
//! places, so that it delays nobody (NT-41).

use std::collections::{HashSet, VecDeque};

use crate::app::{Due, Errand, Lane};

/// Most errands of one process at once: most of their time is waiting for others.
const AT_ONCE: usize = 32;

/// Most of them for what is said to many.
const BULK_AT_ONCE: usize = 24;

/// See above.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    first: VecDeque<Due>,
    bulk: VecDeque<Due>,
    /// Errands that wait or run: a timer that fires again while they do brings nothing new.
    known: HashSet<Errand>,
    running: usize,
    running_bulk: usize,
}

impl Lanes {
    /// Takes an errand in, unless it is there already.
    pub(super) fn push(&mut self, due: Due) {
        if self.known.insert(due.errand) {
            match due.lane {
                Lane::First => self.first.push_back(due),
                Lane::Bulk => self.bulk.push_back(due),
            }
        }
    }

    /// The next errand that has a place; it runs from now on.
    pub(super) fn start(&mut self) -> Option<Due> {
        if self.running >= AT_ONCE {
            return None;
        }
        let next = self.first.pop_front().or_else(|| if self.running_bulk < BULK_AT_ONCE { self.bulk.pop_front() } else { None })?;
        self.running += 1;
        self.running_bulk += usize::from(next.lane == Lane::Bulk);
        Some(next)
    }

    /// An errand ended, however.
    pub(super) fn end(&mut self, errand: Errand, lane: Lane) {
        self.known.remove(&errand);
        self.running -= 1;
        self.running_bulk -= usize::from(lane == Lane::Bulk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::DeliveryId;

    fn due(lane: Lane) -> Due {
        Due { errand: Errand::Attempt(DeliveryId::new()), lane, traceparent: String::new() }
    }

    /// NT-41: however many bulk errands wait, places are left for others, and those that come later go first.
    #[test]
    fn what_is_said_to_many_leaves_places() {
        let mut lanes = Lanes::default();
        (0..1000).for_each(|_| lanes.push(due(Lane::Bulk)));
        let running: Vec<Due> = std::iter::from_fn(|| lanes.start()).collect();
        assert_eq!(running.len(), BULK_AT_ONCE);
        (0..AT_ONCE).for_each(|_| lanes.push(due(Lane::First)));
        let late: Vec<Due> = std::iter::from_fn(|| lanes.start()).collect();
        assert_eq!(late.len(), AT_ONCE - BULK_AT_ONCE);
        assert!(late.iter().all(|due| due.lane == Lane::First));
        // A place that bulk leaves goes to whoever waits in the first lane.
        lanes.end(running[0].errand, Lane::Bulk);
        assert_eq!(lanes.start().unwrap().lane, Lane::First);
    }

    #[test]
    fn an_errand_that_waits_or_runs_is_not_taken_twice() {
        let mut lanes = Lanes::default();
        let one = due(Lane::First);
        lanes.push(one.clone());
        lanes.push(one.clone());
        assert!(lanes.start().is_some() && lanes.start().is_none());
        lanes.push(one.clone());
        assert!(lanes.start().is_none());
        lanes.end(one.errand, one.lane);
        lanes.push(one);
        assert!(lanes.start().is_some());
    }
}
