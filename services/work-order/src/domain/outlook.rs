//! What is to be expected of a running clock, by the pace at which clocks like it were stopped.
//!
//! Clocks are compared by the share of their time from start to due that was over when they were stopped: it has no unit, so a clock
//! that counted working hours or stood still for a while needs no treatment of its own.

use jiff::Timestamp;
use steward_kit::codes;
use steward_kit::metric::{Interval, wilson};

use super::state::State;

codes! {
    /// What is to be expected.
    Expectation {
        /// Kept rather than missed.
        Kept = "kept",
        /// Missed rather than kept.
        Missed = "missed",
        /// Nobody can tell.
        Uncertain = "uncertain",
    }
}

codes! {
    /// What stands in the way.
    Obstacle {
        /// Comparable clocks were mostly missed.
        Pace = "pace",
        /// Nobody is accountable.
        Unassigned = "unassigned",
        /// Whoever is accountable has not accepted.
        NotAccepted = "not_accepted",
        /// Whoever is accountable has other orders under way.
        Load = "load",
    }
}

/// The pace of clocks of one name and limit: how much of their time each had used, as a share; infinity for one that was never stopped.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    shares: Vec<f64>,
}

/// A running clock and its order, as far as an outlook asks.
#[derive(Clone, Debug)]
pub struct Running {
    /// When the clock started.
    pub start_time: Timestamp,
    /// When it is due.
    pub due_time: Timestamp,
    /// Where the order stands.
    pub state: State,
    /// Whether somebody is accountable.
    pub is_assigned: bool,
    /// Orders that they have under way, this one included.
    pub assignee_orders: u32,
}

/// What is to be expected of a clock, and what that rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// What.
    pub expectation: Expectation,
    /// Share of its time that is over.
    pub used: f64,
    /// Comparable clocks that were kept.
    pub kept: u32,
    /// Comparable clocks: not stopped either when as much of their time was over.
    pub comparable: u32,
    /// Interval of the share that was kept.
    pub interval: Option<Interval>,
    /// What stands in the way, most telling first.
    pub obstacles: Vec<Obstacle>,
}

impl Pace {
    /// One more run: its start, its due time, and when it was stopped, if it was.
    pub fn add(&mut self, start: Timestamp, due: Timestamp, stop: Option<Timestamp>) {
        self.shares.push(stop.map_or(f64::INFINITY, |stop| share(start, due, stop)));
    }
}

/// What is to be expected of a clock at `now`.
pub fn outlook(running: &Running, pace: &Pace, now: Timestamp) -> Outlook {
    let used = share(running.start_time, running.due_time, now);
    let open_then = pace.shares.iter().filter(|stopped| **stopped > used);
    let (kept, comparable) = open_then.fold((0_u32, 0_u32), |(kept, all), stopped| (kept + u32::from(*stopped <= 1.0), all + 1));
    let interval = (comparable > 0).then(|| wilson(f64::from(kept) / f64::from(comparable), f64::from(comparable), None)).flatten();
    let expectation = match &interval {
        Some(interval) if interval.low > 0.5 => Expectation::Kept,
        Some(interval) if interval.high < 0.5 => Expectation::Missed,
        Some(_) | None => Expectation::Uncertain,
    };
    let obstacles = [
        (Obstacle::Pace, expectation == Expectation::Missed),
        (Obstacle::Unassigned, !running.is_assigned),
        (Obstacle::NotAccepted, running.is_assigned && running.state == State::Assigned),
        (Obstacle::Load, running.assignee_orders > 1),
    ];
    let obstacles = obstacles.into_iter().filter_map(|(obstacle, is_there)| is_there.then_some(obstacle)).collect();
    Outlook { expectation, used, kept, comparable, interval, obstacles }
}

/// How much of the time from start to due is over at `at`. A clock that was due when it started has none left.
fn share(start: Timestamp, due: Timestamp, at: Timestamp) -> f64 {
    let (all, over) = (due.duration_since(start).as_secs_f64(), at.duration_since(start).as_secs_f64());
    if all > 0.0 { over / all } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).expect("an instant")
    }

    fn running() -> Running {
        Running { start_time: at(0), due_time: at(60), state: State::Accepted, is_assigned: true, assignee_orders: 1 }
    }

    /// Of ten comparable clocks nine were stopped late: with a third of the time over, one that is still open is expected late.
    #[test]
    fn what_was_mostly_missed_is_expected_to_be_missed() {
        let mut pace = Pace::default();
        // Stopped long before a third was over: nothing like a clock that is still open then.
        (0..100).for_each(|_| pace.add(at(0), at(60), Some(at(5))));
        (0..9).for_each(|n| pace.add(at(0), at(60), Some(at(61 + n))));
        pace.add(at(0), at(60), Some(at(59)));
        let early = outlook(&running(), &pace, at(1));
        assert_eq!((early.expectation, early.comparable, early.kept), (Expectation::Kept, 110, 101));
        let late = outlook(&running(), &pace, at(20));
        assert_eq!((late.expectation, late.comparable, late.kept), (Expectation::Missed, 10, 1));
        assert_eq!(late.obstacles, [Obstacle::Pace]);
    }

    /// Five that were kept prove little, none proves nothing: the interval says so.
    #[test]
    fn few_comparable_clocks_prove_nothing() {
        let mut pace = Pace::default();
        assert_eq!(outlook(&running(), &pace, at(20)).expectation, Expectation::Uncertain);
        (0..2).for_each(|_| pace.add(at(0), at(60), Some(at(50))));
        pace.add(at(0), at(60), None);
        let outlook = outlook(&running(), &pace, at(20));
        assert_eq!((outlook.expectation, outlook.kept, outlook.comparable), (Expectation::Uncertain, 2, 3));
    }

    #[test]
    fn what_stands_in_the_way_is_said() {
        let unassigned = Running { state: State::Classified, is_assigned: false, assignee_orders: 0, ..running() };
        assert_eq!(outlook(&unassigned, &Pace::default(), at(1)).obstacles, [Obstacle::Unassigned]);
        let waiting = Running { state: State::Assigned, assignee_orders: 7, ..running() };
        assert_eq!(outlook(&waiting, &Pace::default(), at(1)).obstacles, [Obstacle::NotAccepted, Obstacle::Load]);
    }
}
