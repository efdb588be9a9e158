//! The plans that ship, as files that a person reads beside `domain/plans.md`: one line a value, nothing that is unset.

use std::fmt::Write as _;

use prost_reflect::{DynamicMessage, Kind, ReflectMessage, Value};
use steward_gateway::plans::Plans;
use steward_kit::proto::span;
use steward_proto::{common::v1::Span, plan::v1::Share};

/// P-1, XC-01
#[test]
fn every_plan_has_the_values_that_were_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let plans = Plans::shipped().unwrap();
    for plan in plans.iter() {
        let descriptor = steward_proto::descriptor_pool().get_message_by_name("steward.plan.v1.ServicePlan").unwrap();
        let mut message = DynamicMessage::new(descriptor);
        message.transcode_from(plan).unwrap();
        let mut out = String::new();
        lines(&mut out, &message, "");
        settings.bind(|| insta::assert_snapshot!(plan.code.clone(), out));
    }
}

/// P-6: what a plan leaves unset is nowhere in it; least of all as 0.
#[test]
fn what_a_plan_leaves_unset_is_not_in_it() {
    let plans = Plans::shipped().unwrap();
    let butler = plans.get("lifecycle-butler").unwrap();
    assert!(butler.intake.is_none() && butler.sla.is_none() && butler.callback.is_none() && butler.contact.is_none());
    let metrics = &butler.metrics.as_ref().unwrap().metrics;
    for blank in ["suggestions_count", "delivery_rate"] {
        assert!(metrics.iter().any(|metric| metric.metric_id == blank && metric.target.is_none()), "{blank}");
    }
    let template = plans.get("process-template").unwrap();
    assert!(template.metrics.as_ref().unwrap().metrics.iter().all(|metric| metric.target.is_none()));
}

fn lines(out: &mut String, message: &DynamicMessage, at: &str) {
    let mut fields: Vec<_> = message.fields().collect();
    fields.sort_by_key(|(field, _)| field.number());
    for (field, value) in fields {
        let place = if at.is_empty() { field.name().to_owned() } else { format!("{at}.{}", field.name()) };
        match value {
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    line(out, item, &field.kind(), &format!("{place}[{index}]"));
                }
            }
            value => line(out, value, &field.kind(), &place),
        }
    }
}

fn line(out: &mut String, value: &Value, kind: &Kind, at: &str) {
    let text = match value {
        Value::Message(inner) => match inner.descriptor().full_name() {
            "steward.common.v1.Span" => format!("{:#}", span(&inner.transcode_to::<Span>().unwrap()).unwrap()),
            "steward.plan.v1.Share" => {
                let share: Share = inner.transcode_to().unwrap();
                format!("{}/{}", share.numerator, share.denominator)
            }
            _ if inner.fields().next().is_none() => "{}".to_owned(),
            _ => return lines(out, inner, at),
        },
        Value::EnumNumber(number) => {
            let Kind::Enum(of) = kind else { panic!("{at} is no enum") };
            of.get_value(*number).unwrap().name().to_owned()
        }
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    };
    writeln!(out, "{at} = {text}").unwrap();
}
