//! The table that people read.

use crate::row::{Goal, Row, Verdict};

/// The width of a line; notes are broken to it.
const WIDTH: usize = 124;

/// Every row as lines, in the order of their numbers.
pub(crate) fn lines(rows: &[Row]) -> Vec<String> {
    let mut sorted: Vec<&Row> = rows.iter().collect();
    sorted.sort_by_key(|row| row.number);
    let mut lines = vec![
        format!(
            "{:>2}  {:<44} {:>15} {:>15} {:>7} {:>10} {:>10}  {}",
            "#", "what", "product", "limit", "ratio", "bar", "moonshot", "verdict"
        ),
        "-".repeat(WIDTH),
    ];
    for row in sorted {
        lines.push(line(row));
        lines.extend(broken(&row.note).into_iter().map(|part| format!("      {part}")));
    }
    lines
}

fn line(row: &Row) -> String {
    let ratio = row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    let limit = row.limit.map_or_else(String::new, |limit| figure(limit.value, limit.unit));
    let number = if row.number == 0 { "-".to_owned() } else { row.number.to_string() };
    let verdict = match row.verdict() {
        Verdict::Moonshot => "moonshot",
        Verdict::Met => "met",
        Verdict::Missed => "MISSED",
        Verdict::Told => "",
    };
    let product = figure(row.product.value, row.product.unit);
    let (bar, moonshot) = (goal(row, row.bar), goal(row, row.moonshot));
    format!("{number:>2}  {:<44} {product:>15} {limit:>15} {ratio:>7} {bar:>10} {moonshot:>10}  {verdict}", row.name).trim_end().to_owned()
}

fn goal(row: &Row, goal: Option<Goal>) -> String {
    // A bar about a figure has the figure's size; one about a ratio is read with two places.
    let number = |value: f64| if row.ratio.is_some() { format!("{value:.2}") } else { short(value) };
    match goal {
        Some(Goal::AtLeast(value)) => format!(">= {}", number(value)),
        Some(Goal::AtMost(value)) => format!("<= {}", number(value)),
        None => String::new(),
    }
}

fn figure(value: f64, unit: &str) -> String {
    format!("{} {unit}", short(value))
}

/// Three or four digits that matter, thousands apart.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => grouped(&format!("{value:.0}")),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let groups = tail.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
    let all: Vec<String> = (!head.is_empty()).then(|| head.to_owned()).into_iter().chain(groups).collect();
    format!("{sign}{}", all.join(" "))
}

/// A text in lines of a fitting length, broken between words.
fn broken(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < WIDTH - 6 => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_they_need_to_be() {
        assert_eq!(short(1_234_567.8), "1 234 568");
        assert_eq!(short(999.4), "999");
        assert_eq!(short(12.34), "12.3");
        assert_eq!(short(1.5), "1.50");
        assert_eq!(short(0.1234), "0.123");
    }

    #[test]
    fn a_line_says_what_was_promised_and_whether_it_is_kept() {
        let row = Row::ratio(1, "create order, 32 callers", 3850.0, 5500.0, "/s").at_least(0.7, 0.9).note("a note");
        let lines = lines(&[row]);
        assert_eq!(
            lines[2],
            " 1  create order, 32 callers                            3 850 /s        5 500 /s    0.70    >= 0.70    >= 0.90  met"
        );
        assert_eq!(lines[3], "      a note");
    }
}
