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
    vec![Entry::new("gateway.v1.IntakeService/SubmitReport", report, json!({"text": "水龙头滴水"}))]
}
