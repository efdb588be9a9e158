//! Evaluation in memory, and the reasons for what came of it.

use std::cmp::Ordering;

use jiff::civil::Date;
use steward_proto::common::v1 as pb;

use super::compiled::{Bound, Comparison, Compiled, Node, Operands, Test, days_back};
use super::fact::{Fact, FactType, Facts};

/// What a comparison or a predicate comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// A fact that it needs is not recorded.
    Unknown,
}

impl Truth {
    /// As SQL says it.
    pub fn of(truth: Option<bool>) -> Self {
        match truth {
            Some(true) => Self::True,
            Some(false) => Self::False,
            None => Self::Unknown,
        }
    }

    /// As the contract says it.
    pub fn wire(self) -> pb::Truth {
        match self {
            Self::True => pb::Truth::True,
            Self::False => pb::Truth::False,
            Self::Unknown => pb::Truth::Unknown,
        }
    }

    fn negated(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// One comparison as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What came of it.
    pub truth: Truth,
    /// The fact, as reasons may show it.
    pub fact: String,
}

/// A comparison that decided the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Where it stands.
    pub path: String,
    /// Name of the field.
    pub field: String,
    /// How it was compared.
    pub operator: pb::Operator,
    /// What came of it.
    pub truth: Truth,
    /// The fact, as reasons may show it: empty when not recorded, `recorded` when personal.
    pub fact: String,
}

impl Reason {
    /// As the contract says it.
    pub fn wire(&self) -> pb::ConditionFinding {
        pb::ConditionFinding {
            path: self.path.clone(),
            field: self.field.clone(),
            operator: self.operator.into(),
            truth: self.truth.wire().into(),
            fact: self.fact.clone(),
        }
    }
}

/// What came of a predicate, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What came of it.
    pub truth: Truth,
    /// The comparisons that decided it: all that held of an `all_of` that holds, those that did not of one that fails.
    pub reasons: Vec<Reason>,
}

impl Finding {
    /// Whether it holds; unknown does not.
    pub fn holds(&self) -> bool {
        self.truth == Truth::True
    }

    /// The reasons as the contract says them.
    pub fn wire(&self) -> Vec<pb::ConditionFinding> {
        self.reasons.iter().map(Reason::wire).collect()
    }
}

impl Compiled {
    /// Evaluates it over facts; spans count back from `as_of`.
    pub fn evaluate(&self, facts: &impl Facts, as_of: Date) -> Finding {
        self.explain(&mut |test| test.seen(facts.fact(&test.field.name), as_of))
    }

    /// Combines what was seen elsewhere, comparison by comparison, in the order of [`Compiled::tests`].
    pub fn combine(&self, seen: &[Seen]) -> Finding {
        let mut next = seen.iter();
        let unknown = Seen { truth: Truth::Unknown, fact: String::new() };
        self.explain(&mut |_| next.next().unwrap_or(&unknown).clone())
    }

    fn explain(&self, look: &mut impl FnMut(&Test) -> Seen) -> Finding {
        let (truth, reasons) = self.root.weigh(look);
        Finding { truth, reasons }
    }
}

impl Node {
    /// The truth of the node and the comparisons that decided it. Every comparison is looked at, in order: what decided a
    /// verdict is told whole, not up to the first.
    fn weigh(&self, look: &mut impl FnMut(&Test) -> Seen) -> (Truth, Vec<Reason>) {
        match self {
            Self::All(parts) => weigh_all(parts, look, Truth::False, Truth::True),
            Self::Any(parts) => weigh_all(parts, look, Truth::True, Truth::False),
            Self::Not(part) => {
                let (truth, reasons) = part.weigh(look);
                (truth.negated(), reasons)
            }
            Self::Test(test) => {
                let seen = look(test);
                let reason = Reason {
                    path: test.path.clone(),
                    field: test.field.name.clone().into_owned(),
                    operator: test.operator,
                    truth: seen.truth,
                    fact: seen.fact,
                };
                (seen.truth, vec![reason])
            }
        }
    }
}

/// One `deciding` part decides; else one unknown makes it unknown; else it is `otherwise`.
fn weigh_all(parts: &[Node], look: &mut impl FnMut(&Test) -> Seen, deciding: Truth, otherwise: Truth) -> (Truth, Vec<Reason>) {
    let weighed: Vec<_> = parts.iter().map(|part| part.weigh(look)).collect();
    let truth = if weighed.iter().any(|(truth, _)| *truth == deciding) {
        deciding
    } else if weighed.iter().any(|(truth, _)| *truth == Truth::Unknown) {
        Truth::Unknown
    } else {
        otherwise
    };
    (truth, weighed.into_iter().filter(|(part, _)| *part == truth).flat_map(|(_, reasons)| reasons).collect())
}

impl Test {
    /// The fact as reasons may show it.
    pub fn shown(&self, fact: Option<&Fact>) -> String {
        match fact {
            None => String::new(),
            Some(Fact::Codes(codes)) if codes.is_empty() => String::new(),
            Some(_) if self.field.is_personal => "recorded".to_owned(),
            Some(fact) => fact.to_string(),
        }
    }

    /// What comes of the comparison for a fact.
    pub fn seen(&self, fact: Option<Fact>, as_of: Date) -> Seen {
        Seen { truth: Truth::of(self.comparison.compare(&self.field.fact_type, fact.as_ref(), as_of)), fact: self.shown(fact.as_ref()) }
    }
}

impl Comparison {
    fn compare(&self, fact_type: &FactType, fact: Option<&Fact>, as_of: Date) -> Option<bool> {
        let empty = Fact::Codes(Vec::new());
        // A list is never missing.
        let fact = if *fact_type == FactType::Codes { Some(fact.unwrap_or(&empty)) } else { fact };
        match self {
            Self::Exists => Some(fact.is_some_and(|fact| !is_empty(fact))),
            Self::Missing => Some(fact.is_none_or(is_empty)),
            Self::AnyOf(values) => values.contain(fact?),
            Self::NoneOf(values) => values.contain(fact?).map(|is_one| !is_one),
            Self::AtLeast(bound) => bound.order(fact?).map(Ordering::is_ge),
            Self::AtMost(bound) => bound.order(fact?).map(Ordering::is_le),
            Self::Between(low, high) => Some(low.order(fact?)?.is_ge() && high.order(fact?)?.is_le()),
            Self::HasAny(values) => list(fact?).map(|codes| values.iter().any(|value| codes.contains(value))),
            Self::HasAll(values) => list(fact?).map(|codes| values.iter().all(|value| codes.contains(value))),
            Self::WithinLast(span) => date(fact?).map(|date| date >= days_back(as_of, span) && date <= as_of),
            Self::BeforeLast(span) => date(fact?).map(|date| date < days_back(as_of, span)),
        }
    }
}

fn is_empty(fact: &Fact) -> bool {
    list(fact).is_some_and(<[String]>::is_empty)
}

fn list(fact: &Fact) -> Option<&[String]> {
    if let Fact::Codes(codes) = fact { Some(codes) } else { None }
}

fn date(fact: &Fact) -> Option<Date> {
    if let Fact::Date(date) = fact { Some(*date) } else { None }
}

impl Operands {
    /// A fact of another type is as good as none: the catalogue and whoever brings facts disagree.
    fn contain(&self, fact: &Fact) -> Option<bool> {
        match (self, fact) {
            (Self::Codes(values), Fact::Code(code)) => Some(values.contains(code)),
            (Self::Integers(values), Fact::Integer(number)) => Some(values.contains(number)),
            (Self::Decimals(values), Fact::Decimal(number)) => Some(values.contains(number)),
            (Self::Booleans(values), Fact::Boolean(truth)) => Some(values.contains(truth)),
            (Self::Dates(values), Fact::Date(date)) => Some(values.contains(date)),
            (Self::Codes(_) | Self::Integers(_) | Self::Decimals(_) | Self::Booleans(_) | Self::Dates(_), _) => None,
        }
    }
}

impl Bound {
    /// How a fact stands to it.
    fn order(&self, fact: &Fact) -> Option<Ordering> {
        match (self, fact) {
            (Self::Integer(bound), Fact::Integer(number)) => Some(number.cmp(bound)),
            (Self::Decimal(bound), Fact::Decimal(number)) => number.partial_cmp(bound),
            (Self::Date(bound), Fact::Date(date)) => Some(date.cmp(bound)),
            (Self::Integer(_) | Self::Decimal(_) | Self::Date(_), _) => None,
        }
    }
}
