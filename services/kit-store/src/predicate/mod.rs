//! Predicates (M5) as SQL: the checked form of [`steward_kit::predicate`] over the columns of one table.
//!
//! Values are always bound, never spliced; the only text that becomes SQL is what the service's column map says, which is
//! `'static`. NULL stands for a fact that is not recorded, and SQL's own three-valued logic does the rest, so a row is
//! chosen exactly when evaluation in memory says that the predicate holds. Comparisons are plain (`column = ANY ($1)`,
//! `column && $2`), so that ordinary indexes serve them; days that spans count back to are computed before, so they are
//! constants of the query.
//!
//! Statements are built per predicate: run them with `.persistent(false)`, so that they are planned for their values and do
//! not fill the statement cache.

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use sqlx::{Postgres, QueryBuilder};
use steward_kit::predicate::{Bound, Comparison, Compiled, Fact, FactType, Node, Operands, Test, days_back};
use steward_kit::{Error, Result};

/// Where a table keeps a fact. The type of the column is that of the field: text, an integer, double precision, boolean,
/// date, `text[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// A column, such as `f.occupancy`. A list must be NOT NULL.
    Plain(&'static str),
    /// A count in a jsonb column, by key; 0 where there is none.
    Count {
        /// The jsonb column, such as `f.service_use`.
        json: &'static str,
        /// The key.
        key: String,
    },
}

/// Which column keeps which fact.
pub trait Columns {
    /// The column of a field; `None` for a field that the table does not keep.
    fn column(&self, field: &str) -> Option<Column>;
}

impl<F: Fn(&str) -> Option<Column>> Columns for F {
    fn column(&self, field: &str) -> Option<Column> {
        self(field)
    }
}

/// Adds the predicate as a boolean expression in brackets.
///
/// # Errors
/// The table does not keep a field of the catalogue: the column map and the catalogue disagree.
pub fn push(sql: &mut QueryBuilder<Postgres>, predicate: &Compiled, columns: &impl Columns, as_of: Date) -> Result<()> {
    push_node(sql, predicate.root(), columns, as_of)
}

/// Adds one comparison as a boolean expression in brackets: for queries that answer which ones held.
///
/// # Errors
/// As [`push`].
pub fn push_test(sql: &mut QueryBuilder<Postgres>, test: &Test, columns: &impl Columns, as_of: Date) -> Result<()> {
    let missing = || Error::bug(format_args!("no column keeps the field {}", test.field.name));
    let column = columns.column(&test.field.name).ok_or_else(missing)?;
    sql.push("(");
    let is_list = test.field.fact_type == FactType::Codes;
    match &test.comparison {
        Comparison::Exists | Comparison::Missing => {
            let exists = test.comparison == Comparison::Exists;
            sql.push(if is_list { "cardinality(" } else { "" });
            push_column(sql, column);
            sql.push(match (is_list, exists) {
                (true, true) => ") > 0",
                (true, false) => ") = 0",
                (false, true) => " IS NOT NULL",
                (false, false) => " IS NULL",
            });
        }
        Comparison::AnyOf(values) => push_any(sql, column, " = ANY (", values),
        Comparison::NoneOf(values) => push_any(sql, column, " <> ALL (", values),
        Comparison::AtLeast(bound) => push_bound(sql, column, " >= ", *bound),
        Comparison::AtMost(bound) => push_bound(sql, column, " <= ", *bound),
        Comparison::Between(low, high) => {
            push_bound(sql, column.clone(), " >= ", *low);
            sql.push(" AND ");
            push_bound(sql, column, " <= ", *high);
        }
        Comparison::HasAny(codes) => push_list(sql, column, " && ", codes),
        Comparison::HasAll(codes) => push_list(sql, column, " @> ", codes),
        Comparison::WithinLast(span) => {
            push_bound(sql, column.clone(), " >= ", Bound::Date(days_back(as_of, span)));
            sql.push(" AND ");
            push_bound(sql, column, " <= ", Bound::Date(as_of));
        }
        Comparison::BeforeLast(span) => push_bound(sql, column, " < ", Bound::Date(days_back(as_of, span))),
    }
    sql.push(")");
    Ok(())
}

fn push_node(sql: &mut QueryBuilder<Postgres>, node: &Node, columns: &impl Columns, as_of: Date) -> Result<()> {
    match node {
        Node::All(parts) => push_nodes(sql, parts, " AND ", columns, as_of),
        Node::Any(parts) => push_nodes(sql, parts, " OR ", columns, as_of),
        Node::Not(part) => {
            sql.push("(NOT ");
            push_node(sql, part, columns, as_of)?;
            sql.push(")");
            Ok(())
        }
        Node::Test(test) => push_test(sql, test, columns, as_of),
    }
}

fn push_nodes(sql: &mut QueryBuilder<Postgres>, parts: &[Node], between: &'static str, columns: &impl Columns, as_of: Date) -> Result<()> {
    sql.push("(");
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            sql.push(between);
        }
        push_node(sql, part, columns, as_of)?;
    }
    sql.push(")");
    Ok(())
}

/// Adds a column as an expression: for queries that answer facts.
pub fn push_column(sql: &mut QueryBuilder<Postgres>, column: Column) {
    match column {
        Column::Plain(name) => {
            sql.push(name);
        }
        Column::Count { json, key } => {
            sql.push("coalesce((").push(json).push(" ->> ").push_bind(key).push(")::bigint, 0)");
        }
    }
}

fn push_any(sql: &mut QueryBuilder<Postgres>, column: Column, operator: &'static str, values: &Operands) {
    push_column(sql, column);
    sql.push(operator);
    match values {
        Operands::Codes(codes) => sql.push_bind(codes.clone()),
        Operands::Integers(numbers) => sql.push_bind(numbers.clone()),
        Operands::Decimals(numbers) => sql.push_bind(numbers.clone()),
        Operands::Booleans(truths) => sql.push_bind(truths.clone()),
        Operands::Dates(dates) => sql.push_bind(dates.iter().map(|date| date.to_sqlx()).collect::<Vec<_>>()),
    };
    sql.push(")");
}

fn push_list(sql: &mut QueryBuilder<Postgres>, column: Column, operator: &'static str, codes: &[String]) {
    push_column(sql, column);
    sql.push(operator).push_bind(codes.to_vec());
}

fn push_bound(sql: &mut QueryBuilder<Postgres>, column: Column, operator: &'static str, bound: Bound) {
    push_column(sql, column);
    sql.push(operator);
    match bound {
        Bound::Integer(number) => sql.push_bind(number),
        Bound::Decimal(number) => sql.push_bind(number),
        Bound::Date(date) => sql.push_bind(date.to_sqlx()),
    };
}

/// A fact as it stands in a row that was read as JSON (`to_jsonb(f)`), in the type of its field.
pub fn fact_of_json(fact_type: FactType, value: &serde_json::Value) -> Option<Fact> {
    match fact_type {
        FactType::Code => value.as_str().map(|code| Fact::Code(code.to_owned())),
        FactType::Integer => value.as_i64().map(Fact::Integer),
        FactType::Decimal => value.as_f64().map(Fact::Decimal),
        FactType::Boolean => value.as_bool().map(Fact::Boolean),
        FactType::Date => value.as_str().and_then(steward_kit::proto::date).map(Fact::Date),
        FactType::Codes => {
            let codes = value.as_array()?.iter().filter_map(|code| code.as_str().map(str::to_owned));
            Some(Fact::Codes(codes.collect()))
        }
    }
}
