//! How orders belong together: merged because they are one matter (WO-39), or split because one was several.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use steward_kit::codes;
use steward_kit::ids::WorkOrderId;

use super::policy::Policies;
use super::work_order::WorkOrder;

/// Most duplicates that one order leads: an incident is for more.
pub const MOST_DUPLICATES: usize = 200;

codes! {
    /// Why an order may be the same matter as another (WO-04).
    DuplicateReason {
        /// It is about the same unit.
        SameUnit = "same_unit",
        /// The same customer reported it.
        SameCustomer = "same_customer",
        /// It is of the same kind.
        SameKind = "same_kind",
        /// It is of the same category.
        SameCategory = "same_category",
    }
}

/// The relations of an order. Each stands on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// The order that leads its matter.
    pub duplicate_of: Option<WorkOrderId>,
    /// Orders of its matter that it leads.
    #[serde(default)]
    pub duplicates: Vec<WorkOrderId>,
    /// The order that it was split off.
    #[serde(default)]
    pub split_from: Option<WorkOrderId>,
    /// What was split off it.
    #[serde(default)]
    pub split_into: Vec<WorkOrderId>,
    /// When the matter that it was merged into was settled, as far as its reporter was told.
    #[serde(default)]
    pub settle_time: Option<Timestamp>,
}

impl Lineage {
    /// Whether the order stands alone.
    pub fn is_alone(&self) -> bool {
        self.duplicate_of.is_none() && self.duplicates.is_empty() && self.split_from.is_none() && self.split_into.is_empty()
    }
}

impl Policies {
    /// How far apart two reports of one matter are received at most; `None`: nobody looks for any.
    pub fn duplicate_window(&self) -> Option<SignedDuration> {
        let hours = self.intake.iter().map(|layer| layer.document.duplicate_within_hours).find(|hours| *hours > 0)?;
        Some(SignedDuration::from_hours(hours.into()))
    }
}

/// What speaks for another order of the estate being the same matter: the unit or the customer, and the kind or the category. Empty when
/// too little does.
pub fn duplicate_reasons(order: &WorkOrder, other: &WorkOrder) -> Vec<DuplicateReason> {
    let same_unit = order.unit_id.is_some() && order.unit_id == other.unit_id;
    let same_customer = order.customer_id.is_some() && order.customer_id == other.customer_id;
    let same_kind = order.kind == other.kind;
    let same_category = !order.category.is_empty() && order.category == other.category;
    if !(same_unit || same_customer) || !(same_kind || same_category) {
        return Vec::new();
    }
    let all = [
        (same_unit, DuplicateReason::SameUnit),
        (same_customer, DuplicateReason::SameCustomer),
        (same_kind, DuplicateReason::SameKind),
        (same_category, DuplicateReason::SameCategory),
    ];
    all.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect()
}
