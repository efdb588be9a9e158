//! Evaluation in SQL is evaluation in memory, for any facts and any predicate.

use jiff::civil::{Date, date};
use jiff_sqlx::ToSqlx;
use proptest::prelude::*;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use sqlx::{AssertSqlSafe, PgPool, Postgres, QueryBuilder, Row};
use steward_harness::TestDatabase;
use steward_kit::error::Violations;
use steward_kit::predicate::{Catalogue, Compiled, Fact, FactType, Facts, Field, Truth, ask};
use steward_kit_store::predicate::{Column, fact_of_json, push};
use steward_proto::common::v1 as pb;
use steward_proto::common::v1::Operator;
use steward_proto::common::v1::value::Kind;

const TODAY: Date = date(2026, 3, 31);

fn catalogue() -> Catalogue {
    Catalogue::new([
        Field::new("a.code", FactType::Code, "码", "code"),
        Field::new("a.count", FactType::Integer, "数", "count"),
        Field::new("a.small", FactType::Integer, "小数", "small count"),
        Field::new("a.area", FactType::Decimal, "面积", "area"),
        Field::new("a.flag", FactType::Boolean, "是否", "flag"),
        Field::new("a.day", FactType::Date, "日", "day"),
        Field::new("a.tags", FactType::Codes, "标签", "tags"),
        Field::new("a.used", FactType::Integer, "次数", "uses"),
    ])
}

fn column(field: &str) -> Option<Column> {
    Some(match field {
        "a.code" => Column::Plain("f.code"),
        "a.count" => Column::Plain("f.count"),
        "a.small" => Column::Plain("f.small"),
        "a.area" => Column::Plain("f.area"),
        "a.flag" => Column::Plain("f.flag"),
        "a.day" => Column::Plain("f.day"),
        "a.tags" => Column::Plain("f.tags"),
        "a.used" => Column::Count { json: "f.uses", key: "parcel".to_owned() },
        _ => return None,
    })
}

struct Household(serde_json::Value);

impl Facts for Household {
    fn fact(&self, field: &str) -> Option<Fact> {
        let fact_type = catalogue().get(field)?.fact_type;
        if field == "a.used" {
            return Some(fact_of_json(fact_type, &self.0["uses"]["parcel"]).unwrap_or(Fact::Integer(0)));
        }
        fact_of_json(fact_type, &self.0[field.trim_start_matches("a.")])
    }
}

async fn table(pool: &PgPool) {
    let sql = "CREATE TABLE public.facts (id bigserial PRIMARY KEY, code text, count bigint, small integer, area double precision,
                   flag boolean, day date, tags text[] NOT NULL, uses jsonb NOT NULL)";
    sqlx::query(sql).execute(pool).await.expect("makes the table");
}

type Row9 = (Option<&'static str>, Option<i64>, Option<i32>, Option<f64>, Option<bool>, Option<Date>, Vec<&'static str>, Option<i64>);

fn some_code() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c'; --", "ü{}\"", "%_"])
}

fn some_day() -> impl Strategy<Value = Date> {
    (0_i64..800).prop_map(|days| date(2024, 9, 1) + jiff::Span::new().days(days))
}

fn some_area() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![-0.0, 0.0, 0.1, 89.5, 120.25, 1e300])
}

fn row() -> impl Strategy<Value = Row9> {
    (
        prop::option::of(some_code()),
        prop::option::of(-3_i64..4),
        prop::option::of(-3_i32..4),
        prop::option::of(some_area()),
        prop::option::of(any::<bool>()),
        prop::option::of(some_day()),
        prop::collection::vec(some_code(), 0..4),
        prop::option::of(0_i64..4),
    )
}

fn text() -> impl Strategy<Value = Vec<Kind>> {
    prop::collection::vec(some_code().prop_map(|code| Kind::Text(code.to_owned())), 1..4)
}

fn span() -> impl Strategy<Value = Kind> {
    let units = vec![pb::Unit::Day, pb::Unit::Week, pb::Unit::Month, pb::Unit::Quarter, pb::Unit::HalfYear, pb::Unit::Year];
    (1_u32..20, prop::sample::select(units))
        .prop_map(|(value, unit)| Kind::Span(pb::Span { value, unit: unit.into(), calendar: "civil".into() }))
}

/// The operators of a field, each with values that fit.
fn test_of(field: &'static str, value: BoxedStrategy<Kind>) -> BoxedStrategy<pb::Predicate> {
    let fact_type = catalogue().get(field).expect("a field").fact_type;
    let operators = fact_type.operators().to_vec();
    (prop::sample::select(operators), prop::collection::vec(value, 2..4), text(), span())
        .prop_map(move |(operator, mut values, texts, span)| {
            let values = match operator {
                Operator::Exists | Operator::Missing | Operator::Unspecified => vec![],
                Operator::AtLeast | Operator::AtMost => values.split_off(values.len() - 1),
                Operator::Between => {
                    values.truncate(2);
                    values.sort_by(|a, b| order(a).total_cmp(&order(b)));
                    values
                }
                Operator::HasAny | Operator::HasAll => texts,
                Operator::WithinLast | Operator::BeforeLast => vec![span],
                Operator::Equals | Operator::NotEquals => values,
            };
            ask::condition(field, operator, values)
        })
        .boxed()
}

#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn order(kind: &Kind) -> f64 {
    match kind {
        Kind::Integer(number) => *number as f64,
        Kind::Decimal(number) => *number,
        Kind::Date(text) => text.replace('-', "").parse().expect("a date"),
        Kind::Text(_) | Kind::Boolean(_) | Kind::Span(_) => 0.0,
    }
}

fn predicate() -> impl Strategy<Value = pb::Predicate> {
    let number = || (-3_i64..4).prop_map(Kind::Integer).boxed();
    let leaf = prop_oneof![
        test_of("a.code", some_code().prop_map(|code| Kind::Text(code.to_owned())).boxed()),
        test_of("a.count", number()),
        test_of("a.small", number()),
        test_of("a.area", some_area().prop_map(Kind::Decimal).boxed()),
        test_of("a.flag", any::<bool>().prop_map(Kind::Boolean).boxed()),
        test_of("a.day", some_day().prop_map(|day| Kind::Date(day.to_string())).boxed()),
        test_of("a.tags", number()),
        test_of("a.used", number()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(ask::all),
            prop::collection::vec(inner.clone(), 1..4).prop_map(ask::any),
            inner.prop_map(ask::not),
        ]
    })
}

async fn fill(pool: &PgPool, runner: &mut TestRunner, rows: usize) {
    for _ in 0..rows {
        let (code, count, small, area, flag, day, tags, used) = row().new_tree(runner).expect("a row").current();
        let uses = used.map_or(serde_json::json!({}), |used| serde_json::json!({ "parcel": used }));
        sqlx::query("INSERT INTO public.facts (code, count, small, area, flag, day, tags, uses) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
            .bind(code)
            .bind(count)
            .bind(small)
            .bind(area)
            .bind(flag)
            .bind(day.map(|day| day.to_sqlx()))
            .bind(tags)
            .bind(uses)
            .execute(pool)
            .await
            .expect("inserts");
    }
}

/// M5: what a list shows is what an evaluation at the moment of acting says.
#[tokio::test]
async fn sql_and_memory_agree_on_random_facts_and_predicates() {
    let database = TestDatabase::new().await.expect("a database");
    let pool = database.superuser().await.expect("a pool");
    table(&pool).await;
    let mut runner = TestRunner::deterministic();
    fill(&pool, &mut runner, 150).await;
    let rows: Vec<(i64, serde_json::Value)> =
        sqlx::query_as("SELECT f.id, to_jsonb(f) FROM public.facts f ORDER BY f.id").fetch_all(&pool).await.expect("reads");
    let mut seen = std::collections::BTreeMap::<&str, u32>::new();
    for _ in 0..400 {
        let wanted = predicate().new_tree(&mut runner).expect("a predicate").current();
        let mut bad = Violations::new();
        let compiled = Compiled::of(&wanted, &catalogue(), "p", &mut bad).unwrap_or_else(|| panic!("{bad}: {wanted:?}"));
        let mut sql = QueryBuilder::<Postgres>::new("SELECT f.id, ");
        push(&mut sql, &compiled, &column, TODAY).expect("every column is known");
        sql.push(" FROM public.facts f ORDER BY f.id");
        let found = sql.build().persistent(false).fetch_all(&pool).await.unwrap_or_else(|error| panic!("{error}: {wanted:?}"));
        for (row, (id, facts)) in found.iter().zip(&rows) {
            assert_eq!(row.get::<i64, _>(0), *id);
            let in_sql = Truth::of(row.get::<Option<bool>, _>(1));
            let in_memory = compiled.evaluate(&Household(facts.clone()), TODAY).truth;
            assert_eq!(in_sql, in_memory, "{wanted:?} over {facts}");
            *seen.entry(in_sql.wire().as_str_name()).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), 3, "each truth came up: {seen:?}");
    assert!(seen.values().all(|count| *count > 1000), "{seen:?}");
}

#[tokio::test]
async fn an_index_serves_a_selective_condition_and_values_are_never_spliced() {
    let database = TestDatabase::new().await.expect("a database");
    let pool = database.superuser().await.expect("a pool");
    table(&pool).await;
    for sql in [
        "INSERT INTO public.facts (code, day, tags, uses) SELECT 'a', '2026-01-01', ARRAY['t' || n % 5000], '{}' FROM generate_series(1, 50000) n",
        "CREATE INDEX facts_tags_idx ON public.facts USING gin (tags)",
        "ANALYZE public.facts",
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&pool).await.expect("prepares");
    }
    let wanted = ask::all([ask::has_any("a.tags", ["t7", "'; DROP TABLE public.facts; --"]), ask::equals("a.code", ["a"])]);
    let mut bad = Violations::new();
    let compiled = Compiled::of(&wanted, &catalogue(), "p", &mut bad).expect("compiles");
    let mut sql = QueryBuilder::<Postgres>::new("EXPLAIN SELECT f.id FROM public.facts f WHERE ");
    push(&mut sql, &compiled, &column, TODAY).expect("every column is known");
    assert_eq!(sql.sql().as_str(), "EXPLAIN SELECT f.id FROM public.facts f WHERE ((f.tags && $1) AND (f.code = ANY ($2)))");
    let plan = sql.build().persistent(false).fetch_all(&pool).await.expect("explains");
    let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    assert!(plan.join("\n").contains("facts_tags_idx"), "{plan:?}");
}
