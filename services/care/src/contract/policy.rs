//! The care policy of an estate: its layers laid over each other, most specific first. A field that is unset is decided by the layer
//! below; of items with one code the first layer that has it decides whole.

use std::collections::BTreeMap;

use prost::Message;
use steward_kit::calendar::Span;
use steward_proto::common::v1 as common;
use steward_proto::plan::v1 as plan;

use super::draft::period;
use super::programme::recurrence;
use crate::domain::community_terms::CommunityTerms;
use crate::domain::programme::{Condition, Exclusion};
use crate::domain::terms::{MeetingTerms, ObligationTerms, Plan315Terms, Suppression, Terms, Times, VisitTerms};

/// The terms of the layers, most specific first.
pub(crate) fn terms(layers: &[plan::CarePolicy]) -> Terms {
    let mut visits = BTreeMap::new();
    let mut meetings = BTreeMap::new();
    let mut obligations: Vec<ObligationTerms> = Vec::new();
    let mut face_to_face = BTreeMap::new();
    for layer in layers {
        for visit in &layer.visits {
            visits.entry(visit.code.clone()).or_insert_with(|| visit_terms(visit));
        }
        for meeting in &layer.meetings {
            meetings.entry(meeting.code.clone()).or_insert_with(|| meeting_terms(meeting));
        }
        for template in &layer.obligations {
            if !obligations.iter().any(|known| known.code == template.code) {
                obligations.push(obligation_terms(template));
            }
        }
        for quota in layer.face_to_face.iter().flat_map(|terms| &terms.quotas) {
            face_to_face.entry(quota.circle.clone()).or_insert(quota.per_year);
        }
    }
    let delivery = layers.iter().find_map(|layer| layer.delivery.as_ref());
    let talks = layers.iter().find_map(|layer| layer.face_to_face.as_ref());
    let callback = layers.iter().find_map(|layer| layer.relationship_callback.as_ref());
    Terms {
        act_within: first(layers, |layer| layer.act_within.as_ref()),
        confirm_within: first(layers, |layer| layer.confirm_within.as_ref()),
        visits,
        training_topics: list(layers, |layer| &layer.training_topics),
        kit_items: list(layers, |layer| &layer.kit_items),
        face_to_face,
        talk_minutes: talks.map_or(0, |terms| terms.min_minutes),
        record_within: talks.and_then(|terms| span(terms.record_within.as_ref())),
        coverage: callback.and_then(|callback| callback.coverage.as_ref()).map(|share| (share.numerator, share.denominator)),
        meetings,
        enclosures: delivery.map(|terms| terms.min_attachments.clone()).unwrap_or_default(),
        risk_group_before: delivery.and_then(|terms| span(terms.risk_group_before.as_ref())),
        notice_before: delivery.and_then(|terms| span(terms.notice_before.as_ref())),
        mock_acceptance: delivery.is_some_and(|terms| terms.mock_acceptance),
        obligations,
        community: CommunityTerms {
            club_cards: list(layers, |layer| &layer.club_cards),
            fund_uses: list(layers, |layer| &layer.care_fund_uses),
            packages: list(layers, |layer| &layer.packages),
        },
        plan_315: layers.iter().find_map(|layer| layer.plan_315.as_ref()).and_then(|plan| {
            Some(Plan315Terms {
                window: span(plan.coverage_window.as_ref())?,
                interviews: plan.interview_rounds,
                improvements: plan.improvement_plans,
            })
        }),
        times: times(layers),
        touchpoints_kept: first(layers, |layer| layer.touchpoints_kept.as_ref()),
        coverage_layer: layers.iter().map(|layer| &layer.coverage_layer).find(|code| !code.is_empty()).cloned(),
        brief_window: first(layers, |layer| layer.brief_window.as_ref()),
        warn_before: layers.iter().filter_map(|layer| layer.face_to_face.as_ref()).find_map(|talks| span(talks.warn_before.as_ref())),
        suppressions: suppressions(layers),
        catalogue_goal: layers.iter().find_map(|layer| layer.action_catalogue.as_ref()).map_or((0, 0), |goal| (goal.baseline, goal.target)),
    }
}

fn times(layers: &[plan::CarePolicy]) -> Times {
    let time = |of: fn(&plan::CareTimes) -> &String| {
        layers.iter().filter_map(|layer| layer.times.as_ref()).map(of).find(|text| !text.is_empty()).and_then(|text| local_time(text))
    };
    Times {
        touchpoint: time(|times| &times.touchpoint_local),
        notice: time(|times| &times.notice_local),
        digest: time(|times| &times.digest_local),
    }
}

/// A local time of day, written HH:MM.
pub(crate) fn local_time(text: &str) -> Option<jiff::civil::Time> {
    if text.len() == 5 { text.parse().ok() } else { None }
}

/// Of one situation the first layer that has it decides.
fn suppressions(layers: &[plan::CarePolicy]) -> Vec<Suppression> {
    let mut all: Vec<Suppression> = Vec::new();
    for one in layers.iter().flat_map(|layer| &layer.suppressions) {
        let Some((code, predicate)) = one.when.as_ref().and_then(|when| Some((&when.code, when.predicate.as_ref()?))) else { continue };
        if !all.iter().any(|known| known.when.code == *code) {
            let when = Exclusion { code: code.clone(), condition: Condition(predicate.encode_to_vec()) };
            all.push(Suppression { when, topics: one.topics.clone() });
        }
    }
    all
}

/// Spans of a stored policy were checked when it came in.
fn span(of: Option<&common::Span>) -> Option<Span> {
    steward_kit::proto::span(of?).ok()
}

fn first<'a>(layers: &'a [plan::CarePolicy], of: impl Fn(&'a plan::CarePolicy) -> Option<&'a common::Span>) -> Option<Span> {
    span(layers.iter().find_map(of))
}

fn list(layers: &[plan::CarePolicy], of: impl Fn(&plan::CarePolicy) -> &Vec<String>) -> Vec<String> {
    layers.iter().map(of).find(|list| !list.is_empty()).cloned().unwrap_or_default()
}

fn visit_terms(visit: &plan::VisitProgramme) -> VisitTerms {
    VisitTerms {
        notice: span(visit.notice_before.as_ref()),
        report: span(visit.report_within.as_ref()),
        min_minutes: visit.min_minutes,
        required_roles: visit.required_roles.clone(),
    }
}

fn meeting_terms(meeting: &plan::MeetingProgramme) -> MeetingTerms {
    let size = meeting.size.unwrap_or_default();
    MeetingTerms {
        every: period(meeting.cadence()).and_then(recurrence),
        least: size.least,
        most: size.most,
        minutes_within: span(meeting.minutes_within.as_ref()),
        attendees: meeting.attendees.clone(),
    }
}

fn obligation_terms(template: &plan::ObligationTemplate) -> ObligationTerms {
    let item = |item: &plan::ObligationItem| (item.code.clone(), item.title_zh.clone(), item.title_en.clone(), item.needs_proof);
    ObligationTerms {
        code: template.code.clone(),
        title_zh: template.title_zh.clone(),
        title_en: template.title_en.clone(),
        anchor: template.anchor.clone(),
        before: template.before,
        offset: span(template.offset.as_ref()),
        role: template.role.clone(),
        items: template.items.iter().map(item).collect(),
        flag: template.flag.clone(),
    }
}
