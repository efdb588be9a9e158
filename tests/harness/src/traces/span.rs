//! A span as it was received.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{Span as Received, span::SpanKind},
};

/// A piece of work of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The trace it belongs to, in hex.
    pub trace: String,
    /// Its own id, in hex.
    pub id: String,
    /// The span that it is a part of or follows from; empty at the root.
    pub parent: String,
    /// `steward.gateway.v1.IntakeService/SubmitReport`, `publish WorkOrderCreated`, `timer clock`, …
    pub name: String,
    /// The process, `work_order`.
    pub service: String,
    /// Whether it is what a caller asked for.
    pub is_server: bool,
    /// When it began, by the machine's clock.
    pub start_nanos: u64,
    /// When it ended.
    pub end_nanos: u64,
    /// Traces that it is linked to.
    pub links: Vec<String>,
    /// Its attributes, and those of its events, as text.
    pub attributes: BTreeMap<String, String>,
}

impl Span {
    pub(super) fn of(service: &str, received: Received) -> Self {
        let attributes = received.attributes.into_iter().map(text);
        let events = received.events.into_iter().flat_map(|event| {
            let name = event.name;
            event.attributes.into_iter().map(move |attribute| {
                let (key, value) = text(attribute);
                (format!("{name}: {key}"), value)
            })
        });
        Self {
            trace: hex::encode(&received.trace_id),
            id: hex::encode(&received.span_id),
            parent: hex::encode(&received.parent_span_id),
            is_server: received.kind == i32::from(SpanKind::Server),
            service: service.to_owned(),
            name: received.name,
            start_nanos: received.start_time_unix_nano,
            end_nanos: received.end_time_unix_nano.max(received.start_time_unix_nano),
            links: received.links.iter().map(|link| hex::encode(&link.trace_id)).collect(),
            attributes: attributes.chain(events).collect(),
        }
    }

    /// What it is called in a picture: the name without the package, `IntakeService/SubmitReport`.
    pub fn label(&self) -> String {
        let said = |key: &str| self.attributes.get(key).map(String::as_str);
        match (said("service"), said("method")) {
            (Some(service), Some(method)) => format!("{}/{method}", service.rsplit('.').next().unwrap_or(service)),
            _ => match self.name.split_once('/') {
                Some((service, _)) => self.name[service.rfind('.').map_or(0, |dot| dot + 1)..].to_owned(),
                None => self.name.clone(),
            },
        }
    }

    /// Everything that it says, for a search.
    pub fn words(&self) -> String {
        let attributes: Vec<String> = self.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
        format!("{} {} {}", self.service, self.name, attributes.join(" "))
    }
}

fn text(attribute: KeyValue) -> (String, String) {
    (attribute.key, attribute.value.map(value_text).unwrap_or_default())
}

/// The text of an attribute; what is nested is shown as the library shows it.
pub(super) fn value_text(value: AnyValue) -> String {
    match value.value {
        Some(Value::StringValue(text)) => text,
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => value.to_string(),
        other => format!("{other:?}"),
    }
}
