//! A fact on its way into the outbox.

use jiff::Timestamp;
use steward_kit::ids::{EstateId, EventId};
use steward_kit::telemetry::current_traceparent;
use uuid::Uuid;

/// A fact to publish. Its payload holds ids, times and codes; never personal data.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The same on every delivery.
    pub id: EventId,
    /// Full name of the payload's message.
    pub kind: String,
    /// What the fact is about; the unit of order.
    pub subject_id: Uuid,
    /// Where it happened; `None` for facts of the whole group.
    pub estate_id: Option<EstateId>,
    /// When it happened.
    pub occur_time: Timestamp,
    /// W3C trace context of the request, empty when it was not traced.
    pub traceparent: String,
    /// The encoded message.
    pub payload: Vec<u8>,
}

impl NewEvent {
    /// A fact about `subject_id`. Its type is the payload's name.
    pub fn new<M: prost::Message + prost::Name>(
        subject_id: impl Into<Uuid>,
        estate_id: impl Into<Option<EstateId>>,
        occur_time: Timestamp,
        payload: &M,
    ) -> Self {
        Self {
            id: EventId::new(),
            kind: M::full_name(),
            subject_id: subject_id.into(),
            estate_id: estate_id.into(),
            occur_time,
            traceparent: current_traceparent().unwrap_or_default(),
            payload: payload.encode_to_vec(),
        }
    }
}
