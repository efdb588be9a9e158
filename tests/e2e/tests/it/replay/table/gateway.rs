//! The mutations of `steward.gateway.v1`.

use serde_json::json;

use super::Entry;
use crate::replay::ground::Ground;

pub(super) fn entries(ground: &Ground<'_, '_>) -> Vec<Entry> {
    let Ground { estate, unit, customer, .. } = ground;
    let report = json!({
        "channel": "CHANNEL_HOTLINE", "estateId": estate, "unitId": unit, "reporter": {"customerId": customer},
        "kind": "WORK_ORDER_KIND_REPAIR", "text": "灯不亮",
    });
    let plan = json!({
        "planCode": "base", "kinds": ["POLICY_KIND_INTAKE"], "scope": {"level": "POLICY_SCOPE_LEVEL_ESTATE", "id": estate},
    });
    vec![
        Entry::new("gateway.v1.IntakeService/SubmitReport", report, json!({"text": "水龙头滴水"})),
        Entry::new("gateway.v1.PlanService/ApplyServicePlan", plan, json!({"effectiveTime": "2027-01-01T00:00:00Z"})),
    ]
}
