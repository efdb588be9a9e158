//! Short ways to write a predicate in code: for defaults, jobs and tests.

use steward_proto::common::v1 as pb;
use steward_proto::common::v1::Operator;
use steward_proto::common::v1::predicate::Kind;
use steward_proto::common::v1::value;

/// Every one of these.
pub fn all(parts: impl IntoIterator<Item = pb::Predicate>) -> pb::Predicate {
    Kind::AllOf(pb::AllOf { predicates: parts.into_iter().collect() }).into_predicate()
}

/// At least one of these.
pub fn any(parts: impl IntoIterator<Item = pb::Predicate>) -> pb::Predicate {
    Kind::AnyOf(pb::AnyOf { predicates: parts.into_iter().collect() }).into_predicate()
}

/// Not this.
pub fn not(part: pb::Predicate) -> pb::Predicate {
    Kind::Not(Box::new(part)).into_predicate()
}

/// One comparison.
pub fn condition(field: &str, operator: Operator, values: impl IntoIterator<Item = value::Kind>) -> pb::Predicate {
    let values = values.into_iter().map(|kind| pb::Value { kind: Some(kind) }).collect();
    Kind::Condition(pb::Condition { field: field.to_owned(), operator: operator.into(), values }).into_predicate()
}

/// The code is one of these.
pub fn equals<'a>(field: &str, codes: impl IntoIterator<Item = &'a str>) -> pb::Predicate {
    condition(field, Operator::Equals, codes.into_iter().map(text))
}

/// The truth value is true.
pub fn is_true(field: &str) -> pb::Predicate {
    condition(field, Operator::Equals, [value::Kind::Boolean(true)])
}

/// The list has one of these.
pub fn has_any<'a>(field: &str, codes: impl IntoIterator<Item = &'a str>) -> pb::Predicate {
    condition(field, Operator::HasAny, codes.into_iter().map(text))
}

/// The number is this or more.
pub fn at_least(field: &str, number: i64) -> pb::Predicate {
    condition(field, Operator::AtLeast, [value::Kind::Integer(number)])
}

/// The number lies between these.
pub fn between(field: &str, low: i64, high: i64) -> pb::Predicate {
    condition(field, Operator::Between, [low, high].map(value::Kind::Integer))
}

/// The fact is not recorded.
pub fn missing(field: &str) -> pb::Predicate {
    condition(field, Operator::Missing, [])
}

/// The date lies within the last `count` units of the civil calendar.
pub fn within_last(field: &str, count: u32, unit: pb::Unit) -> pb::Predicate {
    condition(field, Operator::WithinLast, [span(count, unit)])
}

/// The date lies before the last `count` units of the civil calendar.
pub fn before_last(field: &str, count: u32, unit: pb::Unit) -> pb::Predicate {
    condition(field, Operator::BeforeLast, [span(count, unit)])
}

fn text(code: &str) -> value::Kind {
    value::Kind::Text(code.to_owned())
}

fn span(count: u32, unit: pb::Unit) -> value::Kind {
    value::Kind::Span(pb::Span { value: count, unit: unit.into(), calendar: "civil".to_owned() })
}

trait IntoPredicate {
    fn into_predicate(self) -> pb::Predicate;
}

impl IntoPredicate for Kind {
    fn into_predicate(self) -> pb::Predicate {
        pb::Predicate { kind: Some(self) }
    }
}
