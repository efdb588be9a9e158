//! From a report's words to a category and an urgency (WO-11), and the category tree.

use super::case::{Kind, Urgency};
use super::policy::{Category, ClassificationRule, Policies};

/// What a rule made of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classification<'a> {
    /// Code of the rule.
    pub rule: &'a str,
    /// Category given.
    pub category: &'a str,
    /// Urgency given: the rule's, or the category's; `None` when neither says one.
    pub urgency: Option<Urgency>,
}

impl Policies {
    /// A category of the estate's tree; a code that several layers give is as the most specific one says.
    pub fn category(&self, code: &str) -> Option<&Category> {
        let mut categories = self.intake.iter().flat_map(|layer| &layer.document.categories);
        categories.find(|category| category.code == code)
    }

    /// The first rule that matches the text, most specific layer first.
    pub fn classify(&self, kind: Kind, text: &str) -> Option<Classification<'_>> {
        let text = normalised(text);
        let mut rules = self.intake.iter().flat_map(|layer| &layer.document.rules);
        let rule = rules.find(|rule| matches(rule, kind, &text))?;
        let urgency = rule.urgency.or_else(|| self.category(&rule.category)?.urgency);
        Some(Classification { rule: &rule.code, category: &rule.category, urgency })
    }
}

fn matches(rule: &ClassificationRule, kind: Kind, text: &str) -> bool {
    let is_in_text = |word: &String| {
        let word = normalised(word);
        !word.is_empty() && text.contains(&word)
    };
    (rule.kinds.is_empty() || rule.kinds.contains(&kind)) && rule.any_words.iter().any(is_in_text)
}

/// A text as words are compared: half width, lower case, without spaces (XC-62).
pub fn normalised(text: &str) -> String {
    text.chars().map(half_width).filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// The half-width twin of a full-width form; every other character is itself.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::normalised;

    /// XC-62
    #[test]
    fn width_case_and_spaces_do_not_matter() {
        assert_eq!(normalised("Ｂｕｒｓｔ　Pipe！"), "burstpipe!");
        assert_eq!(normalised("厨房 水管爆漏"), "厨房水管爆漏");
    }
}
