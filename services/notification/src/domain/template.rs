//! Templates: one version of a text, with the variables it may mention.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use steward_kit::error::{Violations, WrongState};

use super::codes::{Actor, Channel, Class, Language, TemplateState, VariableKind};
use super::ids::TemplateVersionId;
use super::render::compile;

/// The text in one language for one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateText {
    /// The language.
    pub language: Language,
    /// The channel.
    pub channel: Channel,
    /// Title or subject.
    pub title: String,
    /// The text.
    pub body: String,
}

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name in the texts.
    pub name: String,
    /// What it holds.
    pub kind: VariableKind,
    /// Whether a message without it is refused.
    #[serde(default)]
    pub is_required: bool,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateVersion {
    /// Its id.
    pub id: TemplateVersionId,
    /// What the template is for.
    pub key: String,
    /// 1, 2, 3 within the key.
    pub version: i32,
    /// What its messages are.
    pub class: Class,
    /// Where it stands.
    pub state: TemplateState,
    /// Its texts.
    pub texts: Vec<TemplateText>,
    /// Its variables.
    pub variables: Vec<Variable>,
    /// Who wrote it.
    pub author: Actor,
    /// Who activated it.
    pub approver: Option<Actor>,
    /// Version of the row.
    pub row_version: i64,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it became active.
    pub activate_time: Option<Timestamp>,
}

/// Checks texts and variables against each other; every fault at once, by the fields of the request.
pub fn check(texts: &[TemplateText], variables: &[Variable], bad: &mut Violations) {
    for channel in Channel::ALL {
        let has = |language| texts.iter().any(|text| text.channel == *channel && text.language == language);
        let used = texts.iter().any(|text| text.channel == *channel);
        for language in Language::ALL.iter().filter(|language| used && !has(**language)) {
            bad.add("texts", "LANGUAGE_MISSING", format!("{channel} has no text in {language}"));
        }
    }
    for (at, text) in texts.iter().enumerate() {
        if text.channel == Channel::Webhook {
            bad.add(format!("texts[{at}].channel"), "CHANNEL_WITHOUT_TEXT", "webhooks carry data, not texts");
        }
        for (part, source) in [("title", &text.title), ("body", &text.body)] {
            match compile(source) {
                Err(fault) => bad.add(format!("texts[{at}].{part}"), "TEMPLATE_SYNTAX", fault),
                Ok(names) => {
                    for name in names.iter().filter(|name| !variables.iter().any(|variable| variable.name == **name)) {
                        bad.add(format!("texts[{at}].{part}"), "VARIABLE_UNDECLARED", format!("`{name}` is not declared"));
                    }
                }
            }
        }
    }
}

impl TemplateVersion {
    /// Checks given values against the declared variables.
    ///
    /// # Errors
    /// Every value that is missing or not declared, by the request's field.
    pub fn check_given(&self, field: &str, given: &BTreeMap<String, String>, bad: &mut Violations) {
        for variable in self.variables.iter().filter(|variable| variable.is_required && !given.contains_key(&variable.name)) {
            bad.add(format!("{field}[{}]", variable.name), "VARIABLE_MISSING", "the template requires it");
        }
        for name in given.keys().filter(|name| !self.variables.iter().any(|variable| variable.name == **name)) {
            bad.add(format!("{field}[{name}]"), "VARIABLE_UNDECLARED", "the template does not declare it");
        }
    }

    /// Approves it.
    ///
    /// # Errors
    /// It is active already.
    pub fn activate(&mut self, by: Actor, now: Timestamp) -> Result<(), WrongState> {
        match self.state {
            TemplateState::Draft | TemplateState::Retired => {}
            TemplateState::Active => {
                let allowed: [&str; 0] = [];
                let subject = format!("template version {}", self.id);
                let detail = "an active version needs no activation; only a draft or a retired one does";
                return Err(WrongState::new("TEMPLATE_STATE_FORBIDS", subject, self.state.as_str(), allowed, detail));
            }
        }
        self.state = TemplateState::Active;
        self.approver = Some(by);
        self.activate_time = Some(now);
        self.row_version += 1;
        Ok(())
    }
}
