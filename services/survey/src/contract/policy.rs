//! The survey policy as the rules see it: documents laid over each other, most specific first.

use steward_kit::calendar::{Span, Unit};
use steward_kit::error::Violations;
use steward_kit::proto::span;
use steward_proto::notification::v1 as notification;
use steward_proto::plan::v1 as plan;

use crate::domain::codes::ReportKind;
use crate::domain::{MysteryTerms, ReportTerm, Route, Terms, ValidityRules};

/// Documents, most specific first.
pub(crate) type PolicyTexts = [std::sync::Arc<plan::SurveyPolicy>];

/// What holds for a programme. `code` is empty for what belongs to none.
pub(crate) fn terms_of(layers: &PolicyTexts, code: &str) -> Terms {
    // The documents were checked when they came in: a span that does not read is as if it were not there.
    let read = |span_of: &dyn Fn(&plan::SurveyPolicy) -> Option<steward_proto::common::v1::Span>| {
        layers.iter().find_map(|layer| span_of(layer)).and_then(|wire| span(&wire).ok())
    };
    let number =
        |of: &dyn Fn(&plan::SurveyPolicy) -> u32| layers.iter().map(|layer| of(layer)).find(|value| *value > 0).unwrap_or_default();
    let scale = layers.iter().find_map(|layer| layer.scale.as_ref());
    let programme = layers.iter().find_map(|layer| layer.programmes.iter().find(|programme| programme.code == code && !code.is_empty()));
    let reminders = layers.iter().find_map(|layer| layer.reminders.as_ref());
    let share = |share: &plan::Share| (share.numerator, share.denominator);
    Terms {
        satisfied: scale.map(|scale| scale.satisfied.clone()).unwrap_or_default(),
        include_neutral: scale.is_some_and(|scale| scale.include_neutral),
        score_map: scale.map(|scale| scale.score_map.clone()).unwrap_or_default(),
        min_valid: programme.map_or(0, |programme| programme.min_valid),
        min_dimensions: programme.map_or(0, |programme| programme.min_dimensions),
        requires_improvement_plan: programme.is_some_and(|programme| programme.requires_improvement_plan),
        reminders: reminders.map_or(0, |reminders| reminders.most),
        reminder_channels: reminders.map(|reminders| reminders.channels().map(channel).collect()).unwrap_or_default(),
        reminder_after: reminders.and_then(|reminders| reminders.after.as_ref()).and_then(|after| span(after).ok()),
        low_score: number(&|layer| layer.low_score),
        low_score_of_ten: number(&|layer| layer.low_score_of_ten),
        validity: validity(layers),
        suppress_below: number(&|layer| layer.suppress_below),
        second_entry: layers.iter().find_map(|layer| layer.second_entry.as_ref()).map(share),
        improvement_follow_up: read(&|layer| layer.improvement_follow_up.clone()),
        quota_hold: read(&|layer| layer.quota_hold.clone()),
        collation: read(&|layer| layer.feedback_collation.clone()),
        collation_notify_roles: first(layers, |layer| &layer.collation_notify_roles).to_vec(),
        routes: first(layers, |layer| &layer.feedback_routes)
            .iter()
            .map(|route| Route { topic: route.topic_code.clone(), role: route.role.clone() })
            .collect(),
        reports: first(layers, |layer| &layer.reports).iter().filter_map(report).collect(),
        open_for: programme.and_then(|programme| programme.open_for.as_ref()).and_then(|open| span(open).ok()),
        mystery: mystery(layers),
    }
}

/// A channel as events name it: `email`.
fn channel(channel: notification::Channel) -> String {
    channel.as_str_name().trim_start_matches("CHANNEL_").to_lowercase()
}

fn mystery(layers: &PolicyTexts) -> MysteryTerms {
    let terms = || layers.iter().filter_map(|layer| layer.mystery_visits.as_ref());
    let read = |wire: &steward_proto::common::v1::Span| span(wire).ok();
    MysteryTerms {
        pass_points: terms().map(|terms| terms.pass_points).find(|points| *points > 0).unwrap_or_default(),
        appeal_within: terms().find_map(|terms| terms.appeal_within.as_ref()).and_then(read),
        recheck_after: terms().find_map(|terms| terms.recheck_after.as_ref()).and_then(read),
    }
}

fn validity(layers: &PolicyTexts) -> ValidityRules {
    let terms = || layers.iter().filter_map(|layer| layer.validity.as_ref());
    let number = |of: &dyn Fn(&plan::ValidityTerms) -> u32| terms().map(of).find(|value| *value > 0).unwrap_or_default();
    ValidityRules {
        min_complete: terms().find_map(|terms| terms.min_complete.as_ref()).map(|share| (share.numerator, share.denominator)),
        min_seconds_per_question: number(&|terms| terms.min_seconds_per_question),
        straight_line_from: number(&|terms| terms.straight_line_from),
        burst_count: number(&|terms| terms.burst_count),
        burst_within_s: terms()
            .find_map(|terms| terms.burst_within.as_ref())
            .and_then(|wire| span(wire).ok())
            .map_or(0, |span| seconds(&span)),
    }
}

/// The first layer that says something decides whole.
fn first<T>(layers: &PolicyTexts, of: impl Fn(&plan::SurveyPolicy) -> &Vec<T>) -> &[T] {
    layers.iter().map(|layer| of(layer)).find(|list| !list.is_empty()).map(Vec::as_slice).unwrap_or_default()
}

fn report(term: &plan::SurveyReportTerm) -> Option<ReportTerm> {
    let kind = match term.report() {
        plan::SurveyReport::Unspecified => return None,
        plan::SurveyReport::MidYear => ReportKind::MidYear,
        plan::SurveyReport::Annual => ReportKind::Annual,
    };
    let (month, day) = (i8::try_from(term.month).ok()?, i8::try_from(term.day).ok()?);
    Some(ReportTerm { kind, month, day, due: span(term.due.as_ref()?).ok()? })
}

/// How long a burst lasts, around the clock; days are taken as 24 hours.
fn seconds(span: &Span) -> i64 {
    let unit = match span.unit() {
        Unit::Second => 1,
        Unit::Minute => 60,
        Unit::Hour => 3_600,
        Unit::WorkingDay | Unit::Day => 86_400,
        Unit::Week => 7 * 86_400,
        Unit::Month => 30 * 86_400,
        Unit::Quarter => 91 * 86_400,
        Unit::HalfYear => 182 * 86_400,
        Unit::Year => 365 * 86_400,
    };
    i64::from(span.value()) * unit
}

/// Notes every contradiction of a document.
pub(crate) fn check_policy(bad: &mut Violations, at: &str, policy: &plan::SurveyPolicy, reason: &'static str) {
    let mut add = |place: &str, description: &str| bad.add(format!("{at}.{place}"), reason, description);
    if let Some(scale) = &policy.scale {
        if scale.satisfied.iter().any(|points| *points == 0 || *points > scale.points) {
            add("scale.satisfied", "must be points of the scale");
        }
        if !scale.score_map.is_empty() && u32::try_from(scale.score_map.len()).ok() != Some(scale.points) {
            add("scale.score_map", "must have as many entries as the scale has points");
        }
        if scale.score_map.iter().any(|points| *points > 100) {
            add("scale.score_map", "must be 0 to 100");
        }
    }
    if policy.reminders.as_ref().is_some_and(|reminders| reminders.most > 0 && reminders.after.is_none()) {
        add("reminders.after", "must say how long after the invitation");
    }
    for (index, channel) in policy.reminders.iter().flat_map(|reminders| &reminders.channels).enumerate() {
        if !matches!(notification::Channel::try_from(*channel), Ok(notification::Channel::Inbox | notification::Channel::Email)) {
            add(&format!("reminders.channels[{index}]"), "must be a channel that reaches customers: inbox or e-mail");
        }
    }
    if policy.validity.as_ref().is_some_and(|terms| terms.burst_count > 0 && terms.burst_within.is_none()) {
        add("validity.burst_within", "must say within which time");
    }
    for (index, programme) in policy.programmes.iter().enumerate() {
        if policy.programmes[..index].iter().any(|other| other.code == programme.code) {
            add(&format!("programmes[{index}].code"), "stands twice");
        }
    }
}
