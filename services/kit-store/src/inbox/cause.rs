//! Why an event failed, for people: the chain of causes, with everything that could be personal data blotted out.
//!
//! Our own errors carry none, but what libraries say repeats the value they tripped over. What stays are words, the names of
//! constraints and columns, ids and short numbers.

use steward_kit::Error;
use uuid::Uuid;

/// Longest cause that is kept.
const CHARS: usize = 2000;

/// Longest number that is shown: a phone number or a part of an identity number is longer.
const DIGITS: usize = 5;

const BLOT: &str = "***";

/// The failure and what caused it, in one line.
pub(super) fn cause(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    blotted(&text).chars().take(CHARS).collect()
}

fn blotted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut pieces = text.split('"');
    out.extend(pieces.next().map(words));
    // Between quotes stands a name of ours, or a value.
    let mut quoted = true;
    for piece in pieces {
        out.push('"');
        out.push_str(&match quoted {
            true if is_name(piece) => piece.to_owned(),
            true => BLOT.to_owned(),
            false => words(piece),
        });
        quoted = !quoted;
    }
    out
}

/// A text word by word: what is not plain English, an id or a small number is blotted out.
fn words(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| {
            let bare = word.trim_matches(|c: char| c.is_ascii_punctuation() || c.is_whitespace());
            let end = if word.ends_with(char::is_whitespace) { " " } else { "" };
            if is_shown(bare) { word.to_owned() } else { format!("{BLOT}{end}") }
        })
        .collect()
}

fn is_shown(word: &str) -> bool {
    if Uuid::try_parse(word).is_ok() {
        return true;
    }
    let longest_number = word.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default();
    word.is_ascii() && !word.contains('@') && longest_number <= DIGITS
}

/// A name as schemas, columns and constraints have them.
fn is_name(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && text.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.' || c.is_ascii_digit())
        && is_shown(text)
        && text.contains('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_blotted_out_and_names_stay() {
        for (said, kept) in [
            (r#"violates check constraint "units_area_check""#, r#"violates check constraint "units_area_check""#),
            (r#"invalid input: "13800138000", expected u8"#, r#"invalid input: "***", expected u8"#),
            (r#"unknown variant "wang", expected"#, r#"unknown variant "***", expected"#),
            ("no phone 13800138000 here", "no phone *** here"),
            ("write to wang@example.com at once", "write to *** at once"),
            ("客户 王女士 unknown", "*** *** unknown"),
            (
                "estate 01890a5d-ac96-774b-bcce-b302099a8057 is not known, 3 times",
                "estate 01890a5d-ac96-774b-bcce-b302099a8057 is not known, 3 times",
            ),
        ] {
            assert_eq!(blotted(said), kept);
        }
    }

    #[test]
    fn the_whole_chain_is_told() {
        let error = Error::internal(anyhow::anyhow!("inner").context("outer"));
        assert_eq!(cause(&error), "internal error: outer: inner");
    }
}
