use steward_proto::common::v1 as pb;
use steward_proto::common::v1::Operator;
use steward_proto::common::v1::value::Kind;

use crate::error::Violations;
use crate::predicate::{Catalogue, Compiled, MAX_CONDITIONS, MAX_DEPTH, ask};

fn faults(predicate: &pb::Predicate) -> Vec<(String, &'static str)> {
    let mut bad = Violations::new();
    let compiled = Compiled::of(predicate, Catalogue::household(), "p", &mut bad);
    assert_eq!(compiled.is_none(), !bad.is_empty(), "{bad}");
    bad.iter().map(|fault| (fault.field.clone(), fault.reason)).collect()
}

fn fault(predicate: &pb::Predicate) -> (String, &'static str) {
    faults(predicate).pop().expect("a fault")
}

#[test]
fn every_fault_is_told_at_its_place() {
    let predicate = ask::all([
        ask::equals("household.ocupancy", ["occupied"]),
        ask::any([ask::at_least("household.occupancy", 3), ask::not(ask::at_least("customer.age", 60))]),
        ask::not(ask::equals("household.occupancy", ["occupied", "let"])),
        ask::condition("customer.age", Operator::AtLeast, [Kind::Text("old".into())]),
        ask::condition("customer.age", Operator::Between, [Kind::Integer(1)]),
        ask::between("customer.age", 36, 25),
        ask::equals("household.occupancy", []),
        ask::all([]),
        ask::condition("household.occupancy", Operator::Missing, [Kind::Boolean(true)]),
        ask::condition("household.delivered_date", Operator::Equals, [Kind::Date("2026-02-30".into())]),
        ask::condition("unit.area_square_metres", Operator::AtLeast, [Kind::Decimal(f64::NAN)]),
        pb::Predicate { kind: None },
    ]);
    let at = |place: &str| format!("p.all_of.predicates{place}");
    assert_eq!(
        faults(&predicate),
        [
            (at("[0].condition.field"), "PREDICATE_FIELD_UNKNOWN"),
            (at("[1].any_of.predicates[0].condition.operator"), "PREDICATE_OPERATOR_NOT_ALLOWED"),
            (at("[2].not.condition.values[1]"), "PREDICATE_CODE_UNKNOWN"),
            (at("[3].condition.values[0]"), "PREDICATE_VALUE_TYPE"),
            (at("[4].condition.values"), "PREDICATE_VALUE_COUNT"),
            (at("[5].condition.values"), "PREDICATE_RANGE_REVERSED"),
            (at("[6].condition.values"), "PREDICATE_VALUE_COUNT"),
            (at("[7].all_of.predicates"), "PREDICATE_EMPTY"),
            (at("[8].condition.values"), "PREDICATE_VALUE_COUNT"),
            (at("[9].condition.values[0]"), "PREDICATE_VALUE_TYPE"),
            (at("[10].condition.values[0]"), "PREDICATE_VALUE_TYPE"),
            (at("[11].kind"), "required"),
        ]
    );
}

/// P-5
#[test]
fn a_span_needs_its_calendar_and_a_unit_that_days_are_made_of() {
    let with = |unit: pb::Unit, calendar: &str| {
        let span = pb::Span { value: 3, unit: unit.into(), calendar: calendar.into() };
        ask::condition("household.delivered_date", Operator::WithinLast, [Kind::Span(span)])
    };
    let at = |place: &str| (format!("p.condition.values[0]{place}"), "PREDICATE_SPAN_INVALID");
    assert_eq!(fault(&with(pb::Unit::Month, "")), at(".span.calendar"));
    assert_eq!(fault(&with(pb::Unit::WorkingDay, "working")), at(".span.unit"));
    assert_eq!(fault(&with(pb::Unit::Month, "24x7")), at(".span"));
    assert_eq!(faults(&with(pb::Unit::Month, "civil")), []);
    let not_a_span = ask::condition("household.delivered_date", Operator::WithinLast, [Kind::Integer(3)]);
    assert_eq!(fault(&not_a_span), ("p.condition.values[0]".to_owned(), "PREDICATE_VALUE_TYPE"));
}

#[test]
fn depth_and_size_have_limits() {
    let nested = |levels: usize| (1..levels).fold(ask::missing("tag"), |inner, _| ask::not(inner));
    assert_eq!(faults(&nested(MAX_DEPTH)), []);
    assert_eq!(fault(&nested(MAX_DEPTH + 1)).1, "PREDICATE_TOO_DEEP");
    let wide = |count: usize| ask::any((0..count).map(|_| ask::missing("tag")));
    assert_eq!(faults(&wide(MAX_CONDITIONS)), []);
    assert_eq!(faults(&wide(MAX_CONDITIONS + 1)), [("p".to_owned(), "PREDICATE_TOO_LARGE")]);
}

/// CP-06
#[test]
fn service_counters_are_a_family_of_fields() {
    assert_eq!(faults(&ask::at_least("service.parcel_use_30d", 1)), []);
    for wrong in ["service.parcel_use_31d", "service.Parcel_use_30d", "service._use_30d", "service.parcel"] {
        assert_eq!(fault(&ask::at_least(wrong, 1)).1, "PREDICATE_FIELD_UNKNOWN", "{wrong}");
    }
}

#[test]
fn every_field_has_both_names_and_the_journey_has_eight_steps() {
    for field in Catalogue::household().fields() {
        assert!(!field.zh.is_empty() && !field.en.is_empty(), "{}", field.name);
    }
    assert_eq!((crate::predicate::JOURNEY_STAGES.len(), crate::predicate::JOURNEY_NODES.len()), (8, 8));
}
