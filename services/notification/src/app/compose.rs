//! From "tell this to them" to a judged and written message.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use aws_lc_rs::digest;
use jiff::Timestamp;
use steward_kit::ids::{EstateId, EventId, HouseholdId};
use steward_kit::{Error, Result};
use steward_kit_store::estates::Estate;
use steward_proto::common::v1::Predicate;
use uuid::Uuid;

use super::App;
use crate::contact_document::Document;
use crate::domain::circumstances::CustomerFacts;
use crate::domain::codes::{Channel, Class, Language, MessageState, StepCode};
use crate::domain::ids::{BroadcastId, RoutingRuleId, id_at};
use crate::domain::ledger::Changes;
use crate::domain::message::{Content, Message, Recipient, Step, Text};
use crate::domain::plan::Planned;
use crate::domain::policy::{ClassRule, ContactPolicy, OptOut};
use crate::domain::render::{Setting, render};
use crate::domain::routing::Condition;
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
    pub(super) broadcast_id: Option<BroadcastId>,
    /// Event or business key: with recipient and template it makes the message single.
    pub(super) business_key: String,
    /// How it came about.
    pub(super) first_step: Step,
    /// The household it concerns.
    pub(super) household_id: Option<HouseholdId>,
    /// What it is for, if that is another than the template's class.
    pub(super) class: Option<Class>,
    /// Whether the customer was chosen by traits.
    pub(super) uses_profile: bool,
    /// When what it tells of happened.
    pub(super) occur_time: Timestamp,
    /// Not before this.
    pub(super) not_before: Option<Timestamp>,
    /// What must hold of the household when it is sent.
    pub(super) only_if: Option<Condition>,
}

/// The place a message concerns, and the rules there.
pub(super) struct Place {
    pub(super) estate: std::sync::Arc<Estate>,
    pub(super) policy: ContactPolicy,
    /// What the situations are that forbid contacts, by code.
    pub(super) situations: BTreeMap<String, Predicate>,
}

impl Place {
    /// The rule of a class.
    pub(super) fn rule(&self, class: Class) -> Result<&ClassRule> {
        self.policy.classes.get(&class).ok_or_else(|| Error::bug(format_args!("the contact policy has no class {class}")))
    }

    /// Whether the ledger must be asked about a message before it is judged: a cap counts it, or a situation forbids it.
    pub(super) fn asks_ledger(&self, message: &Message) -> bool {
        let topic = message.template_key.as_str();
        message.recipient.customer().is_some()
            && (self.policy.caps_of(message.class, &message.subject_kind, topic).next().is_some()
                || message.household_id.is_some() && self.policy.situations_of(message.class, topic).next().is_some())
    }

    /// Whether anybody must be asked about a message before it is judged: customer about its household, or the ledger.
    pub(super) fn asks_others(&self, message: &Message) -> bool {
        message.content.only_if.is_some() || self.asks_ledger(message)
    }
}

impl App {
    /// An estate with its rules.
    pub(super) async fn place(&self, estate: EstateId, now: Timestamp) -> Result<Place> {
        let Document { policy, situations } = self.policies.of(estate, now).await?;
        Ok(Place { estate: self.estates.get(estate).await?, policy, situations })
    }

    /// Writes the text. The message is not judged yet.
    pub(super) fn compose(&self, place: &Place, draft: Draft<'_>, customer: Option<&CustomerFacts>, now: Timestamp) -> Result<Composed> {
        self.compose_one_of(place, draft, customer, &mut Written::default(), now)
    }

    /// The same, for one of several drafts that say the same: each text is written once for a language.
    pub(super) fn compose_one_of(
        &self,
        place: &Place,
        draft: Draft<'_>,
        customer: Option<&CustomerFacts>,
        written: &mut Written,
        now: Timestamp,
    ) -> Result<Composed> {
        let default = place.policy.default_language.ok_or_else(|| Error::bug("the contact policy has no language"))?;
        let (language, basis) = language_of(customer, default);
        let class = draft.class.unwrap_or(draft.template.class);
        let texts = match written.entry(language) {
            Entry::Occupied(written) => written.get().clone(),
            Entry::Vacant(place_for) => place_for.insert(self.write_texts(place, &draft, class, language)?).clone(),
        };
        let wanted: Vec<Channel> = draft.wanted.into_iter().filter(|channel| texts.contains_key(channel)).collect();
        let key = business_key(&draft.business_key, &draft.recipient, &draft.template.key);
        let message = Message {
            id: id_at(now),
            estate_id: place.estate.id,
            recipient: draft.recipient,
            class,
            template_key: draft.template.key.clone(),
            template_version: draft.template.version,
            language: Some(language),
            state: MessageState::Queued,
            suppress_reason: None,
            defer_until: None,
            subject_kind: draft.subject_kind,
            subject_id: draft.subject_id,
            event_id: draft.event_id,
            household_id: draft.household_id,
            routing_rule_id: draft.routing_rule_id,
            broadcast_id: draft.broadcast_id,
            content: Content { texts, wanted, uses_profile: draft.uses_profile, only_if: draft.only_if, ..Content::default() },
            fact_time: Some(draft.occur_time),
            held_until: None,
            hand_over_time: None,
            steps: vec![
                draft.first_step,
                Step::new(now, StepCode::LanguageChosen, [("language", language.to_string()), ("basis", basis.to_owned())]),
            ],
            row_version: 1,
            create_time: now,
            update_time: now,
        };
        Ok(Composed { message, key, not_before: draft.not_before.filter(|until| *until > now) })
    }

    fn write_texts(&self, place: &Place, draft: &Draft<'_>, class: Class, language: Language) -> Result<BTreeMap<Channel, Text>> {
        let mut texts = self.render(place, draft.template, draft.variables, (language, draft.occur_time))?;
        if let Some(opt_out) = place.policy.opt_out.as_ref().filter(|opt_out| opt_out.notice_classes.contains(&class)) {
            add_notice(&mut texts, opt_out, language);
        }
        Ok(texts)
    }

    /// The texts of a template in one language, as they read in an estate.
    pub(super) fn render(
        &self,
        place: &Place,
        template: &TemplateVersion,
        variables: &BTreeMap<String, String>,
        (language, occur_time): (Language, Timestamp),
    ) -> Result<BTreeMap<Channel, Text>> {
        let setting = Setting { language, zone: place.estate.zone()?, occur_time, names: &self.shipped.names };
        let misfit = |what| Error::invalid("variables", "VARIABLE_INVALID", what);
        render(template, variables, &setting).map_err(misfit)
    }
}

/// Texts that were written, by language.
pub(super) type Written = BTreeMap<Language, BTreeMap<Channel, Text>>;

/// A written message that is not judged yet.
pub(super) struct Composed {
    pub(super) message: Message,
    /// What makes it single.
    pub(super) key: Vec<u8>,
    /// Until when it waits before anybody judges it.
    pub(super) not_before: Option<Timestamp>,
}

impl Composed {
    /// As a message that waits for its turn with the ledger: its worker is woken at once.
    pub(super) fn queued(mut self, now: Timestamp) -> Planned {
        self.message.content.unjudged = true;
        self.message.steps.push(Step::new(now, StepCode::LedgerAsked, []));
        Planned { message: self.message, deliveries: Vec::new(), key: self.key, ledger: Changes::default() }
    }
}

/// Who sends, and how to say stop, below every text that leaves the house (NT-25, NT-48).
fn add_notice(texts: &mut BTreeMap<Channel, Text>, opt_out: &OptOut, language: Language) {
    let Some(notice) = opt_out.notice.get(&language) else { return };
    for (_, text) in texts.iter_mut().filter(|(channel, _)| **channel != Channel::Inbox) {
        text.body.push_str("\n\n");
        text.body.push_str(notice);
    }
}

/// A message that its caller wants later. It is judged when its time comes.
pub(super) fn waiting(mut message: Message, until: Timestamp, key: Vec<u8>, now: Timestamp) -> Planned {
    message.state = MessageState::Deferred;
    message.defer_until = Some(until);
    message.steps.push(Step::new(now, StepCode::Deferred, [("until", until.to_string()), ("reason", "not_before".to_owned())]));
    Planned { message, deliveries: Vec::new(), key, ledger: Changes::default() }
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
