//! What a figure is made of before it is made: numbers that add up over estates. A figure of many estates is made of the sum of
//! their tallies, and is the same as if all their rows had been counted together.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use uuid::Uuid;

/// The numbers of one figure, in the order of the counts that they come from.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Tally {
    /// What adds up.
    #[prost(sint64, repeated, tag = "1")]
    pub numbers: Vec<i64>,
    /// Values of single rows, where a rank among them is shown, or where they are told apart over estates: neither adds up.
    #[prost(sint64, repeated, tag = "2")]
    pub samples: Vec<i64>,
    /// Ids of what counts once, in however many estates it is; ascending.
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub members: Vec<Vec<u8>>,
    /// Those of the members that count above the line too; ascending.
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub counted: Vec<Vec<u8>>,
    /// Numbers by key, for what is told apart by more than a figure shows; ascending by key, each key once.
    #[prost(message, repeated, tag = "5")]
    pub cells: Vec<Cell>,
}

/// A number by its key.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Cell {
    /// Whatever the owner of the figure tells cells apart by.
    #[prost(string, tag = "1")]
    pub key: String,
    /// What adds up.
    #[prost(sint64, tag = "2")]
    pub number: i64,
}

/// Tallies as they are kept.
#[derive(Clone, PartialEq, Message)]
struct Kept {
    #[prost(message, repeated, tag = "1")]
    tallies: Vec<Tally>,
}

impl Tally {
    /// These numbers.
    pub fn of(numbers: impl Into<Vec<i64>>) -> Self {
        Self { numbers: numbers.into(), ..Self::default() }
    }

    /// With the values of single rows.
    #[must_use]
    pub fn with_samples(self, samples: Vec<i64>) -> Self {
        Self { samples, ..self }
    }

    /// With what counts once, in however many estates it is.
    #[must_use]
    pub fn with_members(self, members: BTreeSet<Uuid>) -> Self {
        Self { members: members.into_iter().map(|id| id.as_bytes().to_vec()).collect(), ..self }
    }

    /// With what counts once above the line too: some of the members.
    #[must_use]
    pub fn with_counted(self, counted: BTreeSet<Uuid>) -> Self {
        Self { counted: counted.into_iter().map(|id| id.as_bytes().to_vec()).collect(), ..self }
    }

    /// With numbers by key.
    #[must_use]
    pub fn with_cells(self, cells: BTreeMap<String, i64>) -> Self {
        Self { cells: cells.into_iter().map(|(key, number)| Cell { key, number }).collect(), ..self }
    }

    /// The sum of tallies.
    pub fn sum<'a>(tallies: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        let mut cells: BTreeMap<&str, i64> = BTreeMap::new();
        for one in tallies {
            for cell in &one.cells {
                let number = cells.entry(&cell.key).or_default();
                *number = number.saturating_add(cell.number);
            }
            sum.each(one, i64::saturating_add);
            sum.samples.extend_from_slice(&one.samples);
            sum.members.extend_from_slice(&one.members);
            sum.counted.extend_from_slice(&one.counted);
        }
        for ids in [&mut sum.members, &mut sum.counted] {
            ids.sort_unstable();
            ids.dedup();
        }
        sum.cells = cells.into_iter().map(|(key, number)| Cell { key: key.to_owned(), number }).collect();
        sum
    }

    /// Adds the tally of other rows of the same estate.
    pub fn add(&mut self, other: &Self) {
        *self = Self::sum([&*self, other]);
    }

    /// Takes the numbers of some of its rows away.
    pub fn take(&mut self, some: &Self) {
        self.each(some, i64::saturating_sub);
    }

    fn each(&mut self, other: &Self, with: fn(i64, i64) -> i64) {
        if self.numbers.len() < other.numbers.len() {
            self.numbers.resize(other.numbers.len(), 0);
        }
        for (number, other) in self.numbers.iter_mut().zip(&other.numbers) {
            *number = with(*number, *other);
        }
    }

    /// As bytes, to be kept.
    pub fn keep(tallies: Vec<Self>) -> Vec<u8> {
        Kept { tallies }.encode_to_vec()
    }

    /// Out of such bytes; `None` if they are none.
    pub fn kept(bytes: &[u8]) -> Option<Vec<Self>> {
        Kept::decode(bytes).ok().map(|kept| kept.tallies)
    }
}

/// Counts that add up: to a tally and back.
pub trait AddsUp: Sized {
    /// As numbers.
    fn tally(&self) -> Tally;

    /// From numbers; what is not there is 0.
    fn of_tally(tally: &Tally) -> Self;
}

/// Makes a struct of `i64` counts [`AddsUp`]; every field has to be named.
#[macro_export]
macro_rules! adds_up {
    ($counts:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::metric::AddsUp for $counts {
            fn tally(&self) -> $crate::metric::Tally {
                let Self { $($field),+ } = self;
                $crate::metric::Tally::of([$(*$field),+])
            }

            fn of_tally(tally: &$crate::metric::Tally) -> Self {
                let mut numbers = tally.numbers.iter().copied();
                Self { $($field: numbers.next().unwrap_or_default()),+ }
            }
        }
    };
}

/// The rules that rows are counted by, as they are written. Whoever keeps tallies compares them, so that rows are counted anew
/// after a rule has changed.
pub const RULES: &[&str] = &[
    include_str!("callbacks.rs"),
    include_str!("care.rs"),
    include_str!("churn.rs"),
    include_str!("complaints.rs"),
    include_str!("improvement.rs"),
    include_str!("repeat.rs"),
    include_str!("resolution.rs"),
    include_str!("standing.rs"),
    include_str!("timeliness.rs"),
    include_str!("../calendar/due.rs"),
    include_str!("../calendar/grid.rs"),
    include_str!("../calendar/hours.rs"),
    include_str!("../calendar/span.rs"),
    include_str!("../calendar/years.rs"),
];

/// So many out of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShareCounts {
    /// In the numerator.
    pub numerator: i64,
    /// In the denominator.
    pub denominator: i64,
}

adds_up!(ShareCounts { numerator, denominator });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_add_up_and_are_kept_as_they_are() {
        let one = ShareCounts { numerator: 3, denominator: 4 }.tally();
        let somebody = |id| Uuid::from_u128(id);
        let one = one.with_members([somebody(1), somebody(2)].into());
        let other = ShareCounts { numerator: 1, denominator: 1 }.tally().with_samples(vec![7, -1]).with_members([somebody(2)].into());
        let sum = Tally::sum([&one, &other, &Tally::default()]);
        assert_eq!(ShareCounts::of_tally(&sum), ShareCounts { numerator: 4, denominator: 5 });
        assert_eq!((sum.samples.as_slice(), sum.members.len()), ([7, -1].as_slice(), 2), "who is in two estates is one");
        let kept = Tally::keep(vec![one.clone(), sum.clone()]);
        assert_eq!(Tally::kept(&kept), Some(vec![one, sum]));
        assert_eq!(Tally::kept(b"\xff"), None);
    }
}
