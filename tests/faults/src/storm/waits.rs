//! How long things took by the machine's clock, read from the times of the suite's: jumps of the clock are nobody's delay.

use jiff::{SignedDuration, Timestamp};

/// The moves of a clock that was moved forward only.
#[derive(Debug)]
pub struct Moves(Vec<(Timestamp, Timestamp)>);

impl Moves {
    /// Each from when, to when.
    pub fn new(mut moves: Vec<(Timestamp, Timestamp)>) -> Self {
        moves.retain(|(from, to)| to > from);
        moves.sort_unstable();
        Self(moves)
    }

    /// How long the machine's clock ran between two instants of the suite's. An instant that the clock jumped over came when it jumped.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> SignedDuration {
        let jumped = |(start, end): &(Timestamp, Timestamp)| {
            let (start, end) = ((*start).max(from), (*end).min(to));
            if end > start { end.duration_since(start) } else { SignedDuration::ZERO }
        };
        // Those before `from` end before it: a search finds the first that does not.
        let first = self.0.partition_point(|(_, end)| *end <= from);
        let within = self.0.iter().skip(first).take_while(|(start, _)| *start < to);
        to.duration_since(from) - within.map(jumped).fold(SignedDuration::ZERO, |sum, span| sum + span)
    }
}

/// Waits, to be asked for quantiles.
#[derive(Debug, Default)]
pub struct Waits(Vec<i64>);

impl Waits {
    /// These, in any order.
    pub fn of(waits: impl Iterator<Item = SignedDuration>) -> Self {
        let mut micros: Vec<i64> = waits.filter_map(|wait| i64::try_from(wait.as_micros()).ok()).collect();
        micros.sort_unstable();
        Self(micros)
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// So many of a hundred waited no longer; in milliseconds.
    pub fn percentile_ms(&self, percent: usize) -> i64 {
        let place = (self.0.len() * percent).div_ceil(100).max(1) - 1;
        self.0.get(place).map_or(0, |micros| micros / 1_000)
    }

    /// p50, p99 and the longest, in words.
    pub fn in_words(&self) -> String {
        format!("p50 {} ms, p99 {} ms, max {} ms", self.percentile_ms(50), self.percentile_ms(99), self.percentile_ms(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_the_clock_is_nobodys_delay_and_what_it_jumped_over_came_with_it() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let moves = Moves::new(vec![(at(100), at(160)), (at(161), at(221))]);
        let seconds = |from, to| moves.between(at(from), at(to)).as_secs();
        assert_eq!(seconds(10, 90), 80, "no jump between them");
        assert_eq!(seconds(130, 161), 1, "due in the midst of a jump, done a second after it");
        assert_eq!(seconds(130, 223), 3, "two jumps");
        assert_eq!(seconds(300, 310), 10, "after all jumps");
        assert_eq!(seconds(160, 160), 0);
    }

    #[test]
    fn quantiles_are_of_what_is_there() {
        let waits = Waits::of((1..=200).map(SignedDuration::from_millis));
        assert_eq!((waits.percentile_ms(50), waits.percentile_ms(99), waits.percentile_ms(100), waits.count()), (100, 198, 200, 200));
        assert_eq!(Waits::default().percentile_ms(99), 0);
    }
}
