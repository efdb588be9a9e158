//! Reading a plan from YAML, strictly (P-5): an unknown field, an unknown unit, a span that names no calendar and cannot
//! inherit one from the plan's `calendars`, a value out of its bounds. Every fault is told at once, with file and path.

use std::fmt;

use prost_reflect::{Cardinality, DynamicMessage, Kind, MessageDescriptor};
use serde_json::{Map, Value};
use steward_proto::plan::v1::policy_document::Document;
use steward_proto::plan::v1::{PolicyDocument, ServicePlan};

use super::check::check_document;
use super::kinds::{code_of, kind_of};
use crate::calendar::{Calendars, Span, UnitCalendars};
use crate::error::Violations;
use crate::metric::check_policy;
use crate::proto::to_span;

/// Why a plan was not read: every fault, each with its path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PlanError {
    /// The file, as it was named to [`read_plan`].
    pub file: String,
    /// `path: why`.
    pub faults: Vec<String>,
}

impl fmt::Display for PlanError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} is not a service plan: {}", self.file, self.faults.join("; "))
    }
}

/// Reads a plan. Beside what the JSON form of the message allows, spans may be written `3wd` or `4h@business`, and shares
/// `85%`. `file` is for the faults.
///
/// # Errors
/// Every fault of the file.
pub fn read_plan(file: &str, yaml: &str) -> Result<ServicePlan, PlanError> {
    let fail = |faults: Vec<String>| PlanError { file: file.to_owned(), faults };
    // By way of a YAML value, which refuses a key that stands twice.
    let value: serde_yaml_ng::Value = serde_yaml_ng::from_str(yaml).map_err(|fault| fail(vec![fault.to_string()]))?;
    let value = serde_json::to_value(value).map_err(|fault| fail(vec![fault.to_string()]))?;
    let descriptor = steward_proto::descriptor_pool().get_message_by_name("steward.plan.v1.ServicePlan");
    let descriptor = descriptor.ok_or_else(|| fail(vec!["ServicePlan is not in the contract".to_owned()]))?;

    let mut reader = Reader { calendars: UnitCalendars::default(), faults: Vec::new() };
    reader.learn_calendars(&value);
    let expanded = reader.message(&value, &descriptor, "");
    if !reader.faults.is_empty() {
        return Err(fail(reader.faults));
    }
    let message = DynamicMessage::deserialize(descriptor, expanded).map_err(|fault| fail(vec![fault.to_string()]))?;
    let plan: ServicePlan = message.transcode_to().map_err(|fault| fail(vec![fault.to_string()]))?;

    let mut bad = Violations::of(&plan);
    for document in documents_of(&plan) {
        let at = code_of(kind_of(&document));
        let mut own = Violations::new();
        check_document(&PolicyDocument { document: Some(document) }, at, &Calendars::shipped(), &mut own)
            .map_err(|fault| fail(vec![fault.to_string()]))?;
        // The document stands in the plan by its own name.
        let doubled = format!("{at}.{at}");
        own.iter().for_each(|fault| bad.add(fault.field.replacen(&doubled, at, 1), fault.reason, fault.description.clone()));
    }
    if let Some(metrics) = &plan.metrics {
        let mut own = Violations::new();
        check_policy(metrics, &mut own);
        own.iter().for_each(|fault| bad.add(format!("metrics.{}", fault.field), fault.reason, fault.description.clone()));
    }
    let faults: Vec<String> = bad.iter().map(|fault| format!("{}: {}", fault.field, fault.description)).collect();
    if faults.is_empty() { Ok(plan) } else { Err(fail(faults)) }
}

/// The documents that a plan has, in the order in which they are applied.
pub fn documents_of(plan: &ServicePlan) -> Vec<Document> {
    [
        plan.intake.clone().map(Document::Intake),
        plan.sla.clone().map(Document::Sla),
        plan.callback.clone().map(Document::Callback),
        plan.survey.clone().map(Document::Survey),
        plan.care.clone().map(Document::Care),
        plan.contact.clone().map(Document::Contact),
        plan.metrics.clone().map(Document::Metrics),
    ]
    .into_iter()
    .flatten()
    .collect()
}

struct Reader {
    calendars: UnitCalendars,
    faults: Vec<String>,
}

impl Reader {
    fn fault(&mut self, at: &str, why: impl fmt::Display) {
        self.faults.push(if at.is_empty() { why.to_string() } else { format!("{at}: {why}") });
    }

    fn learn_calendars(&mut self, plan: &Value) {
        let mut named = |key: &str| {
            let text = plan.get("calendars")?.get(key)?.as_str()?;
            text.parse().map_err(|fault| self.faults.push(format!("calendars.{key}: {fault}"))).ok()
        };
        let (clock, working_days, civil_days) = (named("clock"), named("working_days"), named("civil_days"));
        self.calendars = UnitCalendars { clock, working_days, civil_days };
    }

    /// The message in its JSON form, with every fault of it noted.
    fn message(&mut self, value: &Value, descriptor: &MessageDescriptor, at: &str) -> Value {
        match (descriptor.full_name(), value) {
            ("steward.common.v1.Span", Value::String(text)) => return self.span(text, at),
            ("steward.plan.v1.Share", Value::String(text)) => return self.share(text, at),
            // `{}` and nothing at all say the same: all fields unset.
            (_, Value::Null) => return Value::Object(Map::new()),
            (_, Value::Object(_)) => {}
            (_, Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                self.fault(at, "must be a map of fields");
                return Value::Null;
            }
        }
        let mut fields = Map::new();
        for (name, value) in value.as_object().into_iter().flatten() {
            let place = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            let Some(field) = descriptor.get_field_by_name(name) else {
                self.fault(&place, format_args!("{} has no such field", descriptor.name()));
                continue;
            };
            let inner = if field.is_map() { None } else { message_of(&field.kind()) };
            let expanded = match (inner, field.cardinality(), value) {
                (Some(inner), Cardinality::Repeated, Value::Array(items)) => {
                    let items = items.iter().enumerate();
                    Value::Array(items.map(|(index, item)| self.message(item, &inner, &format!("{place}[{index}]"))).collect())
                }
                (Some(inner), Cardinality::Optional | Cardinality::Required, value) => self.message(value, &inner, &place),
                (Some(_) | None, _, value) => {
                    self.try_field(descriptor, name, value, &place);
                    value.clone()
                }
            };
            fields.insert(name.clone(), expanded);
        }
        Value::Object(fields)
    }

    /// Whether a field takes a value, tried by itself so that the fault has a place.
    fn try_field(&mut self, descriptor: &MessageDescriptor, name: &str, value: &Value, at: &str) {
        let alone = Value::Object(Map::from_iter([(name.to_owned(), value.clone())]));
        if let Err(fault) = DynamicMessage::deserialize(descriptor.clone(), alone) {
            self.fault(at, fault);
        }
    }

    fn span(&mut self, text: &str, at: &str) -> Value {
        match Span::parse_with(text, &self.calendars) {
            Ok(span) => {
                let span = to_span(&span);
                serde_json::json!({ "value": span.value, "unit": span.unit, "calendar": span.calendar })
            }
            Err(fault) => {
                self.fault(at, fault);
                Value::Null
            }
        }
    }

    /// `85%` is 85 of 100, `12.5%` is 125 of 1000.
    fn share(&mut self, text: &str, at: &str) -> Value {
        let read = text.strip_suffix('%').and_then(|number| {
            let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
            let digits = u32::try_from(rest.len()).ok()?;
            let denominator = 10_u32.checked_pow(digits)?.checked_mul(100)?;
            Some((format!("{whole}{rest}").parse::<u32>().ok()?, denominator))
        });
        match read {
            Some((numerator, denominator)) => serde_json::json!({ "numerator": numerator, "denominator": denominator }),
            None => {
                self.fault(at, format_args!("`{text}` is not a share; write for example `85%`"));
                Value::Null
            }
        }
    }
}

fn message_of(kind: &Kind) -> Option<MessageDescriptor> {
    if let Kind::Message(inner) = kind { Some(inner.clone()) } else { None }
}

#[cfg(test)]
mod tests {
    use steward_proto::common::v1::Unit;

    use super::*;

    const CALENDARS: &str = "calendars: {clock: 24x7, working_days: working, civil_days: civil}\n";

    fn faults(yaml: &str) -> String {
        read_plan("plans/x.yaml", yaml).expect_err("is refused").to_string()
    }

    #[test]
    fn spans_and_shares_may_be_written_short() {
        let text =
            "code: x\nsla: {auto_close: 7d}\ncallback: {rules: [{due: 4h@24x7, coverage: 30%}]}\nstaff: {awards: [{code: a, top: 12.5%}]}";
        let plan = read_plan("x", &format!("{CALENDARS}{text}")).expect("reads");
        let close = plan.sla.as_ref().and_then(|sla| sla.auto_close.clone()).expect("is set");
        assert_eq!((close.value, close.unit(), close.calendar.as_str()), (7, Unit::Day, "civil"));
        let rule = &plan.callback.as_ref().expect("is set").rules[0];
        let share = rule.coverage.expect("is set");
        assert_eq!((share.numerator, share.denominator), (30, 100));
        let top = plan.staff.as_ref().and_then(|staff| staff.awards[0].top).expect("is set");
        assert_eq!((top.numerator, top.denominator), (125, 1000));
        assert_eq!(documents_of(&plan).iter().map(|document| code_of(kind_of(document))).collect::<Vec<_>>(), ["sla", "callback"]);
    }

    /// P-5
    #[test]
    fn a_span_without_a_unit_or_a_calendar_is_refused_by_file_and_path() {
        let text = faults("code: x\nsla: {auto_close: 7d}");
        assert!(text.starts_with("plans/x.yaml") && text.contains("sla.auto_close: `7d` has no calendar"), "{text}");
        let text = faults(&format!("{CALENDARS}code: x\nsla: {{auto_close: 7}}\ncallback: {{rules: [{{due: 3days}}]}}"));
        assert!(text.contains("sla.auto_close: must be a map of fields"), "{text}");
        assert!(text.contains("callback.rules[0].due: `days` in `3days` is not a unit"), "{text}");
        let text = faults("code: x\nsla: {auto_close: {value: 7, unit: UNIT_FORTNIGHT, calendar: civil}}");
        assert!(text.contains("sla.auto_close.unit"), "{text}");
        let text = faults("code: x\nsla: {auto_close: {value: 7, unit: UNIT_WORKING_DAY, calendar: 24x7}}");
        assert!(text.contains("sla.auto_close: wd is not counted on calendar 24x7"), "{text}");
        let text = faults("code: x\nsla: {auto_close: {value: 7, unit: UNIT_DAY}}");
        assert!(text.contains("sla.auto_close.calendar: must not be empty"), "{text}");
        let text = faults("code: x\nsla: {auto_close: 4h@business}");
        assert!(text.contains("sla.auto_close.calendar: working-hours calendar `business` is not loaded"), "{text}");
    }

    /// P-5
    #[test]
    fn what_the_contract_does_not_know_is_refused_by_its_path() {
        let text = faults("code: x\nsla: {clock_rules: [{clok: y}]}\nautoClose: 1\ncallback: {rules: [{reopen_at_score: two}]}");
        assert!(text.contains("sla.clock_rules[0].clok: ClockRule has no such field"), "{text}");
        assert!(text.contains("autoClose: ServicePlan has no such field"), "{text}");
        assert!(text.contains("callback.rules[0].reopen_at_score"), "{text}");
        assert!(faults("code: x\ncode: y").contains("duplicate"), "a key that stands twice");
        assert!(
            faults(&format!("{CALENDARS}code: x\ncallback: {{rules: [{{due: 1d, reopen_at_score: 6}}]}}")).contains("must be at most 5")
        );
        assert!(faults("code: x\nstaff: {awards: [{code: a, top: ten}]}").contains("staff.awards[0].top: `ten` is not a share"));
    }
}
