//! A predicate whose facts two sides keep, in the parts that each can answer.

use steward_proto::common::v1 as pb;
use steward_proto::common::v1::predicate::Kind;

use super::ask::all;

/// A predicate in two parts: it holds if both do; `None` holds always.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sides {
    /// What asks fields of the first side.
    pub first: Option<pb::Predicate>,
    /// What asks the others.
    pub second: Option<pb::Predicate>,
}

/// Takes a predicate apart by who keeps the facts: what stands side by side under `all_of` goes to the side that can answer it.
///
/// # Errors
/// Both sides stand below one `any_of` or `not`, which neither can answer alone: its place under `path`.
pub fn split(predicate: &pb::Predicate, path: &str, is_first: &impl Fn(&str) -> bool) -> Result<Sides, String> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    sort(predicate, path, is_first, &mut first, &mut second)?;
    Ok(Sides { first: joined(first), second: joined(second) })
}

fn sort(
    predicate: &pb::Predicate,
    path: &str,
    is_first: &impl Fn(&str) -> bool,
    first: &mut Vec<pb::Predicate>,
    second: &mut Vec<pb::Predicate>,
) -> Result<(), String> {
    if let Some(Kind::AllOf(parts)) = &predicate.kind {
        for (at, part) in parts.predicates.iter().enumerate() {
            sort(part, &format!("{path}.all_of.predicates[{at}]"), is_first, first, second)?;
        }
        return Ok(());
    }
    let mut sides = (false, false);
    sides_of(predicate, is_first, &mut sides);
    match sides {
        (true, true) => return Err(path.to_owned()),
        (true, false) => first.push(predicate.clone()),
        (false, _) => second.push(predicate.clone()),
    }
    Ok(())
}

/// Which sides a predicate asks.
fn sides_of(predicate: &pb::Predicate, is_first: &impl Fn(&str) -> bool, sides: &mut (bool, bool)) {
    match &predicate.kind {
        None => {}
        Some(Kind::AllOf(parts)) => parts.predicates.iter().for_each(|part| sides_of(part, is_first, sides)),
        Some(Kind::AnyOf(parts)) => parts.predicates.iter().for_each(|part| sides_of(part, is_first, sides)),
        Some(Kind::Not(part)) => sides_of(part, is_first, sides),
        Some(Kind::Condition(condition)) if is_first(&condition.field) => sides.0 = true,
        Some(Kind::Condition(_)) => sides.1 = true,
    }
}

fn joined(mut parts: Vec<pb::Predicate>) -> Option<pb::Predicate> {
    if parts.len() > 1 { Some(all(parts)) } else { parts.pop() }
}
