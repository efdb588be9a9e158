//! The register of an estate of the quarter: 48 homes, made by rule, so that its faults can be counted without looking.

use steward_proto::customer::v1::ExitKind;

/// Homes of the estate.
pub(super) const HOMES: usize = 48;

/// Homes that are handed over before the quarter; the others wait for their batch.
pub(super) const DELIVERED: usize = 44;

/// Of those that wait, so many are handed over within the batch's window.
pub(super) const HANDED_OVER: usize = 3;

/// Owners of whom the desk made a second record.
pub(super) const RECORDED_TWICE: usize = 2;

/// Nobody knows who owns it: a tenant is on record alone.
fn has_no_owner(home: usize) -> bool {
    home % 12 == 5
}

/// It is let; tenant and owner are on record.
fn is_let(home: usize) -> bool {
    home % 7 == 3 && home < DELIVERED && !has_no_owner(home)
}

/// Nobody there can be reached by phone.
fn has_no_phone(home: usize) -> bool {
    home % 16 == 7
}

/// Somebody who leaves in the quarter.
#[derive(Clone, Copy)]
pub(super) struct Leaver {
    pub(super) home: usize,
    pub(super) kind: ExitKind,
    /// A tenant whose tenure ends; else a service or a membership of whoever is turned to first.
    pub(super) is_tenant: bool,
    /// Lost by what the service is answerable for; else by nature (F-13b).
    pub(super) is_lost: bool,
}

/// Who leaves: the tenants of two homes that are let, and two owners give something up.
pub(super) const LEFT: [Leaver; 4] = [
    Leaver { home: 10, kind: ExitKind::MovedOut, is_tenant: true, is_lost: false },
    Leaver { home: 24, kind: ExitKind::CommercialTenantLeft, is_tenant: true, is_lost: true },
    Leaver { home: 2, kind: ExitKind::SubscriptionCancelled, is_tenant: false, is_lost: true },
    Leaver { home: 4, kind: ExitKind::ClubLapsed, is_tenant: false, is_lost: true },
];

/// Owners and tenants on record on 1 January.
pub(super) fn active_at_new_year() -> i64 {
    let owners = (0..DELIVERED).filter(|home| !has_no_owner(*home)).count();
    let tenants = (0..HOMES).filter(|home| is_let(*home) || has_no_owner(*home)).count();
    count(owners + tenants)
}

/// `2-1-503`
pub(super) fn full_code(home: usize) -> String {
    format!("{}-1-{}", home / 24 + 1, unit_code(home))
}

fn unit_code(home: usize) -> usize {
    (home % 24 / 4 + 1) * 100 + home % 4 + 1
}

/// The phone of the owner of a home; different in each estate.
pub(super) fn phone(estate: usize, home: usize) -> String {
    format!("199{estate}{:07}", home + 1)
}

/// The register as a file.
pub(super) fn csv(estate: usize) -> String {
    let mut lines = vec![
        "building,entrance,unit,floor,area_sqm,premises_type,delivery_date,occupancy,customer_kind,name,phone,email,id_number,role,from_date,to_date,language"
            .to_owned(),
    ];
    for home in 0..HOMES {
        let (delivery, occupancy, from) = match home < DELIVERED {
            true if is_let(home) || has_no_owner(home) => ("2024-03-31", "leased", "2024-03-31"),
            true => ("2024-03-31", "occupied", "2024-03-31"),
            false => ("", "undelivered", "2026-05-01"),
        };
        let place = format!("{},1,{},{},89.4,residential,{delivery},{occupancy}", home / 24 + 1, unit_code(home), home % 24 / 4 + 1);
        if !has_no_owner(home) {
            let phone = if has_no_phone(home) { String::new() } else { phone(estate, home) };
            lines.push(format!("{place},person,业主{home},{phone},,,owner,{from},,zh-CN"));
        }
        if is_let(home) || has_no_owner(home) {
            lines.push(format!("{place},person,租户{home},{},,,tenant,2025-03-01,,zh-CN", phone(estate, home + 1000)));
        }
    }
    lines.join("\n") + "\n"
}

/// Records that look like another's, of all records (CP-02).
pub(super) fn recorded_twice() -> (i64, i64) {
    let owners = (0..HOMES).filter(|home| !has_no_owner(*home)).count();
    let tenants = (0..HOMES).filter(|home| is_let(*home) || has_no_owner(*home)).count();
    (count(RECORDED_TWICE), count(owners + tenants + RECORDED_TWICE))
}

/// Complete files, of all homes that were handed over by the end of the quarter (CP-53).
pub(super) fn complete() -> (i64, i64) {
    let all = DELIVERED + HANDED_OVER;
    let complete = (0..all).filter(|home| !has_no_owner(*home) && (!has_no_phone(*home) || is_let(*home))).count();
    (count(complete), count(all))
}

pub(super) fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap()
}
