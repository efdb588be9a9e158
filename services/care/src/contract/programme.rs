//! A programme's document, read. Every fault at its place, all of them at once.

use prost::Message;
use steward_kit::calendar::{Festival, Span};
use steward_kit::error::Violations;
use steward_kit::predicate::{Catalogue, Compiled, FactType};
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::action::Kind as ActionKind;
use steward_proto::care::v1::anchor::Kind as AnchorKind;
use steward_proto::care::v1::audience::Kind as AudienceKind;
use steward_proto::common::v1 as common;

use super::{all, local_time, optional, required};
use crate::domain::programme::{Action, Anchor, Condition, Definition, Document, Exclusion, ProofRule, Recurrence, check};

/// Names of dates that care is told itself.
const OWN_DATES: [&str; 2] = ["care.subscription_date", "care.signing_date"];

/// Reads a document that stands at `at` in the request.
pub(crate) fn document(document: &pb::ProgrammeDocument, at: &str, bad: &mut Violations) -> Option<Document> {
    let definitions: Vec<_> = document
        .touchpoints
        .iter()
        .enumerate()
        .map(|(position, one)| definition(one, &format!("{at}.touchpoints[{position}]"), bad))
        .collect();
    let from_date = bad.optional_date(&format!("{at}.from_date"), &document.from_date);
    let to_date = bad.optional_date(&format!("{at}.to_date"), &document.to_date);
    let read = Document {
        definitions: definitions.into_iter().collect::<Option<_>>()?,
        holdout: document.holdout.as_ref().map(|holdout| (holdout.percent, holdout.seed.clone())),
        budget_cents: document.budget_cents,
        from_date,
        to_date,
    };
    check(&read, at, bad);
    Some(read)
}

fn definition(one: &pb::TouchpointDefinition, at: &str, bad: &mut Violations) -> Option<Definition> {
    let place = |field: &str| format!("{at}.{field}");
    let layer = required(bad, &place("layer"), one.layer);
    let node = optional(bad, &place("node"), one.node);
    let drive_tags = all(bad, &place("drive_tags"), &one.drive_tags);
    let anchor = one.anchor.as_ref().and_then(|of| anchor(of, &place("anchor"), bad));
    let offset = match &one.offset {
        Some(offset) => offset.span.as_ref().and_then(|of| span(of, &place("offset.span"), bad)).map(|span| (offset.before, span)),
        None => None,
    };
    let time = local_time(&one.local_time);
    if time.is_none() && !one.local_time.is_empty() {
        bad.add(place("local_time"), "PROGRAMME_INVALID", "must be a local time HH:MM");
    }
    let audience = one.audience.as_ref().and_then(|of| audience_of(of, &place("audience"), bad));
    let exclusions = exclusions(&one.exclusions, &place("exclusions"), bad);
    let act_within = one.act_within.as_ref().and_then(|of| span(of, &place("act_within"), bad));
    let confirm_within = one.confirm_within.as_ref().and_then(|of| span(of, &place("confirm_within"), bad));
    let action = one.action.as_ref().and_then(|of| action(of, &place("action"), bad));
    let proof = one.proof.unwrap_or_default();
    Some(Definition {
        code: one.code.clone(),
        layer: layer?,
        node,
        drive_tags,
        anchor: anchor?,
        offset,
        local_time: time,
        audience: audience?,
        exclusions,
        action: action?,
        proof: ProofRule { photo: proof.photo, signature: proof.signature, note: proof.note },
        act_within,
        confirm_within,
        share_percent: one.share_percent,
        cost_cents: one.cost_cents,
    })
}

fn span(of: &common::Span, at: &str, bad: &mut Violations) -> Option<Span> {
    match steward_kit::proto::span(of) {
        Ok(span) => Some(span),
        Err(error) => {
            bad.add(at, "DURATION_WITHOUT_CALENDAR", error.to_string());
            None
        }
    }
}

/// Whom something is for: `Some(None)` is everybody, `None` a fault.
pub(crate) fn audience_of(audience: &pb::Audience, at: &str, bad: &mut Violations) -> Option<Option<Condition>> {
    match &audience.kind {
        Some(AudienceKind::Everyone(_)) => Some(None),
        Some(AudienceKind::Predicate(predicate)) => condition(predicate, &format!("{at}.predicate"), bad).map(Some),
        None => {
            bad.add(format!("{at}.kind"), "required", "give one of everyone, predicate");
            None
        }
    }
}

/// A condition that the owner of facts can evaluate.
pub(crate) fn condition(predicate: &common::Predicate, at: &str, bad: &mut Violations) -> Option<Condition> {
    let mut faults = Violations::new();
    Compiled::of(predicate, Catalogue::household(), at, &mut faults);
    if faults.is_empty() {
        return Some(Condition(predicate.encode_to_vec()));
    }
    for fault in faults.iter() {
        bad.add(fault.field.clone(), "PREDICATE_INVALID", fault.description.clone());
    }
    None
}

/// The condition as its message.
pub(crate) fn predicate(condition: &Condition) -> Option<common::Predicate> {
    common::Predicate::decode(condition.0.as_slice()).ok()
}

/// Who is left out.
pub(crate) fn exclusions(all: &[pb::Exclusion], at: &str, bad: &mut Violations) -> Vec<Exclusion> {
    let mut read = Vec::new();
    for (position, one) in all.iter().enumerate() {
        let of = one.predicate.as_ref().and_then(|of| condition(of, &format!("{at}[{position}].predicate"), bad));
        read.extend(of.map(|condition| Exclusion { code: one.code.clone(), condition }));
    }
    read
}

fn anchor(anchor: &pb::Anchor, at: &str, bad: &mut Violations) -> Option<Anchor> {
    match anchor.kind.as_ref()? {
        AnchorKind::Fact(fact) => {
            let is_date = Catalogue::household().get(&fact.field).is_some_and(|field| field.fact_type == FactType::Date);
            if !is_date && !OWN_DATES.contains(&fact.field.as_str()) {
                bad.add(format!("{at}.fact.field"), "PREDICATE_INVALID", "must be a date of the catalogue of facts");
                return None;
            }
            Some(Anchor::Fact(fact.field.clone()))
        }
        AnchorKind::KeyDate(day) => Some(Anchor::KeyDate(day.kind.clone())),
        AnchorKind::Calendar(day) => match day.calendar() {
            pb::CalendarSystem::Solar | pb::CalendarSystem::Unspecified => Some(Anchor::Solar(day.month, day.day)),
            pb::CalendarSystem::Lunar => {
                let lunar = u8::try_from(day.month).ok().zip(u8::try_from(day.day).ok().filter(|day| *day <= 30));
                if lunar.is_none() {
                    bad.add(format!("{at}.calendar.day"), "PROGRAMME_INVALID", "a lunar month has at most 30 days");
                }
                lunar.map(|(month, day)| Anchor::Lunar(month, day))
            }
        },
        AnchorKind::Festival(of) => festival(of.festival()).map(Anchor::Festival),
        AnchorKind::Recurrence(of) => recurrence(of.every()).map(Anchor::Recurrence),
        AnchorKind::EstateDate(of) => Some(Anchor::EstateDate(of.kind.clone())),
    }
}

fn festival(festival: pb::Festival) -> Option<Festival> {
    Some(match festival {
        pb::Festival::Unspecified => return None,
        pb::Festival::Spring => Festival::Spring,
        pb::Festival::Lantern => Festival::Lantern,
        pb::Festival::DragonBoat => Festival::DragonBoat,
        pb::Festival::Qixi => Festival::Qixi,
        pb::Festival::Zhongyuan => Festival::Zhongyuan,
        pb::Festival::MidAutumn => Festival::MidAutumn,
        pb::Festival::DoubleNinth => Festival::DoubleNinth,
        pb::Festival::Laba => Festival::Laba,
        pb::Festival::NewYearsEve => Festival::NewYearsEve,
    })
}

/// Periods by their message.
pub(super) fn recurrence(every: pb::Recurrence) -> Option<Recurrence> {
    Some(match every {
        pb::Recurrence::Unspecified => return None,
        pb::Recurrence::Week => Recurrence::Week,
        pb::Recurrence::Month => Recurrence::Month,
        pb::Recurrence::Quarter => Recurrence::Quarter,
        pb::Recurrence::HalfYear => Recurrence::HalfYear,
        pb::Recurrence::Year => Recurrence::Year,
    })
}

/// What is done.
pub(crate) fn action(action: &pb::Action, at: &str, bad: &mut Violations) -> Option<Action> {
    Some(match action.kind.as_ref()? {
        ActionKind::Message(message) => {
            if !["care", "service", "marketing"].contains(&message.purpose_class.as_str()) {
                bad.add(format!("{at}.message.purpose_class"), "PROGRAMME_INVALID", "must be care, service or marketing");
            }
            Action::Message {
                template_key: message.template_key.clone(),
                purpose_class: message.purpose_class.clone(),
                topic: message.topic.clone(),
            }
        }
        ActionKind::Visit(visit) => Action::Visit { round_kind: required(bad, &format!("{at}.visit.round_kind"), visit.round_kind)? },
        ActionKind::Task(task) => Action::Task { role: task.role.clone(), instructions: task.instructions.clone() },
        ActionKind::Survey(survey) => Action::Survey { questionnaire_code: survey.questionnaire_code.clone() },
        ActionKind::Order(order) => Action::Order {
            order_kind: required(bad, &format!("{at}.order.kind"), order.kind)?,
            category: order.category.clone(),
            description: order.description.clone(),
        },
    })
}
