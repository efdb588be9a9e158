//! From the message to the checked form: every fault at its place, all at once.

use steward_proto::common::v1 as pb;
use steward_proto::common::v1::Operator;
use steward_proto::common::v1::predicate::Kind;

use super::catalogue::Catalogue;
use super::compiled::{Bound, Comparison, Compiled, Node, Test};
use super::values::Values;
use crate::error::Violations;

/// Deepest nesting: `all_of`, `any_of` and `not` inside each other.
pub const MAX_DEPTH: usize = 8;
/// Most conditions of one predicate.
pub const MAX_CONDITIONS: usize = 64;

impl Compiled {
    /// Checks a predicate that stands in the request at `path`. Faults go to `bad`; `None` if there are any.
    pub fn of(predicate: &pb::Predicate, catalogue: &Catalogue, path: &str, bad: &mut Violations) -> Option<Self> {
        let mut compiler = Compiler { catalogue, bad, conditions: 0, is_too_large: false };
        let root = compiler.node(predicate, path, 1);
        if compiler.is_too_large {
            compiler.bad.add(path, "PREDICATE_TOO_LARGE", format!("must have at most {MAX_CONDITIONS} conditions"));
            return None;
        }
        root.map(|root| Self { root })
    }
}

struct Compiler<'a> {
    catalogue: &'a Catalogue,
    bad: &'a mut Violations,
    conditions: usize,
    is_too_large: bool,
}

impl Compiler<'_> {
    fn node(&mut self, predicate: &pb::Predicate, path: &str, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            self.bad.add(path, "PREDICATE_TOO_DEEP", format!("must be at most {MAX_DEPTH} levels deep"));
            return None;
        }
        match &predicate.kind {
            None => {
                self.bad.add(format!("{path}.kind"), "required", "give one of all_of, any_of, not, condition");
                None
            }
            Some(Kind::AllOf(all)) => self.nodes(&all.predicates, &format!("{path}.all_of"), depth).map(Node::All),
            Some(Kind::AnyOf(any)) => self.nodes(&any.predicates, &format!("{path}.any_of"), depth).map(Node::Any),
            Some(Kind::Not(part)) => Some(Node::Not(Box::new(self.node(part, &format!("{path}.not"), depth + 1)?))),
            Some(Kind::Condition(condition)) => self.test(condition, format!("{path}.condition")).map(Node::Test),
        }
    }

    fn nodes(&mut self, parts: &[pb::Predicate], path: &str, depth: usize) -> Option<Vec<Node>> {
        if parts.is_empty() {
            self.bad.add(format!("{path}.predicates"), "PREDICATE_EMPTY", "must have at least one predicate");
            return None;
        }
        let mut nodes = Vec::with_capacity(parts.len().min(MAX_CONDITIONS));
        for (at, part) in parts.iter().enumerate() {
            // Faults of every part are told; those beyond the limit are not worth reading.
            if self.is_too_large {
                return None;
            }
            nodes.push(self.node(part, &format!("{path}.predicates[{at}]"), depth + 1));
        }
        nodes.into_iter().collect()
    }

    fn test(&mut self, condition: &pb::Condition, path: String) -> Option<Test> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            self.is_too_large = true;
            return None;
        }
        let Some(field) = self.catalogue.get(&condition.field) else {
            let near = self.catalogue.near(&condition.field);
            let text = match near.is_empty() {
                true => "is not a field of the catalogue".to_owned(),
                false => format!("is not a field of the catalogue; of this group there are: {}", near.join(", ")),
            };
            self.bad.add(format!("{path}.field"), "PREDICATE_FIELD_UNKNOWN", text);
            return None;
        };
        let operator = condition.operator();
        if !field.fact_type.operators().contains(&operator) {
            let allowed: Vec<_> = field.fact_type.operators().iter().map(Operator::as_str_name).collect();
            let text = format!("{} allows {}", field.name, allowed.join(", "));
            self.bad.add(format!("{path}.operator"), "PREDICATE_OPERATOR_NOT_ALLOWED", text);
            return None;
        }
        let comparison = comparison(operator, Values { field: &field, path: &path, values: &condition.values, bad: self.bad })?;
        Some(Test { path, field, operator, comparison })
    }
}

fn comparison(operator: Operator, mut values: Values<'_>) -> Option<Comparison> {
    match operator {
        Operator::Unspecified => None,
        Operator::Equals => values.some().then(|| values.operands())?.map(Comparison::AnyOf),
        Operator::NotEquals => values.some().then(|| values.operands())?.map(Comparison::NoneOf),
        Operator::HasAny => values.some().then(|| values.codes())?.map(Comparison::HasAny),
        Operator::HasAll => values.some().then(|| values.codes())?.map(Comparison::HasAll),
        Operator::AtLeast => values.counted(1).then(|| values.bounds())??.pop().map(Comparison::AtLeast),
        Operator::AtMost => values.counted(1).then(|| values.bounds())??.pop().map(Comparison::AtMost),
        Operator::Between => {
            let bounds = values.counted(2).then(|| values.bounds())??;
            let (low, high) = (*bounds.first()?, *bounds.get(1)?);
            if is_reversed(low, high) {
                values.bad.add(format!("{}.values", values.path), "PREDICATE_RANGE_REVERSED", "the first value must not exceed the second");
                return None;
            }
            Some(Comparison::Between(low, high))
        }
        Operator::Exists => values.counted(0).then_some(Comparison::Exists),
        Operator::Missing => values.counted(0).then_some(Comparison::Missing),
        Operator::WithinLast => values.counted(1).then(|| values.span())?.map(Comparison::WithinLast),
        Operator::BeforeLast => values.counted(1).then(|| values.span())?.map(Comparison::BeforeLast),
    }
}

fn is_reversed(low: Bound, high: Bound) -> bool {
    match (low, high) {
        (Bound::Integer(low), Bound::Integer(high)) => low > high,
        (Bound::Decimal(low), Bound::Decimal(high)) => low > high,
        (Bound::Date(low), Bound::Date(high)) => low > high,
        (Bound::Integer(_) | Bound::Decimal(_) | Bound::Date(_), _) => false,
    }
}
