//! What the ledger is told of a contact.

use jiff::Timestamp;
use serde::Serialize;
use steward_kit::ids::{EstateId, HouseholdId, MessageId};
use uuid::Uuid;

use super::codes::{Channel, Class, EntryKind, MessageState};
use super::ids::{ContactEntryId, ContactId, id_at};
use super::judge::Reason;
use super::message::Message;

/// A contact, as far as the ledger knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The estate.
    pub estate_id: EstateId,
    /// The household.
    pub household_id: Option<HouseholdId>,
    /// The customer.
    pub customer_id: Option<Uuid>,
    /// What it is for.
    pub class: Class,
    /// By which channel, if by one of ours.
    pub channel: Option<Channel>,
    /// What it is about.
    pub subject_kind: String,
    /// Id of what it is about.
    pub subject_id: Option<Uuid>,
    /// Its topic.
    pub topic: String,
    /// The message, if it is one.
    pub message_id: Option<MessageId>,
    /// When it is or would be made.
    pub time: Timestamp,
}

impl Contact {
    /// The contact that a message is.
    pub fn of_message(message: &Message, time: Timestamp) -> Self {
        Self {
            estate_id: message.estate_id,
            household_id: message.household_id,
            customer_id: message.recipient.customer().map(Uuid::from),
            class: message.class,
            channel: None,
            subject_kind: message.subject_kind.clone(),
            subject_id: message.subject_id,
            topic: message.template_key.clone(),
            message_id: Some(message.id),
            time,
        }
    }

    /// What is the same for the same contact: class, whom it is with, what it is about. A message about nothing in
    /// particular is a contact of its own.
    pub fn identity(&self) -> String {
        let whom = self.household_id.map(Uuid::from).or(self.customer_id).map_or_else(String::new, |id| id.to_string());
        let about = match (self.subject_id, self.message_id) {
            (Some(subject), _) => format!("{}:{subject}", self.subject_kind),
            (None, Some(message)) => format!("message:{message}"),
            (None, None) => String::new(),
        };
        format!("{}:{whom}:{about}", self.class)
    }

    /// Those whose caps it counts for.
    pub fn heads(&self) -> impl Iterator<Item = Head> {
        let household = self.household_id.map(|id| Head { scope: "household", scope_id: id.as_uuid() });
        let person = self.customer_id.map(|id| Head { scope: "person", scope_id: id });
        household.into_iter().chain(person)
    }
}

/// Somebody whom caps count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Head {
    /// `household` or `person`.
    pub scope: &'static str,
    /// Who.
    pub scope_id: Uuid,
}

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: ContactEntryId,
    /// What happened.
    pub kind: EntryKind,
    /// The contact that was counted.
    pub contact_id: Option<ContactId>,
    /// The contact.
    pub contact: Contact,
    /// Codes of what spoke against it.
    pub reasons: Vec<String>,
    /// In the words of a person.
    pub note: String,
}

/// What a decision changes in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Versions of the heads as they were seen.
    pub heads: Vec<(Head, i64)>,
    /// Contacts that count from now on, with the state they are in.
    pub counted: Vec<(ContactId, Contact, EntryKind)>,
    /// Contacts that were made.
    pub sent: Vec<ContactId>,
    /// Contacts that will not be made.
    pub released: Vec<ContactId>,
    /// What the ledger says of it.
    pub entries: Vec<Entry>,
}

impl Changes {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What several decisions change together. Those whom more than one counts are there once, in the version that all of them saw.
    pub fn of_all(all: impl IntoIterator<Item = Self>) -> Self {
        let mut together = Self::default();
        for one in all {
            together.heads.extend(one.heads);
            together.counted.extend(one.counted);
            together.sent.extend(one.sent);
            together.released.extend(one.released);
            together.entries.extend(one.entries);
        }
        together.heads.sort_unstable();
        together.heads.dedup();
        together
    }

    /// Notes that these contacts are made past the rules, and why.
    pub fn override_for(&mut self, reason: &str) {
        for entry in self.entries.iter_mut().filter(|entry| entry.kind != EntryKind::Refused) {
            entry.kind = EntryKind::Overridden;
            reason.clone_into(&mut entry.note);
        }
    }

    /// Adds a line.
    pub fn note(&mut self, kind: EntryKind, contact_id: Option<ContactId>, contact: Contact, reasons: &[Reason], now: Timestamp) {
        let reasons = reasons.iter().map(|reason| reason.code.clone()).collect();
        self.entries.push(Entry { id: id_at(now), kind, contact_id, contact, reasons, note: String::new() });
    }
}

/// What the ledger is told of a message that was just judged. `is_counted`: caps may look at contacts like this, so it is
/// counted. Sets the message's contact.
pub fn of_judged(message: &mut Message, already: Option<ContactId>, is_counted: bool, reasons: &[Reason], now: Timestamp) -> Changes {
    let mut changes = Changes::default();
    if message.recipient.customer().is_none() {
        return changes;
    }
    let mut contact = Contact::of_message(message, now);
    let kind = match message.state {
        MessageState::Suppressed => EntryKind::Refused,
        // It will be judged again, and tells of itself what it waits for.
        MessageState::Deferred => return changes,
        MessageState::Queued | MessageState::Failed => EntryKind::Reserved,
        MessageState::Sent | MessageState::Delivered | MessageState::Read => EntryKind::Sent,
    };
    if kind == EntryKind::Refused {
        changes.released.extend(already);
        changes.note(kind, already, contact, reasons, now);
        return changes;
    }
    contact.channel = (kind == EntryKind::Sent).then_some(Channel::Inbox);
    let id = match already {
        Some(already) => {
            changes.sent.extend((kind == EntryKind::Sent).then_some(already));
            already
        }
        None => {
            let id: ContactId = id_at(now);
            changes.counted.extend(is_counted.then(|| (id, contact.clone(), kind)));
            id
        }
    };
    message.content.contact = Some(id);
    changes.note(kind, Some(id), contact, &[], now);
    changes
}

/// What the ledger is told when the first delivery outside the inbox went through, or all of them failed for good.
pub fn of_progress(message: &Message, before: MessageState, channel: Channel, now: Timestamp) -> Changes {
    let mut changes = Changes::default();
    let (Some(id), true) = (message.content.contact, before == MessageState::Queued) else { return changes };
    let kind = match message.state {
        MessageState::Sent | MessageState::Delivered | MessageState::Read => {
            changes.sent.push(id);
            EntryKind::Sent
        }
        MessageState::Failed => {
            changes.released.push(id);
            EntryKind::Released
        }
        MessageState::Queued | MessageState::Deferred | MessageState::Suppressed => return changes,
    };
    let contact = Contact { channel: Some(channel), ..Contact::of_message(message, now) };
    changes.note(kind, Some(id), contact, &[], now);
    changes
}
