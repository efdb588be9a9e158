use crate::predicate::{Sides, ask, split};

fn is_event(field: &str) -> bool {
    field.starts_with("event.")
}

/// M5: what stands side by side is answered by whoever keeps the facts, however deep it stands.
#[test]
fn a_conjunction_is_taken_apart_by_who_can_answer() {
    let (event, household) = (ask::is_true("event.reached"), ask::is_true("household.is_renovating"));
    let either = ask::any([ask::equals("event.order.kind", ["A"]), ask::not(ask::missing("event.order.category"))]);
    let tagged = ask::not(ask::has_any("tag", ["quiet"]));
    let whole = ask::all([event.clone(), ask::all([household.clone(), either.clone()]), tagged.clone()]);
    let sides = split(&whole, "when", &is_event).unwrap();
    assert_eq!(sides, Sides { first: Some(ask::all([event.clone(), either])), second: Some(ask::all([household.clone(), tagged])) });
    assert_eq!(split(&event, "when", &is_event).unwrap(), Sides { first: Some(event), second: None });
    assert_eq!(split(&household, "when", &is_event).unwrap(), Sides { first: None, second: Some(household) });
}

/// M5: neither side can answer one `any_of` or `not` of both alone; the place is told.
#[test]
fn an_alternative_of_both_sides_is_refused_where_it_stands() {
    let both = || [ask::is_true("event.reached"), ask::is_true("household.is_renovating")];
    let whole = ask::all([ask::is_true("event.reached"), ask::any(both())]);
    assert_eq!(split(&whole, "when", &is_event), Err("when.all_of.predicates[1]".to_owned()));
    assert_eq!(split(&ask::not(ask::all(both())), "when", &is_event), Err("when".to_owned()));
}
