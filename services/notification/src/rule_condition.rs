//! The condition of a routing rule between the contract's predicate and the domain: what of it the event answers, and what only
//! customer can tell of the household.

use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use steward_kit::error::Violations;
use steward_kit::predicate::{Compiled, Sides, split};
use steward_kit::{Error, Result};
use steward_proto::common::v1::Predicate;

use crate::domain::routing::Condition;
use crate::events::catalogue::{EVENT, catalogue};

/// A condition that was checked, in its two parts.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// What must hold of the event; `None` holds always.
    pub(crate) event: Option<Compiled>,
    /// What must hold of the household, as customer is asked; `None` holds always.
    pub(crate) household: Option<Predicate>,
}

/// Checks the condition of a rule for an event, and notes every fault at its place below `at`.
pub(crate) fn read(predicate: &Predicate, event: &MessageDescriptor, at: &str, bad: &mut Violations) -> Option<Parts> {
    let catalogue = catalogue(event);
    Compiled::of(predicate, &catalogue, at, bad)?;
    let sides = split(predicate, at, &|field: &str| field.starts_with(EVENT));
    let Sides { first, second } = match sides {
        Ok(sides) => sides,
        Err(place) => {
            let text = "must not ask the event and the household below one any_of or not: give each its own, side by side in all_of";
            bad.add(place, "PREDICATE_MIXED", text);
            return None;
        }
    };
    let event = match &first {
        Some(first) => Some(Compiled::of(first, &catalogue, at, bad)?),
        None => None,
    };
    Some(Parts { event, household: second })
}

/// The condition of a rule that was checked when it was created.
///
/// # Errors
/// It does not read: ours, and the event waits among the dead letters until it does.
pub(crate) fn stored(condition: &Condition, event: &MessageDescriptor) -> Result<Parts> {
    let predicate = predicate(condition)?;
    let mut bad = Violations::new();
    let parts = read(&predicate, event, "when", &mut bad);
    parts.ok_or_else(|| Error::bug(format_args!("a stored condition on {} does not read: {bad}", event.full_name())))
}

/// A condition as its message.
///
/// # Errors
/// It is none.
pub(crate) fn predicate(condition: &Condition) -> Result<Predicate> {
    let message = DynamicMessage::deserialize(descriptor()?, &condition.0).map_err(Error::internal)?;
    message.transcode_to().map_err(Error::internal)
}

/// A predicate as it is kept: its message in JSON.
///
/// # Errors
/// It does not write.
pub(crate) fn condition(predicate: &Predicate) -> Result<Condition> {
    let message = DynamicMessage::decode(descriptor()?, predicate.encode_to_vec().as_slice()).map_err(Error::internal)?;
    serde_json::to_value(&message).map(Condition).map_err(Error::internal)
}

fn descriptor() -> Result<MessageDescriptor> {
    let descriptor = steward_proto::descriptor_pool().get_message_by_name("steward.common.v1.Predicate");
    descriptor.ok_or_else(|| Error::bug("the contract has no predicate"))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use steward_kit::predicate::{Truth, ask};
    use steward_proto::common::v1::value::Kind;
    use steward_proto::common::v1::{Operator, Urgency};
    use steward_proto::event::v1::Event;
    use steward_proto::work_order::v1 as work_order;

    use super::*;
    use crate::events::facts::{EventFacts, Payload, event_descriptor};

    const WARNED: &str = "steward.work_order.v1.ClockWarned";

    fn payload() -> Payload {
        let fact = work_order::ClockWarned {
            order: Some(work_order::OrderFacts {
                category: "noise".to_owned(),
                urgency: Urgency::L1.into(),
                cycle: 2,
                ..Default::default()
            }),
            percent: 80,
            // 23:30 on 1 March in Shanghai is 15:30 in UTC.
            due_time: Some(steward_kit::proto::to_timestamp("2026-03-01T15:30:00Z".parse().unwrap())),
            notify_roles: vec!["assignee".to_owned(), "estate_manager".to_owned()],
            ..Default::default()
        };
        let payload = prost_types::Any { type_url: String::new(), value: fact.encode_to_vec() };
        Payload::of(&Event { r#type: WARNED.to_owned(), payload: Some(payload), ..Default::default() }).unwrap().unwrap()
    }

    /// M5: each field has the type that the contract gives it; what is empty or not set is not recorded.
    #[test]
    fn an_event_is_asked_in_the_types_of_its_fields() {
        let (event, payload) = (event_descriptor(WARNED).unwrap(), payload());
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let facts = EventFacts { payload: &payload, zone: &zone };
        let day = |day: &str| [Kind::Date(day.to_owned())];
        let table = [
            (ask::equals("event.order.urgency", ["URGENCY_L1"]), Truth::True),
            (ask::equals("event.order.kind", ["WORK_ORDER_KIND_REPAIR"]), Truth::Unknown),
            (ask::missing("event.order.assignee"), Truth::True),
            (ask::at_least("event.percent", 80), Truth::True),
            (ask::at_least("event.order.cycle", 3), Truth::False),
            (ask::condition("event.due_time", Operator::Equals, day("2026-03-01")), Truth::True),
            (ask::condition("event.order.case_time", Operator::Missing, []), Truth::True),
            (ask::has_any("event.notify_roles", ["assignee"]), Truth::True),
            (ask::has_any("event.notify_roles", ["steward"]), Truth::False),
        ];
        for (predicate, truth) in table {
            let mut bad = Violations::new();
            let parts = read(&predicate, &event, "when", &mut bad).unwrap_or_else(|| panic!("{predicate:?}: {bad}"));
            let finding = parts.event.unwrap().evaluate(&facts, date(2026, 3, 2));
            assert_eq!(finding.truth, truth, "{predicate:?}");
            assert_eq!(parts.household, None);
            assert_eq!(super::predicate(&condition(&predicate).unwrap()).unwrap(), predicate, "kept as it was given");
        }
    }

    /// A misspelt field is told with those that there are; a code of an enum with its names.
    #[test]
    fn a_fault_names_what_is_allowed() {
        let event = event_descriptor(WARNED).unwrap();
        let fault = |predicate: Predicate| {
            let mut bad = Violations::new();
            assert!(read(&predicate, &event, "when", &mut bad).is_none());
            bad.to_string()
        };
        let text = fault(ask::equals("event.order.urgent", ["URGENCY_L1"]));
        assert!(text.contains("event.order.urgency") && text.contains("event.notify_roles") && !text.contains("household."), "{text}");
        let text = fault(ask::equals("event.order.urgency", ["L1"]));
        assert!(text.contains("URGENCY_L0") && !text.contains("UNSPECIFIED"), "{text}");
    }
}
