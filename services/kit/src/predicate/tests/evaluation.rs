use jiff::civil::{Date, date};
use steward_proto::common::v1 as pb;
use steward_proto::common::v1::Operator;
use steward_proto::common::v1::value::Kind;

use crate::error::Violations;
use crate::predicate::{Catalogue, Compiled, Fact, Finding, Truth, ask, days_back};

const TODAY: Date = date(2026, 5, 31);

fn facts(field: &str) -> Option<Fact> {
    match field {
        "household.occupancy" => Some(Fact::Code("leased".into())),
        "household.delivered_date" => Some(Fact::Date(date(2026, 2, 28))),
        "household.has_major_complaint" => Some(Fact::Boolean(false)),
        "customer.age" => Some(Fact::Integer(61)),
        "unit.area_square_metres" => Some(Fact::Decimal(89.5)),
        "tag" => Some(Fact::Codes(vec!["elderly".into(), "quiet".into()])),
        _ => None,
    }
}

fn compile(predicate: &pb::Predicate) -> Compiled {
    let mut bad = Violations::new();
    Compiled::of(predicate, Catalogue::household(), "p", &mut bad).unwrap_or_else(|| panic!("{bad}"))
}

fn find(predicate: &pb::Predicate) -> Finding {
    compile(predicate).evaluate(&facts, TODAY)
}

#[test]
fn each_operator_says_what_it_means() {
    let holds = |field: &str, operator: Operator, values: &[Kind]| find(&ask::condition(field, operator, values.to_vec())).truth;
    let text = |code: &str| Kind::Text(code.into());
    use Operator::*;
    let table: [(&str, Operator, Vec<Kind>, Truth); 22] = [
        ("household.occupancy", Equals, vec![text("vacant"), text("leased")], Truth::True),
        ("household.occupancy", NotEquals, vec![text("vacant"), text("leased")], Truth::False),
        ("household.occupancy", Exists, vec![], Truth::True),
        ("customer.tier", Equals, vec![text("premium")], Truth::Unknown),
        ("customer.tier", NotEquals, vec![text("premium")], Truth::Unknown),
        ("customer.tier", Exists, vec![], Truth::False),
        ("customer.tier", Missing, vec![], Truth::True),
        ("customer.age", AtLeast, vec![Kind::Integer(61)], Truth::True),
        ("customer.age", AtMost, vec![Kind::Integer(60)], Truth::False),
        ("customer.age", Between, vec![Kind::Integer(61), Kind::Integer(61)], Truth::True),
        ("unit.area_square_metres", AtLeast, vec![Kind::Decimal(89.5)], Truth::True),
        ("unit.area_square_metres", AtLeast, vec![Kind::Integer(90)], Truth::False),
        ("tag", HasAny, vec![text("loud"), text("quiet")], Truth::True),
        ("tag", HasAll, vec![text("loud"), text("quiet")], Truth::False),
        ("tag", HasAll, vec![text("elderly"), text("quiet")], Truth::True),
        ("tag", Exists, vec![], Truth::True),
        ("household.tag", Missing, vec![], Truth::True),
        ("household.tag", HasAny, vec![text("quiet")], Truth::False),
        ("household.delivered_date", Between, vec![Kind::Date("2026-02-01".into()), Kind::Date("2026-02-28".into())], Truth::True),
        ("household.delivered_date", AtLeast, vec![Kind::Date("2026-03-01".into())], Truth::False),
        ("household.has_major_complaint", Equals, vec![Kind::Boolean(false)], Truth::True),
        ("service.parcel_use_30d", AtLeast, vec![Kind::Integer(0)], Truth::Unknown),
    ];
    for (field, operator, values, truth) in table {
        assert_eq!(holds(field, operator, &values), truth, "{field} {}", operator.as_str_name());
    }
}

/// CA-32
#[test]
fn spans_count_back_to_the_corresponding_day_or_the_months_last() {
    let delivered = |count, unit| {
        (
            find(&ask::within_last("household.delivered_date", count, unit)).holds(),
            find(&ask::before_last("household.delivered_date", count, unit)).holds(),
        )
    };
    assert_eq!(delivered(3, pb::Unit::Month), (true, false), "three months before 31 May is 28 February");
    assert_eq!(delivered(92, pb::Unit::Day), (true, false));
    assert_eq!(delivered(91, pb::Unit::Day), (false, true));
    assert_eq!(delivered(1, pb::Unit::Year), (true, false));
    let span = "3mo".parse().expect("a span");
    assert_eq!(days_back(date(2026, 5, 31), &span), date(2026, 2, 28));
    let ahead = |field: &str| (field == "household.delivered_date").then(|| Fact::Date(date(2026, 6, 1)));
    let recent = compile(&ask::within_last("household.delivered_date", 1, pb::Unit::Year));
    assert!(!recent.evaluate(&ahead, TODAY).holds(), "what lies ahead is not within the last year");
}

#[test]
fn a_missing_fact_is_unknown_until_something_else_decides() {
    let unknown = || ask::equals("customer.tier", ["premium"]);
    let (yes, no) = (|| ask::has_any("tag", ["quiet"]), || ask::has_any("tag", ["loud"]));
    let table = [
        (ask::not(unknown()), Truth::Unknown),
        (ask::all([yes(), unknown()]), Truth::Unknown),
        (ask::all([no(), unknown()]), Truth::False),
        (ask::any([yes(), unknown()]), Truth::True),
        (ask::any([no(), unknown()]), Truth::Unknown),
        (ask::any([unknown(), ask::missing("customer.tier")]), Truth::True),
    ];
    for (predicate, truth) in table {
        assert_eq!(find(&predicate).truth, truth, "{predicate:?}");
        assert_eq!(find(&predicate).holds(), truth == Truth::True);
    }
}

/// CP-22
#[test]
fn reasons_are_the_conditions_that_decided_and_leak_no_personal_value() {
    let elderly = ask::all([
        ask::at_least("customer.age", 60),
        ask::any([ask::has_any("tag", ["loud"]), ask::equals("household.occupancy", ["leased"])]),
    ]);
    let finding = find(&elderly);
    let told: Vec<_> = finding.reasons.iter().map(|r| (r.path.as_str(), r.field.as_str(), r.truth, r.fact.as_str())).collect();
    assert_eq!(
        told,
        [
            ("p.all_of.predicates[0].condition", "customer.age", Truth::True, "recorded"),
            ("p.all_of.predicates[1].any_of.predicates[1].condition", "household.occupancy", Truth::True, "leased"),
        ]
    );
    let young = find(&ask::all([ask::not(elderly), ask::equals("household.occupancy", ["leased"])]));
    assert_eq!(young.truth, Truth::False);
    assert_eq!(young.reasons.len(), 2, "what held inside the `not` is why it fails");
    let silent = find(&ask::equals("customer.tier", ["premium"]));
    assert_eq!((silent.reasons[0].truth, silent.reasons[0].fact.as_str()), (Truth::Unknown, ""));
}

#[test]
fn what_was_seen_elsewhere_is_weighed_the_same() {
    let predicate = ask::any([ask::not(ask::is_true("household.has_major_complaint")), ask::at_least("customer.age", 70)]);
    let compiled = compile(&predicate);
    let seen: Vec<_> = compiled.tests().iter().map(|test| test.seen(facts(&test.field.name), TODAY)).collect();
    assert_eq!(compiled.combine(&seen), compiled.evaluate(&facts, TODAY));
}
