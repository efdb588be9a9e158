//! The mutations of `steward.plan.v1`.

use serde_json::{Value, json};

use super::Entry;
use crate::replay::ground::Ground;

pub(super) fn entries(ground: &Ground<'_, '_>) -> Vec<Entry> {
    let intake = |name: &str| json!({"intake": {"categories": [{"code": "water", "nameZh": name, "nameEn": "Water"}]}});
    let body =
        |name: &str| -> Value { json!({"scope": {"level": "POLICY_SCOPE_LEVEL_ESTATE", "id": ground.estate}, "document": intake(name)}) };
    vec![Entry::new("plan.v1.PolicyService/CreatePolicyVersion", body("水"), body("给水"))]
}
