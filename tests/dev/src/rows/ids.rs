//! Requirement ids: `WO-44`, `F-05a`, `XC-20..23`.

use std::fmt;

/// One requirement row: its prefix, its number, and a letter where a row was split.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowId {
    prefix: String,
    number: u32,
    letter: Option<char>,
}

impl RowId {
    /// `WO` of `WO-44`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Reads an id at the very start of the text; returns it with what follows.
    fn at_start(text: &str) -> Option<(Self, &str)> {
        let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
        let rest = text[letters..].strip_prefix('-')?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=3).contains(&letters) || !(1..=4).contains(&digits) {
            return None;
        }
        let number = rest[..digits].parse().ok()?;
        let rest = &rest[digits..];
        let letter = rest.chars().next().filter(char::is_ascii_lowercase);
        let rest = &rest[letter.map_or(0, char::len_utf8)..];
        // `WO-44th` or `UTF-8-based` is prose, not an id.
        if rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '-' || next == '_') {
            return None;
        }
        Some((Self { prefix: text[..letters].to_owned(), number, letter }, rest))
    }

    fn up_to(self, last: u32) -> impl Iterator<Item = Self> {
        (self.number..=last).map(move |number| Self { number, ..self.clone() })
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:02}", self.prefix, self.number)?;
        self.letter.map_or(Ok(()), |letter| write!(f, "{letter}"))
    }
}

/// Every id in a text, ranges (`WO-01..05`, `WO-01..WO-05`) spelt out.
pub fn in_comment(text: &str) -> Vec<RowId> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(next) = rest.chars().next() {
        let is_word_start = !(before.is_ascii_alphanumeric() || before == '-' || before == '_');
        match is_word_start.then(|| RowId::at_start(rest)).flatten() {
            Some((id, after)) => {
                let (end, after) = range_end(after, &id);
                found.extend(id.clone().up_to(end.unwrap_or(id.number)));
                before = '0';
                rest = after;
            }
            None => {
                before = next;
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    found
}

fn range_end<'a>(after: &'a str, id: &RowId) -> (Option<u32>, &'a str) {
    let Some(tail) = after.strip_prefix("..") else { return (None, after) };
    let own_prefix = format!("{}-", id.prefix);
    let tail = tail.strip_prefix(own_prefix.as_str()).unwrap_or(tail);
    let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
    match tail[..digits].parse() {
        Ok(end) if end >= id.number => (Some(end), &tail[digits..]),
        Ok(_) | Err(_) => (None, after),
    }
}

/// The rows that a list asks for: the first cells of a markdown table's rows, or, if there is no such table, every id in the text.
pub fn wanted(list: &str) -> Vec<RowId> {
    let cells = list.lines().filter_map(|line| {
        let cell = line.trim().strip_prefix('|')?.split('|').next()?.trim().trim_matches(['*', '`']);
        let (id, rest) = RowId::at_start(cell)?;
        rest.is_empty().then_some(id)
    });
    let mut rows: Vec<_> = cells.collect();
    if rows.is_empty() {
        rows = in_comment(list);
    }
    rows.sort();
    rows.dedup();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(rows: Vec<RowId>) -> Vec<String> {
        rows.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lists_and_ranges_are_spelt_out() {
        assert_eq!(names(in_comment("WO-12, WO-13 and XC-20..23; F-05a")), ["WO-12", "WO-13", "XC-20", "XC-21", "XC-22", "XC-23", "F-05a"]);
        assert_eq!(names(in_comment("WO-01..WO-03.")), ["WO-01", "WO-02", "WO-03"]);
    }

    #[test]
    fn prose_is_not_an_id() {
        assert!(in_comment("UTF-8-encoded, FOO_WO-44, wo-44, WO-, WO-44x9").is_empty());
    }

    #[test]
    fn a_table_asks_only_for_its_first_cells() {
        let table = "| ID | Rule |\n|---|---|\n| WO-44 | see WO-12 |\n| WO-45 | x |\n";
        assert_eq!(names(wanted(table)), ["WO-44", "WO-45"]);
        assert_eq!(names(wanted("WO-2 WO-1\nNT-3")), ["NT-03", "WO-01", "WO-02"]);
    }
}
