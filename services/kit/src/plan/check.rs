//! What holds in every document, wherever it stands: the unit of a span must be counted on its calendar, and the calendar must be
//! loaded (P-5); a predicate must be one that the register can answer (M5), or whatever asks it would wait for ever. One walk over
//! the descriptors, so that no document kind can forget it.

use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use steward_proto::common::v1 as common;
use steward_proto::plan::v1::PolicyDocument;

use crate::calendar::{CalendarId, Calendars};
use crate::error::{Error, Result, Violations};
use crate::predicate::{Catalogue, Compiled};
use crate::proto::span;

const SPAN: &str = "steward.common.v1.Span";
const PREDICATE: &str = "steward.common.v1.Predicate";

/// Notes every span of `document` that cannot be counted and every predicate that cannot be asked of a household. `at` is the place of
/// the document in the request: `document`.
///
/// # Errors
/// The document is not of the contract that this process was built with, which is our fault.
pub fn check_document(document: &PolicyDocument, at: &str, calendars: &Calendars, bad: &mut Violations) -> Result<()> {
    let descriptor = steward_proto::descriptor_pool()
        .get_message_by_name("steward.plan.v1.PolicyDocument")
        .ok_or_else(|| Error::bug("PolicyDocument is not in the contract"))?;
    let mut message = DynamicMessage::new(descriptor);
    message.transcode_from(document).map_err(Error::internal)?;
    walk(&message, at, calendars, bad)
}

fn walk(message: &DynamicMessage, at: &str, calendars: &Calendars, bad: &mut Violations) -> Result<()> {
    if message.descriptor().full_name() == SPAN {
        check_span(&message.transcode_to().map_err(Error::internal)?, at, calendars, bad);
        return Ok(());
    }
    if message.descriptor().full_name() == PREDICATE {
        check_predicate(&message.transcode_to().map_err(Error::internal)?, at, bad);
        return Ok(());
    }
    for (field, value) in message.fields() {
        let place = format!("{at}.{}", field.name());
        match value {
            Value::Message(inner) => walk(inner, &place, calendars, bad)?,
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let Value::Message(inner) = item {
                        walk(inner, &format!("{place}[{index}]"), calendars, bad)?;
                    }
                }
            }
            Value::Map(_)
            | Value::Bool(_)
            | Value::I32(_)
            | Value::I64(_)
            | Value::U32(_)
            | Value::U64(_)
            | Value::F32(_)
            | Value::F64(_)
            | Value::String(_)
            | Value::Bytes(_)
            | Value::EnumNumber(_) => {}
        }
    }
    Ok(())
}

fn check_predicate(message: &common::Predicate, at: &str, bad: &mut Violations) {
    let mut faults = Violations::new();
    Compiled::of(message, Catalogue::household(), at, &mut faults);
    for fault in faults.iter() {
        bad.add(fault.field.clone(), "POLICY_INVALID", fault.description.clone());
    }
}

fn check_span(message: &common::Span, at: &str, calendars: &Calendars, bad: &mut Violations) {
    // What the declared rules refuse (no unit, no calendar, zero) is noted by them.
    match span(message) {
        Ok(span) => {
            if let CalendarId::Hours(name) = span.calendar()
                && calendars.hours(name).is_err()
            {
                bad.add(format!("{at}.calendar"), "POLICY_INVALID", format!("working-hours calendar `{name}` is not loaded"));
            }
        }
        Err(fault) if message.unit != 0 && message.value != 0 && !message.calendar.is_empty() => {
            bad.add(at, "CALENDAR_UNKNOWN", fault.to_string());
        }
        Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use steward_proto::plan::v1::policy_document::Document;
    use steward_proto::plan::v1::{CallbackPolicy, CallbackRule, CarePolicy, CareSuppression, NamedPredicate, SlaPolicy};

    use super::*;
    use crate::predicate::ask;

    fn faults(document: Document) -> Vec<(String, &'static str)> {
        let mut bad = Violations::new();
        check_document(&PolicyDocument { document: Some(document) }, "document", &Calendars::shipped(), &mut bad).expect("of our contract");
        bad.iter().map(|fault| (fault.field.clone(), fault.reason)).collect()
    }

    fn of(value: u32, unit: common::Unit, calendar: &str) -> Option<common::Span> {
        Some(common::Span { value, unit: unit.into(), calendar: calendar.to_owned() })
    }

    /// P-5
    #[test]
    fn a_span_that_cannot_be_counted_is_named_by_its_place() {
        let rule = |due| CallbackRule { due, ..CallbackRule::default() };
        let rules = vec![rule(of(3, common::Unit::Day, "civil")), rule(of(3, common::Unit::WorkingDay, "24x7"))];
        assert_eq!(
            faults(Document::Callback(CallbackPolicy { rules, ..CallbackPolicy::default() })),
            [("document.callback.rules[1].due".to_owned(), "CALENDAR_UNKNOWN")]
        );
        let sla = SlaPolicy { auto_close: of(4, common::Unit::Hour, "business"), ..SlaPolicy::default() };
        assert_eq!(faults(Document::Sla(sla)), [("document.sla.auto_close.calendar".to_owned(), "POLICY_INVALID")]);
    }

    /// M5, NT-38: a condition on a fact that nobody keeps would never be answered.
    #[test]
    fn a_predicate_that_cannot_be_asked_is_named_by_its_place() {
        let when = |predicate| Some(NamedPredicate { code: "renovating".to_owned(), predicate: Some(predicate) });
        let care = |predicate| {
            let one = CareSuppression { when: when(predicate), ..CareSuppression::default() };
            Document::Care(CarePolicy { suppressions: vec![one], ..CarePolicy::default() })
        };
        assert_eq!(faults(care(ask::is_true("household.is_renovating"))), []);
        let place = "document.care.suppressions[0].when.predicate.condition.field".to_owned();
        assert_eq!(faults(care(ask::is_true("household.is_renovated"))), [(place, "POLICY_INVALID")]);
    }
}
