//! The programme that a care policy amounts to: its visits, its actions and its monthly calls as touchpoints. So a plan that names "a
//! visit three months after delivery" is a publication away from being kept.

use steward_kit::predicate::ask;
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::action::Kind as ActionKind;
use steward_proto::care::v1::anchor::Kind as AnchorKind;
use steward_proto::care::v1::audience::Kind as AudienceKind;
use steward_proto::plan::v1 as plan;
use steward_proto::plan::v1::{Cadence, CareOccasion};

use super::Code;
use crate::domain::codes::{Layer, Node, RoundKind};

/// Whose task it is when the policy does not say.
const STEWARD: &str = "steward";

/// The document of the layers, most specific first; of items with one code the first layer that has it decides.
pub(crate) fn draft(layers: &[plan::CarePolicy]) -> pb::ProgrammeDocument {
    let mut touchpoints: Vec<pb::TouchpointDefinition> = Vec::new();
    let mut add = |definition: pb::TouchpointDefinition| {
        if !touchpoints.iter().any(|known| known.code == definition.code) {
            touchpoints.push(definition);
        }
    };
    let exclusions: Vec<pb::Exclusion> =
        layers.iter().map(|layer| &layer.visit_exclusions).find(|list| !list.is_empty()).into_iter().flatten().map(exclusion).collect();
    for visit in layers.iter().flat_map(|layer| &layer.visits) {
        add(of_visit(visit, &exclusions));
    }
    for action in layers.iter().flat_map(|layer| &layer.actions) {
        add(of_action(action));
    }
    if let Some(callback) = layers.iter().find_map(|layer| layer.relationship_callback.as_ref()) {
        add(of_callback(callback));
    }
    pb::ProgrammeDocument {
        name_zh: "关怀方案".to_owned(),
        name_en: "Care by policy".to_owned(),
        purpose: String::new(),
        touchpoints,
        holdout: layers.iter().find_map(|layer| layer.holdout.as_ref()).and_then(held_out),
        ..Default::default()
    }
}

/// Who is kept apart (CA-85); the seed is that of the plan's programmes, so that each of them keeps the same households apart.
fn held_out(share: &plan::Share) -> Option<pb::Holdout> {
    let percent = share.numerator * 100 / share.denominator.max(1);
    (percent > 0).then(|| pb::Holdout { percent, seed: "care_policy".to_owned() })
}

fn exclusion(of: &plan::NamedPredicate) -> pb::Exclusion {
    pb::Exclusion { code: of.code.clone(), predicate: of.predicate.clone() }
}

fn names(code: &str) -> (String, String) {
    (code.replace('_', " "), code.replace('_', " "))
}

fn delivered() -> Option<pb::Audience> {
    Some(pb::Audience { kind: Some(AudienceKind::Predicate(ask::is_true("household.is_delivered"))) })
}

fn fact(occasion: CareOccasion) -> Option<AnchorKind> {
    let field = match occasion {
        CareOccasion::Unspecified => return None,
        CareOccasion::Subscription => "care.subscription_date",
        CareOccasion::Signing => "care.signing_date",
        CareOccasion::Delivery => "household.delivered_date",
        CareOccasion::MoveIn => "household.moved_in_date",
    };
    Some(AnchorKind::Fact(pb::FactAnchor { field: field.to_owned() }))
}

/// Cadences that are not periods are left to people: nothing is planned for them.
pub(super) fn period(cadence: Cadence) -> Option<pb::Recurrence> {
    match cadence {
        Cadence::Weekly => Some(pb::Recurrence::Week),
        Cadence::Monthly => Some(pb::Recurrence::Month),
        Cadence::Quarterly => Some(pb::Recurrence::Quarter),
        Cadence::HalfYearly => Some(pb::Recurrence::HalfYear),
        Cadence::Yearly => Some(pb::Recurrence::Year),
        Cadence::Unspecified | Cadence::Periodic | Cadence::OnEvent | Cadence::RealTime => None,
    }
}

fn recurrence(cadence: Cadence) -> Option<AnchorKind> {
    period(cadence).map(|every| AnchorKind::Recurrence(pb::RecurrenceAnchor { every: every.into() }))
}

/// A monthly rhythm, for what comes again without a number.
fn monthly() -> AnchorKind {
    AnchorKind::Recurrence(pb::RecurrenceAnchor { every: pb::Recurrence::Month.into() })
}

fn visit_action(code: &str) -> Option<pb::Action> {
    let kind = RoundKind::parse(code).unwrap_or(RoundKind::General);
    Some(pb::Action { kind: Some(ActionKind::Visit(pb::VisitAction { round_kind: kind.number() })) })
}

fn task() -> Option<pb::Action> {
    Some(pb::Action { kind: Some(ActionKind::Task(pb::TaskAction { role: STEWARD.to_owned(), instructions: String::new() })) })
}

fn of_visit(visit: &plan::VisitProgramme, shared: &[pb::Exclusion]) -> pb::TouchpointDefinition {
    let (name_zh, name_en) = names(&visit.code);
    let mut exclusions = shared.to_vec();
    exclusions.extend(visit.exclusions.iter().map(exclusion));
    pb::TouchpointDefinition {
        code: visit.code.clone(),
        name_zh,
        name_en,
        layer: Layer::Advanced.number(),
        node: Node::EarlyOccupancy.number(),
        anchor: Some(pb::Anchor { kind: fact(visit.after()) }),
        offset: visit.offset.clone().map(|span| pb::Offset { before: false, span: Some(span) }),
        audience: delivered(),
        exclusions,
        action: visit_action(&visit.code),
        ..Default::default()
    }
}

fn of_action(action: &plan::CareAction) -> pb::TouchpointDefinition {
    let (name_zh, name_en) = names(&action.code);
    let everyone = AudienceKind::Everyone(pb::Everyone {});
    let audience = action.audience.as_ref().and_then(|of| of.predicate.clone()).map_or(everyone, AudienceKind::Predicate);
    // Only basic care is for everybody (CA-11); what names no layer is as basic as what it says.
    let layer = match (&audience, Layer::parse(&action.layer)) {
        (AudienceKind::Everyone(_), _) | (AudienceKind::Predicate(_), None) => Layer::Basic,
        (AudienceKind::Predicate(_), Some(layer)) => layer,
    };
    let anchor = fact(action.after()).or_else(|| recurrence(action.cadence())).unwrap_or_else(monthly);
    pb::TouchpointDefinition {
        code: action.code.clone(),
        name_zh,
        name_en,
        layer: layer.number(),
        node: Node::parse(&action.stage).map_or(0, Code::number),
        anchor: Some(pb::Anchor { kind: Some(anchor) }),
        audience: Some(pb::Audience { kind: Some(audience) }),
        action: if action.is_visit { visit_action(&action.code) } else { task() },
        act_within: action.within.clone(),
        ..Default::default()
    }
}

/// The call without an occasion: so large a share of the homes in each period (CA-30).
fn of_callback(callback: &plan::RelationshipCallback) -> pb::TouchpointDefinition {
    let share = callback.coverage.map_or(0, |share| (share.numerator * 100).div_ceil(share.denominator.max(1)));
    pb::TouchpointDefinition {
        code: "relationship".to_owned(),
        name_zh: "客户回访".to_owned(),
        name_en: "Relationship call".to_owned(),
        layer: Layer::Basic.number(),
        node: Node::MidOccupancy.number(),
        anchor: Some(pb::Anchor { kind: Some(recurrence(callback.cadence()).unwrap_or_else(monthly)) }),
        audience: delivered(),
        action: task(),
        share_percent: share.min(100),
        ..Default::default()
    }
}
