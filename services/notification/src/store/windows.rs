//! Lists of tables by month: read from the newest month back, only as far as a page needs.

use jiff::{SignedDuration, Timestamp};

/// The first stretch that is looked at; each further one is four times as long.
const FIRST: SignedDuration = SignedDuration::from_hours(24 * 32);

/// Nothing is older.
const BEGINNING: Timestamp = Timestamp::constant(1_577_836_800, 0);

/// Rows may be a little newer than our own clock: another replica wrote them.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// Stretches of time `from..to`, newest first, without gaps, back to the beginning.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    to: Timestamp,
    length: SignedDuration,
}

impl Windows {
    /// From `now` back, or from the last row of the page before.
    pub(crate) fn back_from(now: Timestamp, last: Option<Timestamp>) -> Self {
        // The last row's own instant is part of it: others may share it.
        let to = match last {
            Some(last) => last.saturating_add(SignedDuration::from_millis(1)),
            None => now.saturating_add(AHEAD),
        };
        Self { to: to.unwrap_or(Timestamp::MAX), length: FIRST }
    }
}

impl Iterator for Windows {
    type Item = (Timestamp, Timestamp);

    fn next(&mut self) -> Option<Self::Item> {
        if self.to <= BEGINNING {
            return None;
        }
        let to = self.to;
        self.to = to.saturating_sub(self.length).unwrap_or(BEGINNING).max(BEGINNING);
        self.length = self.length.saturating_mul(4);
        Some((self.to, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_meet_and_reach_the_beginning() {
        let now: Timestamp = "2036-03-01T00:00:00Z".parse().unwrap();
        let all: Vec<_> = Windows::back_from(now, None).collect();
        assert!(all.len() < 6, "{}", all.len());
        assert!(all.windows(2).all(|pair| pair[0].0 == pair[1].1));
        assert_eq!(all.last().unwrap().0, BEGINNING);
    }
}
