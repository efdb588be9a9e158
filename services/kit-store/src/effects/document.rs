//! The JSON that `write_effects` reads. Sorted by subject, kind and key, so that two writers lock timers in one order.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{Effects, TimerChange};
use crate::shard::shard_of;

#[derive(Serialize)]
struct Document<'a> {
    now: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<ClaimRow<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<EventRow<'a>>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    cancel_subjects: BTreeSet<Uuid>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cancels: Vec<Name<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    timers: Vec<TimerRow<'a>>,
}

#[derive(Serialize)]
struct ClaimRow<'a> {
    principal: &'a str,
    method: &'a str,
    request_id: Uuid,
    request_hash: String,
    response: String,
}

#[derive(Serialize)]
struct EventRow<'a> {
    id: Uuid,
    r#type: &'a str,
    subject_id: Uuid,
    estate_id: Option<Uuid>,
    shard: u16,
    occur_time: Timestamp,
    traceparent: &'a str,
    payload: String,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Name<'a> {
    subject_id: Uuid,
    kind: &'a str,
    key: &'a str,
}

#[derive(Serialize, Clone, Copy)]
struct TimerRow<'a> {
    id: Uuid,
    #[serde(flatten)]
    name: Name<'a>,
    estate_id: Option<Uuid>,
    due_time: Timestamp,
    #[serde(skip_serializing_if = "str::is_empty")]
    traceparent: &'a str,
}

pub(super) fn of(effects: &Effects, now: Timestamp) -> serde_json::Value {
    let (cancel_subjects, cancels, timers) = fold(&effects.timers);
    let document = Document {
        now: whole_microseconds(now),
        claim: effects.claim.as_ref().map(|claim| ClaimRow {
            principal: &claim.key.principal,
            method: &claim.key.method,
            request_id: claim.key.request_id.as_uuid(),
            request_hash: STANDARD.encode(claim.key.body_hash),
            response: STANDARD.encode(&claim.response),
        }),
        events: effects
            .events
            .iter()
            .map(|event| EventRow {
                id: event.id.as_uuid(),
                r#type: &event.kind,
                subject_id: event.subject_id,
                estate_id: event.estate_id.map(Uuid::from),
                shard: shard_of(event.subject_id),
                occur_time: whole_microseconds(event.occur_time),
                traceparent: &event.traceparent,
                payload: STANDARD.encode(&event.payload),
            })
            .collect(),
        cancel_subjects,
        cancels,
        timers,
    };
    serde_json::to_value(document).expect("strings, numbers and times always serialise")
}

/// The changes in their order, folded to what is left of them: the database cancels first and sets afterwards.
fn fold(changes: &[TimerChange]) -> (BTreeSet<Uuid>, Vec<Name<'_>>, Vec<TimerRow<'_>>) {
    let mut cancel_subjects = BTreeSet::new();
    let mut left: BTreeMap<Name<'_>, Option<TimerRow<'_>>> = BTreeMap::new();
    for change in changes {
        match change {
            TimerChange::Set { id, kind, subject_id, key, estate_id, due_time, traceparent } => {
                let name = Name { subject_id: *subject_id, kind, key };
                let due_time = whole_microseconds(*due_time);
                left.insert(name, Some(TimerRow { id: id.as_uuid(), name, estate_id: estate_id.map(Uuid::from), due_time, traceparent }));
            }
            TimerChange::Cancel { kind, subject_id, key } => {
                left.insert(Name { subject_id: *subject_id, kind, key }, None);
            }
            TimerChange::CancelAll { subject_id } => {
                cancel_subjects.insert(*subject_id);
                left.retain(|name, _| name.subject_id != *subject_id);
            }
        }
    }
    let cancels = left.iter().filter(|(_, set)| set.is_none()).map(|(name, _)| *name).collect();
    let timers = left.into_values().flatten().collect();
    (cancel_subjects, cancels, timers)
}

/// What Postgres keeps; it would round, and a time rounded up is not due yet when it should be.
fn whole_microseconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_change_of_the_same_timer_wins() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let due: Timestamp = "2026-03-01T02:00:00.123456789Z".parse().expect("parses");
        let effects = Effects {
            timers: vec![
                TimerChange::set("clock", a, "contact", None, due),
                TimerChange::cancel_all(a),
                TimerChange::set("clock", a, "arrive", None, due),
                TimerChange::cancel("clock", b, "x"),
                TimerChange::set("clock", b, "y", None, due),
                TimerChange::cancel("clock", b, "y"),
            ],
            ..Effects::none()
        };
        let json = effects.json(due);
        assert_eq!(json["cancel_subjects"], serde_json::json!([a]));
        assert_eq!(json["timers"].as_array().map(Vec::len), Some(1));
        assert_eq!(json["timers"][0]["key"], "arrive");
        assert_eq!(json["timers"][0]["due_time"], "2026-03-01T02:00:00.123456Z");
        assert_eq!(json["cancels"].as_array().map(Vec::len), Some(2));
        assert!(json.get("claim").is_none() && json.get("events").is_none());
    }
}
