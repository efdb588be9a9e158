//! A trace as text: a tree on the left, times on the right, 120 columns.

use std::fmt::Write;

use super::{Span, Trace, axis::Axis, tree::Row};

/// Columns of the picture.
pub const WIDTH: usize = 120;

const NAME: usize = 62;
const SERVICE: usize = 12;
const TIME: usize = 8;
const BAR: usize = WIDTH - NAME - SERVICE - 2 * TIME - 4;

/// Lines of the tree that are shown; what is beyond is counted.
const MOST: usize = 90;

/// Draws it.
pub fn draw(trace: &Trace) -> String {
    let axis = Axis::over(trace.rows.iter().map(|row| &row.span), BAR);
    let begin = trace.rows.iter().map(|row| row.span.start_nanos).min().unwrap_or_default();
    let mut text = format!("{:<NAME$} {:<SERVICE$} {:>TIME$} {:>TIME$} {}\n", "what was done", "by", "after", "took", axis.ruler());
    for row in trace.rows.iter().take(MOST) {
        let Span { service, start_nanos, end_nanos, .. } = &row.span;
        let (after, took) = (span_of_time(start_nanos - begin), span_of_time(end_nanos - start_nanos));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{} {:<SERVICE$} {after:>TIME$} {took:>TIME$} {}",
            cut(&name(row), NAME),
            cut(&service.replace('_', "-"), SERVICE).trim_end(),
            axis.bar(&row.span)
        );
    }
    if trace.rows.len() > MOST {
        let _ = writeln!(text, "… and {} more", trace.rows.len() - MOST);
    }
    for span in trace.later.iter().take(8) {
        let _ = writeln!(text, "later, as a trace of its own: {} ({})", span.label(), span.service.replace('_', "-"));
    }
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn name(row: &Row) -> String {
    let mut name = String::new();
    if let Some((goes_on, above)) = row.trunk.split_last() {
        // The first level is the root itself, which hangs on nothing.
        for goes_on in above.iter().skip(1) {
            name.push_str(if *goes_on { "│ " } else { "  " });
        }
        if !above.is_empty() {
            name.push_str(if *goes_on { "├ " } else { "└ " });
        }
    }
    name.push_str(&row.span.label());
    if row.others > 0 {
        let _ = write!(name, "  × {}", row.others + 1);
    }
    name
}

/// Exactly so many columns.
fn cut(text: &str, width: usize) -> String {
    match text.chars().count() {
        length if length > width => text.chars().take(width - 1).chain(['…']).collect(),
        length => text.chars().chain(std::iter::repeat_n(' ', width - length)).collect(),
    }
}

fn span_of_time(nanos: u64) -> String {
    let micros = nanos / 1000;
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..100_000 => format!("{}.{} ms", micros / 1000, micros / 100 % 10),
        100_000..10_000_000 => format!("{} ms", micros / 1000),
        _ => format!("{}.{} s", micros / 1_000_000, micros / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn span(id: &str, parent: &str, name: &str, service: &str, times: (u64, u64)) -> Span {
        Span {
            trace: "t".to_owned(),
            id: id.to_owned(),
            parent: parent.to_owned(),
            name: name.to_owned(),
            service: service.to_owned(),
            is_server: parent.is_empty(),
            start_nanos: times.0 * 1_000_000,
            end_nanos: times.1 * 1_000_000,
            links: Vec::new(),
            attributes: BTreeMap::new(),
        }
    }

    #[test]
    fn a_trace_is_a_tree_with_bars_on_one_line_of_time() {
        let spans = [
            span("a", "", "steward.gateway.v1.IntakeService/SubmitReport", "gateway", (0, 20)),
            span("b", "a", "steward.work_order.v1.WorkOrderService/CreateWorkOrder", "work_order", (5, 15)),
            span("c", "b", "publish WorkOrderCreated", "work_order", (16, 20)),
            // Six seconds later, which are cut out.
            span("d", "c", "apply WorkOrderCreated", "notification", (6000, 6010)),
            span("e", "a", "steward.customer.v1.CustomerService/GetCustomer", "customer", (1, 2)),
            span("f", "a", "steward.customer.v1.CustomerService/GetCustomer", "customer", (3, 4)),
        ];
        let trace = Trace::biggest(&spans, |root| root.name.ends_with("/SubmitReport")).unwrap();
        assert_eq!(trace.services().len(), 4);
        let picture = draw(&trace);
        assert!(picture.lines().all(|line| line.chars().count() <= WIDTH), "{picture}");
        let lines: Vec<&str> = picture.lines().collect();
        assert_eq!(lines.len(), 6, "{picture}");
        assert!(lines[0].contains('⋮'), "{picture}");
        assert!(lines[1].starts_with("IntakeService/SubmitReport ") && lines[1].contains(" gateway "), "{picture}");
        assert!(lines[2].starts_with("├ CustomerService/GetCustomer  × 2"), "{picture}");
        assert!(lines[4].starts_with("  └ publish WorkOrderCreated"), "{picture}");
        assert!(lines[5].starts_with("    └ apply WorkOrderCreated"), "{picture}");
        // What came later stands further to the right.
        let begins = |line: &str| line.chars().position(|letter| letter == '━').unwrap();
        assert!(begins(lines[1]) < begins(lines[3]) && begins(lines[3]) < begins(lines[5]), "{picture}");
    }
}
