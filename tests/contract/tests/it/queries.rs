//! Every checked query of the suite, read from `.sqlx`: rows of an estate are only touched within a scope.

use std::{fs, path::Path};

use serde_json::Value;

/// How a query shows that it stays within its caller's scope, or that it may do without.
///
/// - it filters by estate: `estate_id = ANY(…)`, `estate_id = $n`, `estate_id = s.estate_id` where `s` is a list of estates
///   that is handed in, or estates by their id;
/// - it asks one of customer's visibility functions, which take the scope;
/// - it says why it need not: a comment `-- unscoped: <reason>`.
const SHOWN_BY: [&str; 9] = [
    "estate_id = ANY",
    "estate_id = $",
    "estate_id = s.estate_id",
    "IS NULL OR id = ANY",
    "customer.estates WHERE id = ANY",
    "visible_customers(",
    "visible_units(",
    "visible_tenures(",
    "-- unscoped:",
];

fn flat(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_scoped(sql: &str) -> bool {
    SHOWN_BY.iter().any(|sign| flat(sql).contains(sign))
}

/// Whether it looks at or changes rows that are there. Inserting new ones, whose estate is among the values, does not.
fn touches_rows(sql: &str) -> bool {
    let words = flat(sql);
    let schemas = ["customer.", "work_order.", "notification.", "survey.", "care."];
    ["FROM ", "JOIN ", "UPDATE ", "USING "].iter().any(|verb| {
        words.split(verb).skip(1).any(|rest| {
            let name = rest.split([' ', ')']).next().unwrap_or_default();
            schemas.iter().any(|schema| name.starts_with(schema)) && !name.contains('(')
        })
    })
}

fn queries() -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.sqlx");
    let entries = fs::read_dir(&dir).expect("`.sqlx` is committed; `cargo dev prepare` makes it");
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|ext| ext == "json"))
        .map(|entry| {
            let text = fs::read_to_string(entry.path()).expect("a readable file");
            let value: Value = serde_json::from_str(&text).expect("JSON");
            (entry.file_name().to_string_lossy().into_owned(), value["query"].as_str().unwrap_or_default().to_owned())
        })
        .collect()
}

/// XC-30, GR-24
#[test]
fn every_query_carries_its_scope() {
    let queries = queries();
    assert!(queries.len() > 20, "the walk found only {} queries", queries.len());
    let unscoped: Vec<String> = queries
        .iter()
        .filter(|(_, sql)| touches_rows(sql) && !is_scoped(sql))
        .map(|(file, sql)| format!("{file}: {}", flat(sql).chars().take(160).collect::<String>()))
        .collect();
    assert!(unscoped.is_empty(), "without a scope and without `-- unscoped: why`:\n{}", unscoped.join("\n"));
}

#[test]
fn no_query_asks_the_database_for_business_time_or_leaves_its_schema_open() {
    let wrong: Vec<String> = queries()
        .into_iter()
        .filter(|(_, sql)| {
            let lower = sql.to_lowercase();
            lower.contains("now()") || lower.contains("current_timestamp") || lower.contains("search_path")
        })
        .map(|(file, _)| file)
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}
