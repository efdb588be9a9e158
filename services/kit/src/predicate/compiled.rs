//! A predicate that was checked: typed, and nothing left that could fail.

use jiff::civil::Date;
use steward_proto::common::v1 as pb;

use super::catalogue::Field;
use crate::calendar::{Span, Unit};

/// A checked predicate.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    pub(super) root: Node,
}

/// A part of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Every one holds; never empty.
    All(Vec<Node>),
    /// At least one holds; never empty.
    Any(Vec<Node>),
    /// It does not hold.
    Not(Box<Node>),
    /// One comparison.
    Test(Test),
}

/// One comparison of one fact.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// Where it stands in the request, such as `predicate.all_of.predicates[0].condition`.
    pub path: String,
    /// The field.
    pub field: Field,
    /// The operator as given.
    pub operator: pb::Operator,
    /// What it is compared with.
    pub comparison: Comparison,
}

/// A comparison in the type of its field.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison {
    /// One of these.
    AnyOf(Operands),
    /// None of these.
    NoneOf(Operands),
    /// This or more.
    AtLeast(Bound),
    /// This or less.
    AtMost(Bound),
    /// From one to the other.
    Between(Bound, Bound),
    /// Recorded; of a list: not empty.
    Exists,
    /// Not recorded; of a list: empty.
    Missing,
    /// The list has one of these.
    HasAny(Vec<String>),
    /// The list has all of these.
    HasAll(Vec<String>),
    /// Not before the as-of date minus the span, and not after the as-of date.
    WithinLast(Span),
    /// Before the as-of date minus the span.
    BeforeLast(Span),
}

/// Values of one type; never empty.
#[derive(Debug, Clone, PartialEq)]
pub enum Operands {
    /// Codes.
    Codes(Vec<String>),
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Decimal numbers, finite.
    Decimals(Vec<f64>),
    /// Truth values.
    Booleans(Vec<bool>),
    /// Dates.
    Dates(Vec<Date>),
}

/// An end of a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// A whole number.
    Integer(i64),
    /// A decimal number, finite.
    Decimal(f64),
    /// A date.
    Date(Date),
}

impl Compiled {
    /// Its root.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Its comparisons, in the order in which they stand.
    pub fn tests(&self) -> Vec<&Test> {
        let mut tests = Vec::new();
        self.root.collect(&mut tests);
        tests
    }
}

impl Node {
    fn collect<'a>(&'a self, tests: &mut Vec<&'a Test>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.collect(tests)),
            Self::Not(part) => part.collect(tests),
            Self::Test(test) => tests.push(test),
        }
    }
}

/// The day a span of the civil calendar before `as_of`: months to the corresponding day or the month's last.
pub fn days_back(as_of: Date, span: &Span) -> Date {
    let count = i64::from(span.value()) * i64::from(span.unit().parts());
    let distance = match span.unit() {
        Unit::Month | Unit::Quarter | Unit::HalfYear | Unit::Year => jiff::Span::new().try_months(count),
        Unit::Second | Unit::Minute | Unit::Hour | Unit::WorkingDay | Unit::Day | Unit::Week => jiff::Span::new().try_days(count),
    };
    // A span is a hundred years at most, so only an as-of date at the beginning of time leaves the range.
    distance.ok().and_then(|distance| as_of.checked_sub(distance).ok()).unwrap_or(Date::MIN)
}
