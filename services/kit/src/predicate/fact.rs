//! Facts, their types, and where an evaluation takes them from.

use std::fmt;

use jiff::civil::Date;
use steward_proto::common::v1 as pb;

/// Types of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FactType {
    /// One code.
    Code,
    /// A whole number.
    Integer,
    /// A decimal number.
    Decimal,
    /// True or false.
    Boolean,
    /// A local date.
    Date,
    /// A list of codes. Never missing; it may be empty.
    Codes,
}

impl FactType {
    /// The operators that make sense for the type.
    pub fn operators(self) -> &'static [pb::Operator] {
        use pb::Operator::{AtLeast, AtMost, BeforeLast, Between, Equals, Exists, HasAll, HasAny, Missing, NotEquals, WithinLast};
        match self {
            Self::Code | Self::Boolean => &[Equals, NotEquals, Exists, Missing],
            Self::Integer | Self::Decimal => &[Equals, NotEquals, AtLeast, AtMost, Between, Exists, Missing],
            Self::Date => &[Equals, NotEquals, AtLeast, AtMost, Between, Exists, Missing, WithinLast, BeforeLast],
            Self::Codes => &[HasAny, HasAll, Exists, Missing],
        }
    }

    /// As the contract says it.
    pub fn wire(self) -> pb::FactType {
        match self {
            Self::Code => pb::FactType::Code,
            Self::Integer => pb::FactType::Integer,
            Self::Decimal => pb::FactType::Decimal,
            Self::Boolean => pb::FactType::Boolean,
            Self::Date => pb::FactType::Date,
            Self::Codes => pb::FactType::Codes,
        }
    }

    /// What a value of it is called in a refusal.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Code | Self::Codes => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Date => "date",
        }
    }
}

/// A fact that is recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// One code.
    Code(String),
    /// A whole number.
    Integer(i64),
    /// A finite decimal number.
    Decimal(f64),
    /// True or false.
    Boolean(bool),
    /// A local date.
    Date(Date),
    /// A list of codes.
    Codes(Vec<String>),
}

/// As reasons show it: lists joined by commas, dates as `YYYY-MM-DD`.
impl fmt::Display for Fact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => out.write_str(code),
            Self::Integer(number) => write!(out, "{number}"),
            Self::Decimal(number) => write!(out, "{number}"),
            Self::Boolean(truth) => write!(out, "{truth}"),
            Self::Date(date) => write!(out, "{date}"),
            Self::Codes(codes) => out.write_str(&codes.join(",")),
        }
    }
}

/// Where an evaluation takes facts from: a row, an event, a map.
pub trait Facts {
    /// The fact of a field of the catalogue; `None` when it is not recorded.
    fn fact(&self, field: &str) -> Option<Fact>;
}

impl<F: Fn(&str) -> Option<Fact>> Facts for F {
    fn fact(&self, field: &str) -> Option<Fact> {
        self(field)
    }
}
