//! Published facts, read by path: rules and webhooks are data, so they meet events as descriptors.

use jiff::tz::TimeZone;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value};
use steward_kit::predicate::{Fact, FactType};
use steward_kit::{Error, Result};
use steward_proto::event::v1::Event;

use super::catalogue::{EVENT, fact_type};
use crate::domain::routing::Facts;

/// The payload of an event.
#[derive(Debug)]
pub(crate) struct Payload(DynamicMessage);

/// The descriptor of a published fact; none when no service publishes this type. Facts stand in `events.proto`, or in a file of its
/// own for a part of a service, such as `community_events.proto`.
pub(crate) fn event_descriptor(kind: &str) -> Option<MessageDescriptor> {
    let message = steward_proto::descriptor_pool().get_message_by_name(kind)?;
    let is_fact = message.parent_file().name().rsplit(['/', '_']).next() == Some("events.proto");
    is_fact.then_some(message)
}

/// Whether a payload has a field at `path`.
pub(crate) fn check_path(message: &MessageDescriptor, path: &str) -> bool {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Some(field) = message.get_field_by_name(first) else { return false };
    match (field.kind(), rest) {
        (_, None) => true,
        (Kind::Message(inner), Some(rest)) => check_path(&inner, rest),
        (_, Some(_)) => false,
    }
}

impl Payload {
    /// The payload of `event`; none when its type is not known here.
    ///
    /// # Errors
    /// Bytes that are no such message.
    pub(crate) fn of(event: &Event) -> Result<Option<Self>> {
        let Some(descriptor) = event_descriptor(&event.r#type) else { return Ok(None) };
        let payload = event.payload.as_ref().ok_or_else(|| Error::bug("an event without a payload"))?;
        let message = DynamicMessage::decode(descriptor, payload.value.as_slice()).map_err(Error::internal)?;
        Ok(Some(Self(message)))
    }

    /// What it is.
    pub(crate) fn descriptor(&self) -> MessageDescriptor {
        self.0.descriptor()
    }

    /// The body of a webhook call.
    ///
    /// # Errors
    /// It does not serialise.
    pub(crate) fn webhook_body(&self, event: &Event) -> Result<String> {
        let data = serde_json::to_value(&self.0).map_err(Error::internal)?;
        let occur_time = event.occur_time.as_ref().and_then(steward_kit::proto::timestamp);
        let body = serde_json::json!({
            "type": event.r#type,
            "timestamp": occur_time.map(|time| time.to_string()),
            "data": data,
        });
        Ok(body.to_string())
    }
}

/// An event as predicates ask it: its days are those of a place.
#[derive(Debug)]
pub(crate) struct EventFacts<'a> {
    pub(crate) payload: &'a Payload,
    pub(crate) zone: &'a TimeZone,
}

impl steward_kit::predicate::Facts for EventFacts<'_> {
    /// What is empty or not set was not recorded; a number or truth value that is always there is.
    fn fact(&self, field: &str) -> Option<Fact> {
        fact(&self.payload.0, field.strip_prefix(EVENT)?, self.zone)
    }
}

fn fact(message: &DynamicMessage, path: &str, zone: &TimeZone) -> Option<Fact> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let field = message.descriptor().get_field_by_name(first)?;
    if field.is_list() {
        let codes: Vec<String> = values(message, path).into_iter().filter(|code| !code.is_empty()).collect();
        return Some(Fact::Codes(codes));
    }
    if field.supports_presence() && !message.has_field(&field) {
        return None;
    }
    let value = message.get_field(&field);
    match rest {
        Some(rest) => fact(value.as_message()?, rest, zone),
        None => single(&value, &field, zone),
    }
}

/// A value in the type that the catalogue gives its field.
fn single(value: &Value, field: &FieldDescriptor, zone: &TimeZone) -> Option<Fact> {
    let text = text(value, &field.kind()).filter(|text| !text.is_empty())?;
    match fact_type(field, false)? {
        FactType::Code => Some(Fact::Code(text)),
        FactType::Integer => text.parse().ok().map(Fact::Integer),
        FactType::Decimal => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Fact::Decimal),
        FactType::Boolean => value.as_bool().map(Fact::Boolean),
        FactType::Date if field.kind() == Kind::String => steward_kit::proto::date(&text).map(Fact::Date),
        FactType::Date => text.parse::<jiff::Timestamp>().ok().map(|at| Fact::Date(at.to_zoned(zone.clone()).date())),
        // Lists do not come here.
        FactType::Codes => None,
    }
}

impl Facts for Payload {
    fn values(&self, path: &str) -> Vec<String> {
        values(&self.0, path)
    }
}

fn values(message: &DynamicMessage, path: &str) -> Vec<String> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Some(field) = message.descriptor().get_field_by_name(first) else { return Vec::new() };
    if field.supports_presence() && !message.has_field(&field) {
        return Vec::new();
    }
    let value = message.get_field(&field);
    match (value.as_ref(), rest) {
        (Value::Message(inner), Some(rest)) => values(inner, rest),
        (Value::List(all), Some(rest)) => all.iter().filter_map(Value::as_message).flat_map(|inner| values(inner, rest)).collect(),
        (_, Some(_)) => Vec::new(),
        (Value::List(all), None) => all.iter().filter_map(|one| text(one, &field.kind())).collect(),
        (one, None) => text(one, &field.kind()).into_iter().collect(),
    }
}

/// One value as text. Maps and plain messages have none.
fn text(value: &Value, kind: &Kind) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::I32(value) => Some(value.to_string()),
        Value::I64(value) => Some(value.to_string()),
        Value::U32(value) => Some(value.to_string()),
        Value::U64(value) => Some(value.to_string()),
        Value::F32(value) => Some(value.to_string()),
        Value::F64(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::EnumNumber(number) => {
            let name = kind.as_enum().and_then(|values| values.get_value(*number)).map(|value| value.name().to_owned());
            // 0 is `UNSPECIFIED`: nothing was said.
            name.filter(|_| *number != 0)
        }
        Value::Message(message) if message.descriptor().full_name() == "google.protobuf.Timestamp" => {
            let instant: prost_types::Timestamp = message.transcode_to().ok()?;
            Some(steward_kit::proto::timestamp(&instant)?.to_string())
        }
        Value::Message(_) | Value::List(_) | Value::Map(_) | Value::Bytes(_) => None,
    }
}
