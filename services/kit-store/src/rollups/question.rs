//! What is counted, and what it is kept under.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest;
use steward_kit::ids::EstateId;
use steward_kit::metric::{Definition, Period};

/// Definitions that are counted over one period.
#[derive(Clone, Debug)]
pub struct Question {
    /// The days.
    pub period: Period,
    /// The definitions.
    pub definitions: Vec<Definition>,
    /// Hash of both, as far as they decide what is counted.
    content: [u8; 32],
}

/// What a count is kept under.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) estate: EstateId,
    pub(super) question: [u8; 32],
}

impl Question {
    /// These definitions over these days.
    pub fn new(period: Period, definitions: Vec<Definition>) -> Self {
        // Targets, baselines and names judge and show a figure; they do not count it.
        let counted = |one: &Definition| {
            let (id, source) = (one.metric.id, one.metric.source);
            format!("{id} {source:?} {} {} {:?}\n", one.version, one.method, one.parameters)
        };
        let content = format!("{} {}\n{}", period.from, period.to, definitions.iter().map(counted).collect::<String>());
        Self { period, definitions, content: hash(content.as_bytes()) }
    }

    /// The questions that definitions make when they are asked for over a period: one for each period that they are counted over.
    pub fn each(asked: Period, definitions: &[Definition]) -> Vec<Arc<Self>> {
        let mut by_period: BTreeMap<_, Vec<Definition>> = BTreeMap::new();
        for definition in definitions {
            let counted = definition.period_for(asked);
            by_period.entry((counted.from, counted.to)).or_default().push(definition.clone());
        }
        by_period.into_iter().map(|((from, to), definitions)| Arc::new(Self::new(Period { from, to }, definitions))).collect()
    }

    /// What tells this question from others.
    pub(super) fn content(&self) -> [u8; 32] {
        self.content
    }

    pub(super) fn key(&self, estate: EstateId, rules: &[u8; 32], ground: &[u8]) -> Key {
        Key { estate, question: hash(&[&self.content, rules.as_slice(), ground].concat()) }
    }
}

/// SHA-256.
pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use steward_kit::metric::{Target, metric};

    use super::*;

    #[test]
    fn what_is_counted_otherwise_is_another_question_and_what_is_judged_otherwise_is_the_same() {
        let march = Period::new(date(2026, 3, 1), date(2026, 3, 31)).unwrap();
        let plain = Definition::of(metric("complaint_count", None).unwrap());
        let asked = |period, definition: &Definition| Question::new(period, vec![definition.clone()]).content;
        let same = asked(march, &plain);
        let aimed = Definition {
            target: Some(Target { direction: plain.direction, numerator: 1, denominator: 10 }),
            responsible: "somebody".to_owned(),
            ..plain.clone()
        };
        assert_eq!(asked(march, &aimed), same);
        let mut narrowed = plain.clone();
        narrowed.parameters.categories = vec!["cleaning".to_owned()];
        assert_ne!(asked(march, &narrowed), same);
        assert_ne!(asked(Period { to: date(2026, 3, 30), ..march }, &plain), same);
        assert_ne!(asked(march, &Definition { version: 2, ..plain }), same);
    }

    #[test]
    fn other_ground_and_other_rules_are_another_key() {
        let march = Period::new(date(2026, 3, 1), date(2026, 3, 31)).unwrap();
        let question = Question::new(march, vec![]);
        let (estate, rules) = (EstateId::new(), [1; 32]);
        let key = question.key(estate, &rules, b"Asia/Shanghai");
        assert_eq!(question.key(estate, &rules, b"Asia/Shanghai"), key);
        assert_ne!(question.key(estate, &[2; 32], b"Asia/Shanghai"), key);
        assert_ne!(question.key(estate, &rules, b"Asia/Urumqi"), key);
    }
}
