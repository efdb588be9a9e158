//! The care fund of an estate (CA-81): amounts lie outside, available, committed or spent; an entry moves one from a place to another.

use jiff::Timestamp;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::base::precondition;
use super::community_codes::{FundEntryKind as Kind, FundPlace as Place};

/// The largest amount of one entry: sums of a lifetime of them stay far below what a bigint holds.
const MOST_CENTS: i64 = 1_000_000_000_000;

/// What lies where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Free, in cents.
    pub available: i64,
    /// Committed, in cents.
    pub committed: i64,
    /// Spent, in cents.
    pub spent: i64,
}

/// A fund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fund {
    /// Its estate.
    pub estate_id: EstateId,
    /// Currency.
    pub currency: String,
    /// What lies where.
    pub balance: Balance,
    /// Entries.
    pub entry_count: i64,
    /// When the last was posted.
    pub update_time: Timestamp,
}

/// Money set aside for a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// Its id.
    pub id: Uuid,
    /// Its estate.
    pub estate_id: EstateId,
    /// Project.
    pub project_code: String,
    /// Title of the project.
    pub title: String,
    /// Use.
    pub use_code: String,
    /// Neither spent nor released, in cents.
    pub remaining: i64,
    /// Spent, in cents.
    pub spent: i64,
    /// When it was made.
    pub create_time: Timestamp,
}

/// What is to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Kind.
    pub kind: Kind,
    /// Where the amount is.
    pub from: Place,
    /// Where it goes.
    pub to: Place,
    /// The amount, in cents.
    pub amount: i64,
    /// Commitment.
    pub commitment: Option<Uuid>,
    /// The entry that it undoes.
    pub reversed: Option<Uuid>,
    /// Voucher.
    pub reference: String,
    /// Why.
    pub reason: String,
}

/// A posted entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// Its estate.
    pub estate_id: EstateId,
    /// Its number in the fund.
    pub number: i64,
    /// What was posted.
    pub posting: Posting,
    /// Currency.
    pub currency: String,
    /// Who posted it.
    pub actor_subject: String,
    /// How the fund stood after it.
    pub after: Balance,
    /// When.
    pub post_time: Timestamp,
}

impl Posting {
    /// One of a kind that is no counter entry.
    pub fn new(kind: Kind, amount: i64, reference: String, reason: String) -> Result<Self> {
        let (from, to) = match kind {
            Kind::Deposit => (Place::Outside, Place::Available),
            Kind::Commitment => (Place::Available, Place::Committed),
            Kind::Spending => (Place::Committed, Place::Spent),
            Kind::Release => (Place::Committed, Place::Available),
            Kind::Reversal => return Err(Error::bug("a counter entry without the entry that it undoes")),
        };
        if amount > MOST_CENTS {
            return Err(Error::invalid("amount_cents", "int64.lte", format!("must be at most {MOST_CENTS}")));
        }
        Ok(Self { kind, from, to, amount, commitment: None, reversed: None, reference, reason })
    }

    /// The same of a commitment.
    #[must_use]
    pub fn of(self, commitment: Uuid) -> Self {
        Self { commitment: Some(commitment), ..self }
    }

    /// What it adds to a place, in cents.
    pub fn change(&self, place: Place) -> i64 {
        let comes = if self.to == place { self.amount } else { 0 };
        let goes = if self.from == place { self.amount } else { 0 };
        comes - goes
    }
}

impl Entry {
    /// The counter entry.
    pub fn reversal(&self, reason: &str) -> Result<Posting> {
        if self.posting.kind == Kind::Reversal {
            return precondition("ENTRY_REVERSED", format!("fund entry {}", self.id), "a counter entry is not undone; post the entry anew");
        }
        Ok(Posting {
            kind: Kind::Reversal,
            from: self.posting.to,
            to: self.posting.from,
            reversed: Some(self.id),
            reference: String::new(),
            reason: reason.to_owned(),
            ..self.posting.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Double entry: whatever one place gains another loses, and a counter entry takes back exactly what the entry did.
    #[test]
    fn every_entry_moves_and_its_counter_entry_moves_back() {
        let places = Place::ALL;
        for kind in [Kind::Deposit, Kind::Commitment, Kind::Spending, Kind::Release] {
            let posting = Posting::new(kind, 700, String::new(), String::new()).expect("is one");
            let changes: Vec<i64> = places.iter().map(|place| posting.change(*place)).collect();
            assert_eq!((changes.iter().sum::<i64>(), changes.iter().map(|one| one.abs()).sum::<i64>()), (0, 1400), "{kind}");
            let entry = Entry {
                id: Uuid::nil(),
                estate_id: EstateId::from(Uuid::nil()),
                number: 1,
                posting,
                currency: "CNY".to_owned(),
                actor_subject: String::new(),
                after: Balance::default(),
                post_time: Timestamp::UNIX_EPOCH,
            };
            let back = entry.reversal("wrong").expect("is undone");
            let backwards: Vec<i64> = places.iter().map(|place| -back.change(*place)).collect();
            assert_eq!(backwards, changes, "{kind}");
            assert!(Entry { posting: back, ..entry }.reversal("again").is_err());
        }
    }
}
