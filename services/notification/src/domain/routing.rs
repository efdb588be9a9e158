//! Who is told what when something happens. Rules are data; this is how they are read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::ids::{CustomerId, EstateId};

use super::codes::{Channel, RecipientRule};
use super::ids::RoutingRuleId;
use super::message::Recipient;

/// The fields of an event, by path; a field that is not set has no values, a repeated one has several.
pub trait Facts {
    /// The values at `path`, as text: enum values by name, instants in RFC 3339.
    fn values(&self, path: &str) -> Vec<String>;

    /// The first value at `path`, if there is one that is not empty.
    fn first(&self, path: &str) -> Option<String> {
        if path.is_empty() { None } else { self.values(path).into_iter().find(|value| !value.is_empty()) }
    }
}

/// A predicate as its message in JSON. Here it is carried; `rule_condition` reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Condition(pub serde_json::Value);

/// A recipient as a rule names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRecipient {
    /// How it is found.
    pub kind: RecipientRule,
    /// A path, or the role itself.
    pub value: String,
}

/// What a rule says beside its event and template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleDocument {
    /// What else must hold, of the event and of the household; none means nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Whom to tell.
    pub recipients: Vec<RuleRecipient>,
    /// Variable to path.
    pub variables: BTreeMap<String, String>,
    /// Channels in the order wanted.
    pub channels: Vec<Channel>,
    /// Path of the id that the message is about.
    pub subject_path: String,
    /// What the message is about.
    pub subject_kind: String,
    /// Path of the household that the message concerns.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub household_path: String,
    /// Path of the template's key, for events that name it; the rule's own is used where the event names none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub template_path: String,
    /// Path of what the message is for, for events that name it: `care`, `survey`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub class_path: String,
    /// Paths whose values together make the message single instead of the event: `festival` and a date, say (NT-17).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_paths: Vec<String>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutingRule {
    /// Its id.
    pub id: RoutingRuleId,
    /// Its name, unique in its scope.
    pub code: String,
    /// The estate it holds for; none means every estate.
    pub estate_id: Option<EstateId>,
    /// Type of the event.
    pub event_type: String,
    /// Key of the template.
    pub template_key: String,
    /// The rest.
    pub document: RuleDocument,
    /// Version of the row.
    pub row_version: i64,
    /// When it was created.
    pub create_time: Timestamp,
}

impl RoutingRule {
    /// Whether it is about events of this type in this estate.
    pub fn holds_for(&self, event_type: &str, estate: EstateId) -> bool {
        self.event_type == event_type && self.estate_id.is_none_or(|own| own == estate)
    }
}

impl RuleDocument {
    /// The template that the event names, else the rule's.
    pub fn find_template(&self, own: &str, facts: &impl Facts) -> String {
        facts.first(&self.template_path).unwrap_or_else(|| own.to_owned())
    }

    /// What makes the message single; none lets the event do so.
    pub fn find_key(&self, facts: &impl Facts) -> Option<String> {
        let parts: Vec<String> = self.key_paths.iter().filter_map(|path| facts.first(path)).collect();
        (!parts.is_empty() && parts.len() == self.key_paths.len()).then(|| format!("facts:{}", parts.join(":")))
    }

    /// Whom the event names, each once. `not_roles` stand among roles and are none.
    pub fn find_recipients(&self, facts: &impl Facts, not_roles: &[String]) -> Vec<Recipient> {
        let mut found = Vec::new();
        for recipient in &self.recipients {
            let names = match recipient.kind {
                RecipientRule::Role => vec![recipient.value.clone()],
                RecipientRule::Customer | RecipientRule::Staff | RecipientRule::Roles => facts.values(&recipient.value),
            };
            for name in names.into_iter().filter(|name| !name.is_empty()) {
                let recipient = match recipient.kind {
                    RecipientRule::Customer => CustomerId::parse(&name).ok().map(Recipient::Customer),
                    RecipientRule::Staff => Some(Recipient::Staff(name)),
                    RecipientRule::Role | RecipientRule::Roles => (!not_roles.contains(&name)).then_some(Recipient::Role(name)),
                };
                found.extend(recipient.filter(|recipient| !found.contains(recipient)));
            }
        }
        found
    }

    /// The values of the template's variables that the event has.
    pub fn read_variables(&self, facts: &impl Facts) -> BTreeMap<String, String> {
        let read = |path: &String| facts.values(path).into_iter().next().filter(|value| !value.is_empty());
        self.variables.iter().filter_map(|(name, path)| Some((name.clone(), read(path)?))).collect()
    }
}
