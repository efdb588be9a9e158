//! One thing that happened with a customer or a unit (CP-37).

use std::collections::BTreeMap;

use jiff::Timestamp;
use steward_kit::ids::{CustomerId, EstateId, EventId, UnitId};
use uuid::Uuid;

use steward_kit::codes;

codes! {
    /// What an entry is about.
    TimelineKind {
        /// The customer's own record.
        Customer = "customer",
        /// A tenure.
        Tenure = "tenure",
        /// A work order.
        WorkOrder = "work_order",
        /// A message.
        Message = "message",
        /// A consent.
        Consent = "consent",
    }
}

/// An entry as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// The event that it came from.
    pub id: EventId,
    /// The estate.
    pub estate_id: EstateId,
    /// The customer; `None` when it concerns the unit only.
    pub customer_id: Option<CustomerId>,
    /// The unit; `None` when it concerns the customer only.
    pub unit_id: Option<UnitId>,
    /// What it is about.
    pub kind: TimelineKind,
    /// Id of that thing.
    pub subject_id: Uuid,
    /// When it happened.
    pub occur_time: Timestamp,
    /// When it came into the timeline.
    pub record_time: Timestamp,
    /// What happened, as a code.
    pub title_code: String,
    /// Numbers and codes that the text needs.
    pub parameters: BTreeMap<String, String>,
}
