//! From the domain's types to messages. Personal data leave masked; the two RPCs that answer plain values encode their own.

use jiff::Timestamp;
use steward_kit::proto::{to_date, to_timestamp};
use steward_proto::customer::v1 as pb;

use crate::contract::Code;
use crate::domain::customer::Customer;
use crate::domain::estate::Estate;
use crate::domain::estate_import::{EstateImport, ImportRow};
use crate::domain::household::{Household, Member};
use crate::domain::register_file::Problem;
use crate::domain::timeline::TimelineEntry;
use crate::domain::unit::{Building, Entrance, Unit};
use crate::events::publish::contactability;
use crate::store::tenures::ShownTenure;
use crate::store::tree::BuildingNode;

fn time(instant: Timestamp) -> Option<prost_types::Timestamp> {
    Some(to_timestamp(instant))
}

fn optional(id: Option<impl ToString>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

pub(super) fn estate(estate: &Estate) -> pb::Estate {
    pb::Estate {
        id: estate.id.to_string(),
        group_id: estate.group_id.to_string(),
        region_id: estate.region_id.to_string(),
        name: estate.name.clone(),
        code: estate.code.clone(),
        city_code: estate.city_code.clone(),
        time_zone: estate.time_zone.clone(),
        premises_type: estate.premises_type.number(),
        unit_count: estate.unit_count,
        etag: estate.row_version.to_string(),
        create_time: time(estate.create_time),
        update_time: time(estate.update_time),
    }
}

pub(super) fn building(building: &Building) -> pb::Building {
    pb::Building {
        id: building.id.to_string(),
        estate_id: building.estate_id.to_string(),
        code: building.code.clone(),
        name: building.name.clone(),
        floor_count: building.floor_count,
        create_time: time(building.create_time),
    }
}

pub(super) fn entrance(entrance: &Entrance) -> pb::Entrance {
    pb::Entrance {
        id: entrance.id.to_string(),
        estate_id: entrance.estate_id.to_string(),
        building_id: entrance.building_id.to_string(),
        code: entrance.code.clone(),
        create_time: time(entrance.create_time),
    }
}

pub(super) fn building_node(node: &BuildingNode) -> pb::BuildingNode {
    let entrances = node.entrances.iter();
    pb::BuildingNode {
        building: Some(building(&node.building)),
        entrances: entrances
            .map(|(known, unit_count)| pb::EntranceNode { entrance: Some(entrance(known)), unit_count: *unit_count })
            .collect(),
        unit_count: node.unit_count,
    }
}

pub(super) fn unit(unit: &Unit) -> pb::Unit {
    pb::Unit {
        id: unit.id.to_string(),
        estate_id: unit.estate_id.to_string(),
        building_id: unit.building_id.to_string(),
        entrance_id: optional(unit.entrance_id),
        building_code: unit.building_code.clone(),
        entrance_code: unit.entrance_code.clone(),
        code: unit.code.clone(),
        full_code: unit.full_code(),
        floor: unit.floor,
        premises_type: unit.premises_type.number(),
        area_square_metres: unit.area_square_metres,
        delivery_date: unit.delivery_date.map(to_date).unwrap_or_default(),
        occupancy: unit.occupancy.number(),
        etag: unit.row_version.to_string(),
        create_time: time(unit.create_time),
        update_time: time(unit.update_time),
    }
}

pub(super) fn customer(customer: &Customer) -> pb::Customer {
    let masked = customer.personal.masked(customer.kind);
    pb::Customer {
        id: customer.id.to_string(),
        number: customer.number_text(),
        kind: customer.kind.number(),
        home_estate_id: customer.home_estate_id.to_string(),
        name: masked.name,
        phone: masked.phone,
        email: masked.email,
        id_number: masked.id_number,
        address: masked.address,
        preferred_language: customer.language.as_str().to_owned(),
        contactability: Some(contactability(customer.contactability)),
        source: customer.source.number(),
        etag: customer.row_version.to_string(),
        create_time: time(customer.create_time),
        update_time: time(customer.update_time),
        erase_time: customer.erase_time.map(to_timestamp),
    }
}

pub(super) fn tenure(shown: &ShownTenure) -> pb::Tenure {
    let tenure = &shown.tenure;
    pb::Tenure {
        id: tenure.id.to_string(),
        estate_id: tenure.estate_id.to_string(),
        unit_id: tenure.unit_id.to_string(),
        unit_full_code: shown.unit_full_code.clone(),
        customer_id: tenure.customer_id.to_string(),
        customer_name: shown.customer_name.clone(),
        role: tenure.role.number(),
        from_date: to_date(tenure.from_date),
        to_date: tenure.to_date.map(to_date).unwrap_or_default(),
        source: tenure.source.as_str().to_owned(),
        etag: tenure.row_version.to_string(),
        create_time: time(tenure.create_time),
        update_time: time(tenure.update_time),
    }
}

pub(super) fn household(household: &Household) -> pb::Household {
    pb::Household {
        id: household.id.to_string(),
        estate_id: household.estate_id.to_string(),
        unit_id: household.unit_id.to_string(),
        unit_full_code: household.unit_full_code.clone(),
        members: household.members.iter().map(member).collect(),
        main_contact_customer_id: optional(household.main_contact()),
        is_complete: household.is_complete(),
        update_time: time(household.update_time),
    }
}

fn member(member: &Member) -> pb::HouseholdMember {
    pb::HouseholdMember {
        customer_id: member.customer_id.to_string(),
        tenure_id: member.tenure_id.to_string(),
        role: member.role.number(),
        name: member.masked.name.clone(),
        phone: member.masked.phone.clone(),
    }
}

pub(super) fn estate_import(import: &EstateImport) -> pb::EstateImport {
    let progress = import.progress;
    pb::EstateImport {
        id: import.id.to_string(),
        estate_id: import.estate_id.to_string(),
        file_name: import.file_name.clone(),
        size_bytes: import.size_bytes,
        received_bytes: import.received_bytes,
        state: import.state.number(),
        progress: Some(pb::EstateImportProgress {
            row_count: progress.row_count,
            planned_count: progress.planned_count,
            applied_count: progress.applied_count,
            create_count: progress.create_count,
            update_count: progress.update_count,
            unchanged_count: progress.unchanged_count,
            refused_count: progress.refused_count,
        }),
        ignored_columns: import.ignored_columns.clone(),
        failure_code: import.failure_code.clone(),
        failure_detail: import.failure_detail.clone(),
        etag: import.row_version.to_string(),
        create_time: time(import.create_time),
        update_time: time(import.update_time),
        end_time: import.end_time.map(to_timestamp),
        paused_state: import.paused_state.map(Code::number).unwrap_or_default(),
        expire_time: import.expire_time().map(to_timestamp),
    }
}

pub(super) fn import_row(row: &ImportRow) -> pb::EstateImportRow {
    pb::EstateImportRow {
        line: number(row.line),
        action: row.action.number(),
        unit_full_code: row.unit_full_code.clone(),
        problems: row.problems.iter().map(problem).collect(),
        is_applied: row.is_applied,
        unit_id: optional(row.unit_id),
        customer_id: optional(row.customer_id),
    }
}

fn problem(problem: &Problem) -> pb::EstateImportProblem {
    pb::EstateImportProblem {
        line: number(problem.line),
        column: problem.column.clone(),
        column_number: number(problem.column_number),
        reason: problem.reason.number(),
        description: problem.description.clone(),
    }
}

fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

pub(super) fn timeline_entry(entry: &TimelineEntry) -> pb::TimelineEntry {
    pb::TimelineEntry {
        id: entry.id.to_string(),
        estate_id: entry.estate_id.to_string(),
        customer_id: optional(entry.customer_id),
        unit_id: optional(entry.unit_id),
        kind: entry.kind.number(),
        subject_id: entry.subject_id.to_string(),
        occur_time: time(entry.occur_time),
        record_time: time(entry.record_time),
        title_code: entry.title_code.clone(),
        parameters: entry.parameters.clone().into_iter().collect(),
    }
}
