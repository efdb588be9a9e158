//! A message: something said to one recipient, once, with every reason why it went out, waited or did not go out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::ids::{CustomerId, EstateId, EventId, HouseholdId, MessageId};
use uuid::Uuid;

use super::codes::{Channel, Class, Language, MessageState, StepCode, SuppressReason};
use super::ids::{BroadcastId, ContactId, RoutingRuleId, WebhookEndpointId};
use super::routing::Condition;

/// To whom a message goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// A customer.
    Customer(CustomerId),
    /// An employee, by the subject of their token.
    Staff(String),
    /// Everybody with a role in the message's estate.
    Role(String),
    /// Another system.
    Webhook(WebhookEndpointId),
}

impl Recipient {
    /// The sort, as the database writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Customer(_) => "customer",
            Self::Staff(_) => "staff",
            Self::Role(_) => "role",
            Self::Webhook(_) => "webhook",
        }
    }

    /// Sort and name in one text: the recipient's part of a business key.
    pub fn key(&self) -> String {
        match self {
            Self::Customer(id) => format!("customer:{id}"),
            Self::Staff(subject) => format!("staff:{subject}"),
            Self::Role(role) => format!("role:{role}"),
            Self::Webhook(id) => format!("webhook:{id}"),
        }
    }

    /// The customer, if it is one.
    pub fn customer(&self) -> Option<CustomerId> {
        match self {
            Self::Customer(id) => Some(*id),
            Self::Staff(_) | Self::Role(_) | Self::Webhook(_) => None,
        }
    }
}

/// A title and a text, written out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Title of the inbox item or subject of the mail.
    pub title: String,
    /// The text.
    pub body: String,
}

/// What is said, and by which channels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The texts by channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<Channel, Text>,
    /// Channels that a rule or a caller wanted, in order; empty lets class and preferences decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted: Vec<Channel>,
    /// Channels to try when the present one fails, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<Channel>,
    /// Not judged yet: waits for its turn with the contact ledger.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unjudged: bool,
    /// What must hold of the household at the moment of acting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_if: Option<Condition>,
    /// The contact in the ledger that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
    /// Whether the customer was chosen by traits.
    #[serde(default, skip_serializing_if = "is_false")]
    pub uses_profile: bool,
    /// The body of a webhook call, byte for byte: every attempt sends the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Content {
    /// The text that is shown for the message: the inbox's, else the first there is.
    pub fn shown(&self) -> Option<&Text> {
        self.texts.get(&Channel::Inbox).or_else(|| self.texts.values().next())
    }
}

/// One step of the decision about a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub occur_time: Timestamp,
    /// What.
    pub code: StepCode,
    /// What it rests on: ids, times, codes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

impl Step {
    /// A step with its details.
    pub fn new<const N: usize>(occur_time: Timestamp, code: StepCode, details: [(&str, String); N]) -> Self {
        Self { occur_time, code, details: details.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
    }
}

/// A message as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The estate it concerns.
    pub estate_id: EstateId,
    /// To whom.
    pub recipient: Recipient,
    /// What it is.
    pub class: Class,
    /// Key of its template; empty for webhooks.
    pub template_key: String,
    /// Version of its template; 0 for webhooks.
    pub template_version: i32,
    /// Language of its text; none for webhooks.
    pub language: Option<Language>,
    /// Where it stands.
    pub state: MessageState,
    /// Why it was not sent.
    pub suppress_reason: Option<SuppressReason>,
    /// Until when it waits.
    pub defer_until: Option<Timestamp>,
    /// What it is about.
    pub subject_kind: String,
    /// Id of what it is about.
    pub subject_id: Option<Uuid>,
    /// The event that caused it.
    pub event_id: Option<EventId>,
    /// The household it concerns.
    pub household_id: Option<HouseholdId>,
    /// The rule that caused it.
    pub routing_rule_id: Option<RoutingRuleId>,
    /// The broadcast that it is part of.
    pub broadcast_id: Option<BroadcastId>,
    /// What is said.
    pub content: Content,
    /// When what it tells of happened; none for messages from before this was kept.
    pub fact_time: Option<Timestamp>,
    /// Until when the rules held it back, if they did: nobody was slow until then.
    pub held_until: Option<Timestamp>,
    /// When the first channel had it.
    pub hand_over_time: Option<Timestamp>,
    /// How it came to stand where it stands.
    pub steps: Vec<Step>,
    /// Version of the row.
    pub row_version: i64,
    /// When it was created.
    pub create_time: Timestamp,
    /// When its state last changed.
    pub update_time: Timestamp,
}

impl Message {
    /// Whether it is yet to be judged: it waits for a time, or for its turn.
    pub fn is_waiting(&self) -> bool {
        match self.state {
            MessageState::Deferred => true,
            MessageState::Queued => self.content.unjudged,
            MessageState::Sent | MessageState::Delivered | MessageState::Read | MessageState::Failed | MessageState::Suppressed => false,
        }
    }

    /// Whether it goes by the lane of what is said to many, behind what is said to one; emergencies never do (NT-41).
    pub fn is_bulk(&self) -> bool {
        self.broadcast_id.is_some() && self.class != Class::Emergency
    }

    /// Raises the state to `reached`, which a channel reports; a better one stays.
    pub fn reach(&mut self, reached: MessageState, now: Timestamp) {
        self.state = self.state.max(reached);
        self.hand_over_time.get_or_insert(now);
    }
}
