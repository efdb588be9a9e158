//! What each fact tells: a code that apps have a text for, and the numbers and codes that the text needs.

use std::collections::BTreeMap;

use prost::DecodeError;
use steward_kit::proto;
use steward_proto::customer::v1 as customer;
use steward_proto::work_order::v1 as work_order;

use super::consume::payload;
use crate::domain::timeline::TimelineKind;

/// What an entry tells.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) kind: TimelineKind,
    pub(super) title_code: &'static str,
    pub(super) subject_id: String,
    pub(super) customer_id: String,
    pub(super) unit_id: String,
    pub(super) parameters: BTreeMap<String, String>,
}

/// Types of events that tell something of a customer or a unit.
pub(super) const WANTED: [&str; 18] = [
    "steward.work_order.v1.WorkOrderCreated",
    "steward.work_order.v1.WorkOrderAssessed",
    "steward.work_order.v1.WorkOrderAssigned",
    "steward.work_order.v1.CustomerContacted",
    "steward.work_order.v1.TechnicianArrived",
    "steward.work_order.v1.WorkOrderCompleted",
    "steward.work_order.v1.CallbackRecorded",
    "steward.work_order.v1.WorkOrderReopened",
    "steward.work_order.v1.WorkOrderClosed",
    "steward.work_order.v1.WorkOrderCancelled",
    "steward.work_order.v1.WorkOrderUrged",
    "steward.work_order.v1.ClockBreached",
    "steward.customer.v1.CustomerCreated",
    "steward.customer.v1.CustomerUpdated",
    "steward.customer.v1.CustomerErased",
    "steward.customer.v1.TenureStarted",
    "steward.customer.v1.TenureEnded",
    "steward.work_order.v1.WorkOrderEscalated",
];

/// What an event tells; `None` for one that tells nothing here.
pub(super) fn told(kind: &str, bytes: &[u8]) -> Result<Option<Told>, DecodeError> {
    let Some(name) = kind.strip_prefix("steward.work_order.v1.") else { return own(kind, bytes) };
    let told = match name {
        "WorkOrderCreated" => order("work_order.created", payload::<work_order::WorkOrderCreated>(bytes)?.order, []),
        "WorkOrderAssessed" => {
            let fact: work_order::WorkOrderAssessed = payload(bytes)?;
            // What the customer was not told of is no news to them.
            let code = if fact.customer_informed { "work_order.assessed" } else { "work_order.assessed_internally" };
            order(code, fact.order, [])
        }
        "WorkOrderAssigned" => order("work_order.assigned", payload::<work_order::WorkOrderAssigned>(bytes)?.order, []),
        "CustomerContacted" => {
            let fact: work_order::CustomerContacted = payload(bytes)?;
            let code = if fact.reached { "work_order.contacted" } else { "work_order.contact_missed" };
            let promise = fact.promise_time.as_ref().and_then(proto::timestamp).map(|time| time.to_string());
            order(code, fact.order, [("promise_time", promise.unwrap_or_default())])
        }
        "TechnicianArrived" => order("work_order.arrived", payload::<work_order::TechnicianArrived>(bytes)?.order, []),
        "WorkOrderCompleted" => order("work_order.completed", payload::<work_order::WorkOrderCompleted>(bytes)?.order, []),
        "CallbackRecorded" => {
            let fact: work_order::CallbackRecorded = payload(bytes)?;
            let outcome = fact.outcome().as_str_name().trim_start_matches("CALLBACK_OUTCOME_").to_lowercase();
            let score = if fact.score == 0 { String::new() } else { fact.score.to_string() };
            order("work_order.called_back", fact.order, [("outcome", outcome), ("score", score)])
        }
        "WorkOrderReopened" => order("work_order.reopened", payload::<work_order::WorkOrderReopened>(bytes)?.order, []),
        "WorkOrderClosed" => {
            let fact: work_order::WorkOrderClosed = payload(bytes)?;
            let code = close_code(fact.close_code());
            order("work_order.closed", fact.order, [("close_code", code)])
        }
        "WorkOrderCancelled" => {
            let fact: work_order::WorkOrderCancelled = payload(bytes)?;
            let code = close_code(fact.close_code());
            order("work_order.cancelled", fact.order, [("close_code", code)])
        }
        "WorkOrderUrged" => {
            let fact: work_order::WorkOrderUrged = payload(bytes)?;
            order("work_order.urged", fact.order, [("urge_count", fact.urge_count.to_string())])
        }
        "ClockBreached" => {
            let fact: work_order::ClockBreached = payload(bytes)?;
            let due = fact.due_time.as_ref().and_then(proto::timestamp).map(|time| time.to_string());
            order("work_order.clock_breached", fact.order, [("clock", fact.clock), ("due_time", due.unwrap_or_default())])
        }
        "WorkOrderEscalated" => {
            let fact: work_order::WorkOrderEscalated = payload(bytes)?;
            order("work_order.escalated", fact.order, [("clock", fact.clock), ("percent", fact.percent.to_string())])
        }
        _ => None,
    };
    Ok(told)
}

fn close_code(code: work_order::CloseCode) -> String {
    code.as_str_name().trim_start_matches("CLOSE_CODE_").to_lowercase()
}

fn order<const N: usize>(title_code: &'static str, order: Option<work_order::OrderFacts>, more: [(&str, String); N]) -> Option<Told> {
    let order = order?;
    let word = |name: &str, prefix: &str| name.trim_start_matches(prefix).to_lowercase();
    let parameters = [
        ("number", order.number.clone()),
        ("kind", word(order.kind().as_str_name(), "WORK_ORDER_KIND_")),
        ("urgency", word(order.urgency().as_str_name(), "URGENCY_")),
        ("category", order.category.clone()),
        ("state", word(order.state().as_str_name(), "STATE_")),
        ("cycle", order.cycle.to_string()),
    ];
    let parameters = parameters.into_iter().chain(more).filter(|(_, value)| !value.is_empty());
    Some(Told {
        kind: TimelineKind::WorkOrder,
        title_code,
        parameters: parameters.map(|(name, value)| (name.to_owned(), value)).collect(),
        subject_id: order.work_order_id,
        customer_id: order.customer_id,
        unit_id: order.unit_id,
    })
}

/// Facts of this service.
fn own(kind: &str, bytes: &[u8]) -> Result<Option<Told>, DecodeError> {
    let role = |role: customer::TenureRole| role.as_str_name().trim_start_matches("TENURE_ROLE_").to_lowercase();
    let told = match kind.strip_prefix("steward.customer.v1.") {
        Some("CustomerCreated") => {
            let fact: customer::CustomerCreated = payload(bytes)?;
            record("customer.created", fact.customer_id, [])
        }
        Some("CustomerUpdated") => {
            let fact: customer::CustomerUpdated = payload(bytes)?;
            record("customer.updated", fact.customer_id, [("changed_fields", fact.changed_fields.join(","))])
        }
        Some("CustomerErased") => {
            let fact: customer::CustomerErased = payload(bytes)?;
            let basis = fact.basis().as_str_name().trim_start_matches("ERASURE_BASIS_").to_lowercase();
            record("customer.erased", fact.customer_id, [("basis", basis)])
        }
        Some("TenureStarted") => {
            let fact: customer::TenureStarted = payload(bytes)?;
            let parameters = [("role", role(fact.role())), ("from_date", fact.from_date), ("to_date", fact.to_date)];
            tenure("tenure.started", fact.tenure_id, fact.customer_id, fact.unit_id, parameters)
        }
        Some("TenureEnded") => {
            let fact: customer::TenureEnded = payload(bytes)?;
            let parameters = [("role", role(fact.role())), ("to_date", fact.to_date)];
            tenure("tenure.ended", fact.tenure_id, fact.customer_id, fact.unit_id, parameters)
        }
        Some(_) | None => return Ok(None),
    };
    Ok(Some(told))
}

fn record<const N: usize>(title_code: &'static str, customer_id: String, parameters: [(&str, String); N]) -> Told {
    let parameters = named(parameters);
    Told { kind: TimelineKind::Customer, title_code, subject_id: customer_id.clone(), customer_id, unit_id: String::new(), parameters }
}

fn tenure<const N: usize>(
    title_code: &'static str,
    subject_id: String,
    customer_id: String,
    unit_id: String,
    parameters: [(&str, String); N],
) -> Told {
    Told { kind: TimelineKind::Tenure, title_code, subject_id, customer_id, unit_id, parameters: named(parameters) }
}

fn named<const N: usize>(parameters: [(&str, String); N]) -> BTreeMap<String, String> {
    parameters.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), value)).collect()
}
