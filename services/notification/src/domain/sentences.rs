//! What a step says to people, in their language. The sentences are data.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior};

use super::codes::{Language, StepCode};
use super::message::Step;

/// Sentence of each step by language, with the step's details as variables.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(transparent)]
pub struct Sentences(BTreeMap<StepCode, BTreeMap<Language, String>>);

impl Sentences {
    /// The sentence of a step; its code when the data has none.
    pub fn say(&self, step: &Step, language: Language) -> String {
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::Lenient);
        engine.set_fuel(Some(10_000));
        let sentence = self.0.get(&step.code).and_then(|by_language| by_language.get(&language));
        let values = minijinja::Value::from(step.details.clone());
        sentence.and_then(|source| engine.render_str(source, values).ok()).unwrap_or_else(|| step.code.to_string())
    }

    /// Steps that lack a sentence in a language.
    pub fn gaps(&self) -> Vec<String> {
        let lacks = |code: &StepCode, language: &Language| !self.0.get(code).is_some_and(|by_language| by_language.contains_key(language));
        let pairs = StepCode::ALL.iter().flat_map(|code| Language::ALL.iter().map(move |language| (code, language)));
        pairs.filter(|(code, language)| lacks(code, language)).map(|(code, language)| format!("{code} in {language}")).collect()
    }
}
