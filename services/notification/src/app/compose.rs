//! From "tell this to them" to a judged and written message.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use jiff::Timestamp;
use steward_kit::ids::{EstateId, EventId, MessageId};
use steward_kit::{Error, Result};
use steward_kit_store::estates::Estate;
use uuid::Uuid;

use super::App;
use crate::domain::codes::{Channel, Class, Language, MessageState, StepCode};
use crate::domain::ids::RoutingRuleId;
use crate::domain::judge::{Circumstances, CustomerFacts};
use crate::domain::message::{Content, Message, Recipient, Step};
use crate::domain::plan::{Planned, plan};
use crate::domain::policy::{ClassRule, ContactPolicy};
use crate::domain::render::{Setting, render};
use crate::domain::template::TemplateVersion;

/// Something to tell somebody.
pub(super) struct Draft<'a> {
    pub(super) recipient: Recipient,
    pub(super) template: &'a TemplateVersion,
    pub(super) variables: &'a BTreeMap<String, String>,
    pub(super) wanted: Vec<Channel>,
    pub(super) subject_kind: String,
    pub(super) subject_id: Option<Uuid>,
    pub(super) event_id: Option<EventId>,
    pub(super) routing_rule_id: Option<RoutingRuleId>,
    /// Event or business key: with recipient and template it makes the message single.
    pub(super) business_key: String,
    /// How it came about.
    pub(super) first_step: Step,
    /// When what it tells of happened.
    pub(super) occur_time: Timestamp,
    /// Not before this.
    pub(super) not_before: Option<Timestamp>,
}

/// The place a message concerns, and the rules there.
pub(super) struct Place {
    pub(super) estate: std::sync::Arc<Estate>,
    pub(super) policy: ContactPolicy,
}

impl Place {
    /// The rule of a class.
    pub(super) fn rule(&self, class: Class) -> Result<&ClassRule> {
        self.policy.classes.get(&class).ok_or_else(|| Error::bug(format_args!("the contact policy has no class {class}")))
    }
}

impl App {
    /// An estate with its rules.
    pub(super) async fn place(&self, estate: EstateId, now: Timestamp) -> Result<Place> {
        Ok(Place { estate: self.estates.get(estate).await?, policy: self.policies.of(estate, now).await? })
    }

    /// Writes the text, judges, plans. Performs nothing.
    pub(super) fn compose(&self, place: &Place, draft: Draft<'_>, customer: Option<CustomerFacts>, now: Timestamp) -> Result<Planned> {
        let zone = place.estate.zone()?;
        let (language, basis) = language_of(customer.as_ref(), place.policy.default_language);
        let setting = Setting { language, zone: zone.clone(), occur_time: draft.occur_time, names: &self.shipped.names };
        let misfit = |what| Error::invalid("variables", "VARIABLE_INVALID", what);
        let texts = render(draft.template, draft.variables, &setting).map_err(misfit)?;
        let mut rule = place.rule(draft.template.class)?.clone();
        // A channel without a text in the template can say nothing.
        rule.channels.retain(|channel| texts.contains_key(channel));
        let wanted: Vec<Channel> = draft.wanted.into_iter().filter(|channel| texts.contains_key(channel)).collect();
        let key = business_key(&draft.business_key, &draft.recipient, &draft.template.key);
        let message = Message {
            id: MessageId::new(),
            estate_id: place.estate.id,
            recipient: draft.recipient,
            class: draft.template.class,
            template_key: draft.template.key.clone(),
            template_version: draft.template.version,
            language: Some(language),
            state: MessageState::Queued,
            suppress_reason: None,
            defer_until: None,
            subject_kind: draft.subject_kind,
            subject_id: draft.subject_id,
            event_id: draft.event_id,
            routing_rule_id: draft.routing_rule_id,
            content: Content { texts, wanted, later: Vec::new(), payload: None },
            steps: vec![
                draft.first_step,
                Step::new(now, StepCode::LanguageChosen, [("language", language.to_string()), ("basis", basis.to_owned())]),
            ],
            row_version: 1,
            create_time: now,
            update_time: now,
        };
        match draft.not_before.filter(|until| *until > now) {
            Some(until) => Ok(waiting(message, until, key, now)),
            None => Ok(plan(message, &Circumstances { zone, rule, customer }, key, now)),
        }
    }
}

/// A message that its caller wants later. It is judged when its time comes.
fn waiting(mut message: Message, until: Timestamp, key: Vec<u8>, now: Timestamp) -> Planned {
    message.state = MessageState::Deferred;
    message.defer_until = Some(until);
    message.steps.push(Step::new(now, StepCode::Deferred, [("until", until.to_string()), ("reason", "not_before".to_owned())]));
    Planned { message, deliveries: Vec::new(), key }
}

fn language_of(customer: Option<&CustomerFacts>, default: Language) -> (Language, &'static str) {
    let preferred = customer.and_then(|customer| customer.preferences.as_ref()).and_then(|preferences| preferences.language);
    let recorded = customer.and_then(|customer| customer.language.as_deref()).and_then(Language::parse);
    match (preferred, recorded) {
        (Some(language), _) => (language, "preference"),
        (None, Some(language)) => (language, "record"),
        (None, None) => (default, "policy"),
    }
}

/// What is the same for the same event, recipient and template (NT-40).
pub(super) fn business_key(business: &str, recipient: &Recipient, template: &str) -> Vec<u8> {
    let recipient = recipient.key();
    // Lengths keep ("ab", "c") and ("a", "bc") apart.
    let text = format!("{}:{business}{}:{recipient}{}:{template}", business.len(), recipient.len(), template.len());
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().to_vec()
}
