//! From what is recorded to what can be asked.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{ToSpan as _, Unit};
use steward_kit::predicate::SERVICE_WINDOWS;

use super::super::customer::ContactMode;
use super::super::premises::Occupancy;
use super::super::tenure::TenureRole;
use super::journey::{Dates, customer_kind, journey_node, journey_stage};
use super::row::{FactRow, NOBODY};
use super::source::{HouseholdSource, MemberSource, RenovationSource};

/// The rows of a household on a local day: one a member, or one for nobody. Tags are given afterwards: their rules ask these
/// rows.
pub fn derive(household: &HouseholdSource, today: Date) -> Vec<FactRow> {
    let base = household_row(household, today);
    let main = main_contact(&household.members);
    if household.members.is_empty() {
        return vec![base];
    }
    let rows = household.members.iter().enumerate().map(|(at, member)| {
        let row = FactRow { is_main: Some(at) == main, ..base.clone() };
        member_row(row, household, member, today)
    });
    rows.collect()
}

fn household_row(household: &HouseholdSource, today: Date) -> FactRow {
    let unit = &household.unit;
    let renovation = household.renovation;
    let is_renovating = renovation.is_some_and(|renovation| renovation.is_active) || unit.occupancy == Occupancy::Renovating;
    let ages: Vec<i32> = household.members.iter().filter_map(|member| age(member.birth_date?, today)).collect();
    let is_owner = |member: &MemberSource| matches!(member.role, TenureRole::Owner | TenureRole::CoOwner);
    FactRow {
        household_id: household.id,
        customer_id: NOBODY,
        estate_id: household.estate_id,
        unit_id: household.unit_id,
        is_main: true,
        occupancy: occupancy(unit.occupancy, is_renovating, unit.delivery_date, today),
        occupancy_date: occupancy_date(household, is_renovating),
        delivered_date: unit.delivery_date,
        is_delivered: is_delivered(unit.occupancy, unit.delivery_date, today),
        moved_in_date: household.moved_in_date,
        is_renovating,
        renovation_start_date: renovation.map(|renovation| renovation.start_date),
        renovation_end_date: renovation.map(|renovation| renovation.end_date),
        has_major_complaint: household.major_complaint_date.is_some(),
        major_complaint_date: household.major_complaint_date,
        member_count: household.members.len(),
        has_owner: household.members.iter().any(is_owner),
        is_reachable: household.members.iter().any(|member| member.is_reachable),
        eldest_age: ages.iter().max().copied(),
        youngest_age: ages.iter().min().copied(),
        household_tags: Vec::new(),
        unit_kind: unit.premises_type.as_str(),
        building_code: unit.building_code.clone(),
        entrance_code: unit.entrance_code.clone(),
        floor: unit.floor,
        area_square_metres: Some(unit.area_square_metres).filter(|area| *area > 0.0),
        tenure_role: None,
        tenure_from_date: None,
        party: None,
        customer_kind: None,
        journey_stage: None,
        journey_node: None,
        age: None,
        age_band: None,
        family_structure: None,
        occupation: None,
        is_company_owner: None,
        has_opted_out_of_profiling: None,
        tier: None,
        contact_mode: None,
        do_not_disturb: None,
        preferred_language: None,
        tags: Vec::new(),
        service_use: service_use(household, None, today),
    }
}

fn member_row(base: FactRow, household: &HouseholdSource, member: &MemberSource, today: Date) -> FactRow {
    let is_tenant = member.role == TenureRole::Tenant;
    let dates = Dates {
        subscription: member.subscription_date,
        signing: member.signing_date,
        // A tenant's time in the unit begins with the lease, whenever it was handed over.
        delivery: if is_tenant { Some(member.from_date) } else { household.unit.delivery_date },
        move_in: if is_tenant { Some(member.from_date) } else { household.moved_in_date },
    };
    let stage = journey_stage(&dates, today);
    let age = member.birth_date.and_then(|birth| age(birth, today));
    let told = |code: &str| member.attributes.get(code).cloned();
    FactRow {
        customer_id: member.customer_id.as_uuid(),
        tenure_role: Some(member.role.as_str()),
        tenure_from_date: Some(member.from_date),
        party: Some(member.party.as_str()),
        customer_kind: customer_kind(member.role, &dates, today),
        journey_stage: stage,
        journey_node: stage.and_then(journey_node),
        age,
        age_band: age.map(age_band),
        family_structure: told("family_structure"),
        occupation: told("occupation"),
        is_company_owner: told("is_company_owner").map(|value| value == "true"),
        has_opted_out_of_profiling: Some(told("has_opted_out_of_profiling").is_some_and(|value| value == "true")),
        tier: told("tier"),
        contact_mode: match member.contact_mode {
            ContactMode::Unspecified | ContactMode::Online => Some("online"),
            ContactMode::Offline => Some("offline"),
        },
        do_not_disturb: Some(member.do_not_disturb),
        preferred_language: Some(member.language.as_str()),
        service_use: service_use(household, Some(member), today),
        ..base
    }
}

/// The member to turn to first: who lives there before who owns it, and who can be reached before who cannot.
fn main_contact(members: &[MemberSource]) -> Option<usize> {
    let rank = |role: TenureRole| match role {
        TenureRole::Tenant | TenureRole::Occupant => 0,
        TenureRole::Owner => 1,
        TenureRole::CoOwner => 2,
        TenureRole::CompanyContact => 3,
        TenureRole::FamilyMember => 4,
        TenureRole::Agent => 5,
    };
    let best = members.iter().enumerate().min_by_key(|(_, member)| {
        let order = (member.role, member.from_date, member.customer_id.as_uuid());
        (!member.is_reachable, rank(member.role), order)
    });
    best.map(|(at, _)| at)
}

/// A renovation under way goes before the use that is recorded; without a record the day of handover tells the little it can.
fn occupancy(recorded: Occupancy, is_renovating: bool, delivery_date: Option<Date>, today: Date) -> Option<&'static str> {
    if is_renovating {
        return Some("renovating");
    }
    match recorded {
        Occupancy::Undelivered if delivery_date.is_some_and(|date| date <= today) => Some("delivered"),
        Occupancy::Undelivered => Some("undelivered"),
        Occupancy::DeliveredNotMovedIn => Some("delivered"),
        Occupancy::Renovating => Some("renovating"),
        Occupancy::Occupied => Some("occupied"),
        Occupancy::Leased => Some("leased"),
        Occupancy::Vacant => Some("vacant"),
        Occupancy::Unspecified => delivery_date.filter(|date| *date > today).map(|_| "undelivered"),
    }
}

fn occupancy_date(household: &HouseholdSource, is_renovating: bool) -> Option<Date> {
    let active: Option<RenovationSource> = household.renovation.filter(|renovation| renovation.is_active);
    match active {
        Some(renovation) if is_renovating => Some(renovation.start_date),
        Some(_) | None => household.occupancy_date,
    }
}

fn is_delivered(recorded: Occupancy, delivery_date: Option<Date>, today: Date) -> bool {
    match (delivery_date, recorded) {
        (Some(date), _) => date <= today,
        (None, Occupancy::Unspecified | Occupancy::Undelivered) => false,
        (None, Occupancy::DeliveredNotMovedIn | Occupancy::Renovating | Occupancy::Occupied | Occupancy::Leased | Occupancy::Vacant) => {
            true
        }
    }
}

/// Completed years.
fn age(birth: Date, today: Date) -> Option<i32> {
    today.since((Unit::Year, birth)).ok().map(|span| i32::from(span.get_years())).filter(|years| *years >= 0)
}

fn age_band(age: i32) -> &'static str {
    match age {
        ..=13 => "0_13",
        14..=17 => "14_17",
        18..=24 => "18_24",
        25..=35 => "25_35",
        36..=44 => "36_44",
        45..=59 => "45_59",
        60..=69 => "60_69",
        70..=79 => "70_79",
        80.. => "80_plus",
    }
}

/// Uses by service and window, today included. What nobody is named for counts for each member.
fn service_use(household: &HouseholdSource, member: Option<&MemberSource>, today: Date) -> BTreeMap<String, i64> {
    let mut uses = BTreeMap::new();
    for usage in &household.usages {
        let counts = match (usage.customer_id, member) {
            (None, _) | (Some(_), None) => true,
            (Some(user), Some(member)) => user == member.customer_id,
        };
        for window in SERVICE_WINDOWS {
            let first = today.saturating_sub((i64::from(window) - 1).days());
            if counts && usage.use_date >= first && usage.use_date <= today {
                *uses.entry(format!("{}_{window}d", usage.service_code)).or_default() += usage.use_count;
            }
        }
    }
    uses
}
