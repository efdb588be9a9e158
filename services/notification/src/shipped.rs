//! Data that ships with the product: templates, rules, names, sentences, and the policy under every other.

use anyhow::{Context, ensure};
use prost_reflect::DynamicMessage;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use steward_kit::error::Violations;
use steward_proto::plan::v1::ContactPolicy;

use crate::contact_document::{self, Document};
use crate::domain::codes::Class;
use crate::domain::render::CodeNames;
use crate::domain::routing::RuleDocument;
use crate::domain::sentences::Sentences;
use crate::domain::template::{TemplateText, Variable};

/// A template as shipped.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShippedTemplate {
    pub(crate) key: String,
    pub(crate) class: Class,
    pub(crate) variables: Vec<Variable>,
    pub(crate) texts: Vec<TemplateText>,
}

/// A rule as shipped.
#[derive(Debug, Deserialize)]
pub(crate) struct ShippedRule {
    pub(crate) code: String,
    pub(crate) event_type: String,
    pub(crate) template_key: String,
    #[serde(flatten)]
    pub(crate) document: RuleDocument,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Shipped {
    pub(crate) policy: Document,
    pub(crate) not_roles: Vec<String>,
    pub(crate) names: CodeNames,
    pub(crate) sentences: Sentences,
    pub(crate) templates: Vec<ShippedTemplate>,
    pub(crate) rules: Vec<ShippedRule>,
}

impl Shipped {
    /// Reads and checks the files.
    ///
    /// # Errors
    /// A file does not read, or lacks what every message needs.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let shipped = Self {
            policy: policy(include_str!("../data/contact_policy.yaml"))?,
            not_roles: read("not_roles", include_str!("../data/not_roles.yaml"))?,
            names: read::<CodeNames>("code_names", include_str!("../data/code_names.yaml"))?,
            sentences: read("step_sentences", include_str!("../data/step_sentences.yaml"))?,
            templates: read("templates", include_str!("../data/templates.yaml"))?,
            rules: read("routing_rules", include_str!("../data/routing_rules.yaml"))?,
        };
        let gaps = [shipped.policy.policy.gaps(), shipped.sentences.gaps()].concat();
        ensure!(gaps.is_empty(), "shipped data lack: {}", gaps.join(", "));
        Ok(shipped)
    }
}

/// The policy under every other, which passes the checks that everybody's policies pass.
fn policy(text: &str) -> anyhow::Result<Document> {
    let descriptor = steward_proto::descriptor_pool().get_message_by_name("steward.plan.v1.ContactPolicy").context("is in the contract")?;
    let value: serde_json::Value = read("contact_policy", text)?;
    let message = DynamicMessage::deserialize(descriptor, value).context("data/contact_policy.yaml")?;
    let document: ContactPolicy = message.transcode_to()?;
    let mut bad = Violations::of(&document);
    let read = contact_document::read(&mut bad, "contact_policy", &document);
    ensure!(bad.is_empty(), "data/contact_policy.yaml: {bad}");
    Ok(read)
}

fn read<T: DeserializeOwned>(name: &str, text: &str) -> anyhow::Result<T> {
    serde_yaml_ng::from_str(text).with_context(|| format!("data/{name}.yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use crate::domain::template::check;
    use crate::events::facts::{check_path, event_descriptor};
    use crate::rule_condition::stored;
    use steward_kit::error::Violations;

    /// NT-18, NT-23: what ships passes the checks that everybody's templates and rules pass.
    #[test]
    fn shipped_templates_and_rules_are_whole() {
        let shipped = Shipped::load().expect("reads");
        let by_key: BTreeMap<&str, &ShippedTemplate> = shipped.templates.iter().map(|template| (template.key.as_str(), template)).collect();
        for template in &shipped.templates {
            let mut bad = Violations::new();
            check(&template.texts, &template.variables, &mut bad);
            assert!(bad.is_empty(), "{}: {bad}", template.key);
        }
        for rule in &shipped.rules {
            let template = by_key.get(rule.template_key.as_str()).unwrap_or_else(|| panic!("{} has no template", rule.code));
            let event = event_descriptor(&rule.event_type).unwrap_or_else(|| panic!("{} has no event", rule.code));
            let paths = rule
                .document
                .variables
                .values()
                .chain([&rule.document.subject_path, &rule.document.household_path, &rule.document.template_path])
                .chain([&rule.document.class_path])
                .chain(&rule.document.key_paths);
            if let Some(when) = &rule.document.when {
                stored(when, &event).unwrap_or_else(|fault| panic!("{}: {fault:?}", rule.code));
            }
            for path in paths.filter(|path| !path.is_empty()) {
                assert!(check_path(&event, path), "{}: {path}", rule.code);
            }
            for variable in template.variables.iter().filter(|variable| variable.is_required) {
                assert!(rule.document.variables.contains_key(&variable.name), "{}: {}", rule.code, variable.name);
            }
            for name in rule.document.variables.keys() {
                assert!(template.variables.iter().any(|variable| variable.name == *name), "{}: {name}", rule.code);
            }
        }
    }
}
