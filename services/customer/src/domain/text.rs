//! The one spelling of what people type (XC-62).

/// A fullwidth letter, digit or sign as its halfwidth form; other characters as they are.
pub fn halfwidth_char(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(character as u32 - 0xfee0).unwrap_or(character),
        '\u{3000}' | '\u{a0}' => ' ',
        other => other,
    }
}

/// Halfwidth, trimmed, inner runs of blanks as one.
pub fn normalised(text: &str) -> String {
    let text: String = text.chars().map(halfwidth_char).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A building's, entrance's or unit's code: halfwidth, without blanks.
pub fn normalised_code(text: &str) -> String {
    text.chars().map(halfwidth_char).filter(|character| !character.is_whitespace()).collect()
}

/// What two spellings of a name have in common, for the blind index: no blanks, one width, one case.
pub fn name_key(name: &str) -> String {
    name.chars().map(halfwidth_char).filter(|character| !character.is_whitespace()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XC-62
    #[test]
    fn widths_and_blanks_do_not_make_another_name() {
        assert_eq!(normalised("  王　小 明 "), "王 小 明");
        assert_eq!(name_key("Ｗang  Wei"), name_key("wang wei"));
        assert_eq!(normalised_code(" ３号 楼"), "3号楼");
    }
}
