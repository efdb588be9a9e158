//! Messages and deliveries between their rows and the domain.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::types::Json;
use steward_kit::Result;
use steward_kit::ids::CustomerId;
use uuid::Uuid;

use super::code;
use crate::domain::codes::{Channel, Class, DeliveryState, Language, MessageState, SuppressReason};
use crate::domain::delivery::{Attempt, Delivery};
use crate::domain::message::{Content, Message, Recipient, Step};
use crate::domain::plan::Planned;

/// A row of `messages`.
#[derive(Debug)]
pub(crate) struct MessageRow {
    pub(crate) estate_id: Uuid,
    pub(crate) id: Uuid,
    pub(crate) recipient_kind: String,
    pub(crate) customer_id: Option<Uuid>,
    pub(crate) staff_subject: Option<String>,
    pub(crate) staff_role: Option<String>,
    pub(crate) webhook_endpoint_id: Option<Uuid>,
    pub(crate) message_class: String,
    pub(crate) template_key: String,
    pub(crate) template_version: i32,
    pub(crate) language: String,
    pub(crate) state: String,
    pub(crate) suppress_reason: Option<String>,
    pub(crate) defer_until_time: Option<jiff_sqlx::Timestamp>,
    pub(crate) subject_kind: String,
    pub(crate) subject_id: Option<Uuid>,
    pub(crate) event_id: Option<Uuid>,
    pub(crate) household_id: Option<Uuid>,
    pub(crate) routing_rule_id: Option<Uuid>,
    pub(crate) broadcast_id: Option<Uuid>,
    pub(crate) content: Json<Content>,
    pub(crate) fact_time: Option<jiff_sqlx::Timestamp>,
    pub(crate) held_until_time: Option<jiff_sqlx::Timestamp>,
    pub(crate) hand_over_time: Option<jiff_sqlx::Timestamp>,
    pub(crate) steps: Json<Vec<Step>>,
    pub(crate) row_version: i64,
    pub(crate) create_time: jiff_sqlx::Timestamp,
    pub(crate) update_time: jiff_sqlx::Timestamp,
}

impl MessageRow {
    /// The message.
    pub(crate) fn read(self) -> Result<Message> {
        let recipient =
            match (self.recipient_kind.as_str(), self.customer_id, self.staff_subject, self.staff_role, self.webhook_endpoint_id) {
                ("customer", Some(id), ..) => Some(Recipient::Customer(CustomerId::from(id))),
                ("staff", _, Some(subject), ..) => Some(Recipient::Staff(subject)),
                ("role", _, _, Some(role), _) => Some(Recipient::Role(role)),
                ("webhook", .., Some(id)) => Some(Recipient::Webhook(id.into())),
                _ => None,
            };
        let language = if self.language.is_empty() { None } else { Some(code(Language::parse(&self.language), "language")?) };
        let reason = self.suppress_reason.map(|text| code(SuppressReason::parse(&text), "suppress_reason")).transpose()?;
        Ok(Message {
            id: self.id.into(),
            estate_id: self.estate_id.into(),
            recipient: code(recipient, "recipient_kind")?,
            class: code(Class::parse(&self.message_class), "message_class")?,
            template_key: self.template_key,
            template_version: self.template_version,
            language,
            state: code(MessageState::parse(&self.state), "state")?,
            suppress_reason: reason,
            defer_until: self.defer_until_time.map(jiff_sqlx::Timestamp::to_jiff),
            subject_kind: self.subject_kind,
            subject_id: self.subject_id,
            event_id: self.event_id.map(Into::into),
            household_id: self.household_id.map(Into::into),
            routing_rule_id: self.routing_rule_id.map(Into::into),
            broadcast_id: self.broadcast_id.map(Into::into),
            content: self.content.0,
            fact_time: self.fact_time.map(jiff_sqlx::Timestamp::to_jiff),
            held_until: self.held_until_time.map(jiff_sqlx::Timestamp::to_jiff),
            hand_over_time: self.hand_over_time.map(jiff_sqlx::Timestamp::to_jiff),
            steps: self.steps.0,
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
        })
    }
}

/// A row of `deliveries`.
#[derive(Debug)]
pub(crate) struct DeliveryRow {
    pub(crate) estate_id: Uuid,
    pub(crate) id: Uuid,
    pub(crate) message_id: Uuid,
    pub(crate) message_create_time: jiff_sqlx::Timestamp,
    pub(crate) channel: String,
    pub(crate) webhook_endpoint_id: Option<Uuid>,
    pub(crate) state: String,
    pub(crate) attempt_count: i32,
    pub(crate) attempts_before: i32,
    pub(crate) next_attempt_time: Option<jiff_sqlx::Timestamp>,
    pub(crate) attempts: Json<Vec<Attempt>>,
    pub(crate) is_bulk: bool,
    pub(crate) row_version: i64,
    pub(crate) create_time: jiff_sqlx::Timestamp,
    pub(crate) update_time: jiff_sqlx::Timestamp,
}

impl DeliveryRow {
    /// The delivery.
    pub(crate) fn read(self) -> Result<Delivery> {
        Ok(Delivery {
            id: self.id.into(),
            message_id: self.message_id.into(),
            message_create_time: self.message_create_time.to_jiff(),
            estate_id: self.estate_id.into(),
            channel: code(Channel::parse(&self.channel), "channel")?,
            webhook_endpoint_id: self.webhook_endpoint_id.map(Into::into),
            state: code(DeliveryState::parse(&self.state), "state")?,
            attempt_count: self.attempt_count,
            attempts_before: self.attempts_before,
            next_attempt_time: self.next_attempt_time.map(jiff_sqlx::Timestamp::to_jiff),
            attempts: self.attempts.0,
            is_bulk: self.is_bulk,
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
        })
    }
}

/// A message as the inserting statements take it.
#[derive(Debug, Serialize)]
pub(crate) struct NewMessage<'a> {
    key: String,
    estate_id: Uuid,
    id: Uuid,
    recipient_kind: &'static str,
    customer_id: Option<Uuid>,
    staff_subject: Option<&'a str>,
    staff_role: Option<&'a str>,
    webhook_endpoint_id: Option<Uuid>,
    message_class: Class,
    template_key: &'a str,
    template_version: i32,
    language: &'static str,
    state: MessageState,
    suppress_reason: Option<SuppressReason>,
    defer_until_time: Option<Timestamp>,
    subject_kind: &'a str,
    subject_id: Option<Uuid>,
    event_id: Option<Uuid>,
    household_id: Option<Uuid>,
    routing_rule_id: Option<Uuid>,
    broadcast_id: Option<Uuid>,
    content: &'a Content,
    fact_time: Option<Timestamp>,
    held_until_time: Option<Timestamp>,
    hand_over_time: Option<Timestamp>,
    steps: &'a [Step],
    create_time: Timestamp,
    update_time: Timestamp,
}

/// The columns of a recipient: customer, subject, role, endpoint.
pub(crate) fn recipient_columns(recipient: &Recipient) -> (Option<Uuid>, Option<&str>, Option<&str>, Option<Uuid>) {
    match recipient {
        Recipient::Customer(id) => (Some(id.as_uuid()), None, None, None),
        Recipient::Staff(subject) => (None, Some(subject), None, None),
        Recipient::Role(role) => (None, None, Some(role), None),
        Recipient::Webhook(id) => (None, None, None, Some(id.as_uuid())),
    }
}

/// The messages of a batch.
pub(crate) fn new_messages(planned: &[Planned]) -> Vec<NewMessage<'_>> {
    planned
        .iter()
        .map(|one| {
            let message = &one.message;
            let (customer_id, staff_subject, staff_role, webhook_endpoint_id) = recipient_columns(&message.recipient);
            NewMessage {
                key: STANDARD.encode(&one.key),
                estate_id: message.estate_id.as_uuid(),
                id: message.id.as_uuid(),
                recipient_kind: message.recipient.kind(),
                customer_id,
                staff_subject,
                staff_role,
                webhook_endpoint_id,
                message_class: message.class,
                template_key: &message.template_key,
                template_version: message.template_version,
                language: message.language.map_or("", Language::as_str),
                state: message.state,
                suppress_reason: message.suppress_reason,
                defer_until_time: message.defer_until,
                subject_kind: &message.subject_kind,
                subject_id: message.subject_id,
                event_id: message.event_id.map(Uuid::from),
                household_id: message.household_id.map(Uuid::from),
                routing_rule_id: message.routing_rule_id.map(Uuid::from),
                broadcast_id: message.broadcast_id.map(Uuid::from),
                content: &message.content,
                fact_time: message.fact_time,
                held_until_time: message.held_until,
                hand_over_time: message.hand_over_time,
                steps: &message.steps,
                create_time: message.create_time,
                update_time: message.update_time,
            }
        })
        .collect()
}

/// A delivery as the inserting statements take it.
#[derive(Debug, Serialize)]
pub(crate) struct NewDelivery<'a> {
    estate_id: Uuid,
    id: Uuid,
    message_id: Uuid,
    message_create_time: Timestamp,
    channel: Channel,
    webhook_endpoint_id: Option<Uuid>,
    state: DeliveryState,
    attempt_count: i32,
    next_attempt_time: Option<Timestamp>,
    attempts: &'a [Attempt],
    is_bulk: bool,
    create_time: Timestamp,
}

/// Deliveries of a batch.
pub(crate) fn new_deliveries<'a>(deliveries: impl IntoIterator<Item = &'a Delivery>) -> Vec<NewDelivery<'a>> {
    deliveries
        .into_iter()
        .map(|delivery| NewDelivery {
            estate_id: delivery.estate_id.as_uuid(),
            id: delivery.id.as_uuid(),
            message_id: delivery.message_id.as_uuid(),
            message_create_time: delivery.message_create_time,
            channel: delivery.channel,
            webhook_endpoint_id: delivery.webhook_endpoint_id.map(Uuid::from),
            state: delivery.state,
            attempt_count: delivery.attempt_count,
            next_attempt_time: delivery.next_attempt_time,
            attempts: &delivery.attempts,
            is_bulk: delivery.is_bulk,
            create_time: delivery.create_time,
        })
        .collect()
}

/// An item of an inbox as the inserting statements take it.
#[derive(Debug, Serialize)]
pub(crate) struct NewItem<'a> {
    estate_id: Uuid,
    message_id: Uuid,
    message_create_time: Timestamp,
    delivery_id: Uuid,
    customer_id: Option<Uuid>,
    staff_subject: Option<&'a str>,
    staff_role: Option<&'a str>,
    message_class: Class,
    template_key: &'a str,
    title: &'a str,
    body: &'a str,
    subject_kind: &'a str,
    subject_id: Option<Uuid>,
    create_time: Timestamp,
}

/// The items of a batch that go into inboxes.
pub(crate) fn new_items(planned: &[Planned]) -> Vec<NewItem<'_>> {
    planned
        .iter()
        .filter_map(|one| {
            let message = &one.message;
            let (delivery, text) = (one.inbox()?, message.content.shown()?);
            let (customer_id, staff_subject, staff_role, _) = recipient_columns(&message.recipient);
            Some(NewItem {
                estate_id: message.estate_id.as_uuid(),
                message_id: message.id.as_uuid(),
                message_create_time: message.create_time,
                delivery_id: delivery.id.as_uuid(),
                customer_id,
                staff_subject,
                staff_role,
                message_class: message.class,
                template_key: &message.template_key,
                title: &text.title,
                body: &text.body,
                subject_kind: &message.subject_kind,
                subject_id: message.subject_id,
                create_time: delivery.create_time,
            })
        })
        .collect()
}
