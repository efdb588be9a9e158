//! What the audit is told: the JSON that `customer.append_audit` appends.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use steward_kit::ids::CustomerId;

use crate::domain::ids::AuditId;

/// Who did it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Actor<'a> {
    /// The principal's subject.
    pub(crate) subject: &'a str,
    /// What sort of principal it is.
    pub(crate) kind: &'a str,
}

/// One entry of a customer's audit. Its details hold codes and keyed hashes, never a plain value.
pub(crate) fn entry(
    id: AuditId,
    kind: &'static str,
    customer: CustomerId,
    actor: &Actor<'_>,
    now: Timestamp,
    details: Map<String, Value>,
) -> Value {
    let mut entry = details;
    entry.insert("id".to_owned(), json!(id));
    entry.insert("kind".to_owned(), json!(kind));
    entry.insert("customer_id".to_owned(), json!(customer));
    entry.insert("actor".to_owned(), json!(actor.subject));
    entry.insert("actor_kind".to_owned(), json!(actor.kind));
    entry.insert("occur_time".to_owned(), json!(now));
    Value::Object(entry)
}
