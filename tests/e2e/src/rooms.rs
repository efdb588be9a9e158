//! Which room answers what.

use crate::Room;

/// Rooms that consume events and own policies: each answers for itself.
const SERVICES: &[Room] = &[Room::Customer, Room::WorkOrder, Room::Notification, Room::Survey, Room::Care];

/// The rooms that answer an RPC around the gateway; none for a path that is not of the suite.
pub fn rooms_of(path: &str) -> &'static [Room] {
    match path.split('.').nth(1) {
        Some("customer") => &[Room::Customer],
        Some("work_order") => &[Room::WorkOrder],
        Some("notification") => &[Room::Notification],
        Some("gateway") => &[Room::Gateway],
        Some("survey") => &[Room::Survey],
        Some("care") => &[Room::Care],
        Some("operation" | "plan") => SERVICES,
        // Those that own facts to count.
        Some("metric") => &[Room::Customer, Room::WorkOrder, Room::Survey, Room::Care],
        _ => &[],
    }
}
