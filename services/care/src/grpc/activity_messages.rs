//! Activities and registrations as messages.

use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::proto::to_timestamp;
use steward_proto::care::v1 as pb;

use super::request::{text, time};
use crate::contract::{Code, condition, predicate, required};
use crate::domain::activity::{Activity, Plan, Risk};
use crate::domain::activity_types::ActivityType;
use crate::domain::community_codes::RegistrationState;
use crate::domain::registration::Registration;

/// Fields of a plan that a mask may name.
pub(super) const FIELDS: [&str; 17] = [
    "family",
    "type_code",
    "title",
    "details",
    "place",
    "start_time",
    "end_time",
    "registration_from_time",
    "registration_to_time",
    "capacity",
    "max_party_size",
    "audience",
    "is_members_only",
    "is_outdoor",
    "risks",
    "budget_cents",
    "plan_item_id",
];

/// A plan out of its message.
pub(super) fn plan(of: &pb::ActivityPlan, bad: &mut Violations) -> Option<Plan> {
    let family = required(bad, "plan.family", of.family);
    let start = bad.timestamp("plan.start_time", of.start_time.as_ref());
    let end = bad.timestamp("plan.end_time", of.end_time.as_ref());
    let from = bad.timestamp("plan.registration_from_time", of.registration_from_time.as_ref());
    let to = bad.timestamp("plan.registration_to_time", of.registration_to_time.as_ref());
    let audience = of.audience.as_ref().map(|of| condition(of, "plan.audience", bad));
    let plan_item_id = bad.optional_id("plan.plan_item_id", &of.plan_item_id);
    let risk = |one: &pb::ActivityRisk| Risk { risk: one.risk.clone(), action: one.action.clone(), owner: one.owner.clone() };
    Some(Plan {
        family: family?,
        type_code: of.type_code.clone(),
        title: of.title.clone(),
        details: of.details.clone(),
        place: of.place.clone(),
        start_time: start?,
        end_time: end?,
        from_time: from?,
        to_time: to?,
        capacity: of.capacity,
        max_party_size: of.max_party_size,
        // A condition that does not read was noted; it is not the same as none.
        audience: match audience {
            Some(read) => Some(read?),
            None => None,
        },
        is_members_only: of.is_members_only,
        is_outdoor: of.is_outdoor,
        risks: of.risks.iter().map(risk).collect(),
        budget_cents: of.budget_cents,
        plan_item_id,
    })
}

/// `before` with the fields that are named as they are in `new`.
pub(super) fn replanned(before: &Plan, new: &Plan, fields: &[String]) -> Plan {
    let mut plan = before.clone();
    for field in fields {
        match field.as_str() {
            "family" => plan.family = new.family,
            "type_code" => plan.type_code.clone_from(&new.type_code),
            "title" => plan.title.clone_from(&new.title),
            "details" => plan.details.clone_from(&new.details),
            "place" => plan.place.clone_from(&new.place),
            "start_time" => plan.start_time = new.start_time,
            "end_time" => plan.end_time = new.end_time,
            "registration_from_time" => plan.from_time = new.from_time,
            "registration_to_time" => plan.to_time = new.to_time,
            "capacity" => plan.capacity = new.capacity,
            "max_party_size" => plan.max_party_size = new.max_party_size,
            "audience" => plan.audience.clone_from(&new.audience),
            "is_members_only" => plan.is_members_only = new.is_members_only,
            "is_outdoor" => plan.is_outdoor = new.is_outdoor,
            "risks" => plan.risks.clone_from(&new.risks),
            "budget_cents" => plan.budget_cents = new.budget_cents,
            "plan_item_id" => plan.plan_item_id = new.plan_item_id,
            // The mask was held against `FIELDS`.
            _ => {}
        }
    }
    plan
}

/// An activity as the caller may see it.
pub(super) fn encode(row: &Activity, access: &Access) -> pb::Activity {
    let (one, counts) = (&row.document, row.counts);
    let is_staff = access.scope.own_customer().is_none();
    let for_staff = |subject: &str| if is_staff { subject.to_owned() } else { String::new() };
    pb::Activity {
        id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        state: row.state.number(),
        plan: Some(encode_plan(&one.plan, is_staff)),
        confirmed_seat_count: counts.seats,
        confirmed_count: counts.confirmed,
        waiting_count: counts.waiting,
        checked_in_count: counts.checked_in,
        no_show_count: counts.no_show,
        opinion_count: counts.opinions,
        is_ad_hoc: one.plan.plan_item_id.is_none(),
        author_subject: for_staff(&one.author_subject),
        approver_subject: for_staff(&one.approver_subject),
        reschedule_count: i32::try_from(one.reschedule_count).unwrap_or(i32::MAX),
        reason_code: one.reason_code.clone(),
        etag: row.row_version.to_string(),
        create_time: Some(to_timestamp(row.create_time)),
        publish_time: time(one.publish_time),
    }
}

fn encode_plan(plan: &Plan, is_staff: bool) -> pb::ActivityPlan {
    let risk = |one: &Risk| pb::ActivityRisk { risk: one.risk.clone(), action: one.action.clone(), owner: one.owner.clone() };
    pb::ActivityPlan {
        family: plan.family.number(),
        type_code: plan.type_code.clone(),
        title: plan.title.clone(),
        details: plan.details.clone(),
        place: plan.place.clone(),
        start_time: Some(to_timestamp(plan.start_time)),
        end_time: Some(to_timestamp(plan.end_time)),
        registration_from_time: Some(to_timestamp(plan.from_time)),
        registration_to_time: Some(to_timestamp(plan.to_time)),
        capacity: plan.capacity,
        max_party_size: plan.max_party_size,
        audience: plan.audience.as_ref().and_then(predicate),
        is_members_only: plan.is_members_only,
        is_outdoor: plan.is_outdoor,
        risks: if is_staff { plan.risks.iter().map(risk).collect() } else { Vec::new() },
        budget_cents: if is_staff { plan.budget_cents } else { 0 },
        plan_item_id: text(plan.plan_item_id),
    }
}

/// A registration; its code only where it is shown to whoever may register the household, and while it opens the door.
pub(super) fn encode_registration(row: &Registration, with_code: bool) -> pb::Registration {
    let shows_code = with_code && row.state == RegistrationState::Confirmed;
    pb::Registration {
        id: row.id.to_string(),
        activity_id: row.activity_id.to_string(),
        estate_id: row.estate_id.to_string(),
        household_id: row.household_id.to_string(),
        unit_id: row.unit_id.to_string(),
        customer_id: text(row.customer_id),
        party_size: u32::try_from(row.party_size).unwrap_or_default(),
        state: row.state.number(),
        sequence: row.sequence,
        waiting_number: row.waiting_number.unwrap_or_default(),
        check_in_code: if shows_code { row.check_in_code.clone() } else { String::new() },
        register_time: Some(to_timestamp(row.register_time)),
        confirm_time: time(row.confirm_time),
        check_in_time: time(row.check_in_time),
        cancel_time: time(row.cancel_time),
    }
}

/// A type of the catalogue.
pub(super) fn encode_type(one: &ActivityType) -> pb::ActivityType {
    pb::ActivityType { code: one.code.clone(), family: one.family.number(), name_zh: one.name_zh.clone(), name_en: one.name_en.clone() }
}
