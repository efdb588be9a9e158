//! The mutations of `steward.customer.v1` about how people live: attributes, key dates, renovations.

use anyhow::Result;
use serde_json::{Value, json};

use super::Entry;
use crate::replay::ground::{Ground, id};

pub(super) async fn entries(ground: &Ground<'_, '_>) -> Result<Vec<Entry>> {
    let Ground { unit, customer, .. } = ground;
    let entry = |rpc: &str, body: Value, other: Value| Entry::new(&format!("customer.v1.{rpc}"), body, other);
    let date = json!({
        "requestId": id(), "customerId": customer, "kind": "KEY_DATE_KIND_MOVE_IN", "occurDate": "2024-05-01", "unitId": unit,
        "source": "steward",
    });
    let to_delete = ground.make("customer.v1.ProfileService/SetKeyDate", "keyDate", date).await?;
    let [to_declare, to_start, to_finish, to_cancel] =
        [ground.a_unit("301").await?, renovation(ground, "302").await?, renovation(ground, "303").await?, renovation(ground, "304").await?];
    ground.ask("customer.v1.RenovationService/StartRenovation", json!({"requestId": id(), "renovationId": to_finish})).await?;
    Ok(vec![
        entry(
            "ProfileService/SetCustomerAttribute",
            json!({"customerId": customer, "kind": "CUSTOMER_ATTRIBUTE_KIND_TIER", "value": "premium", "source": "steward"}),
            json!({"value": "essential"}),
        ),
        entry(
            "ProfileService/SetKeyDate",
            json!({
                "customerId": customer, "kind": "KEY_DATE_KIND_SIGNING", "occurDate": "2024-04-01", "unitId": unit, "source": "steward",
            }),
            json!({"occurDate": "2024-04-02"}),
        ),
        entry("ProfileService/DeleteKeyDate", json!({"customerId": customer, "keyDateId": to_delete}), json!({"keyDateId": id()})),
        entry(
            "ProfileService/RecordServiceUsage",
            json!({"unitId": unit, "serviceCode": "parcel", "useCount": 1, "useTime": "2026-07-13T02:00:00Z"}),
            json!({"useCount": 2}),
        ),
        entry(
            "RenovationService/RecordOccupancy",
            json!({"unitId": unit, "occupancy": "OCCUPANCY_OCCUPIED", "fromDate": "2024-06-01", "source": "steward"}),
            json!({"fromDate": "2024-06-02"}),
        ),
        entry(
            "RenovationService/DeclareRenovation",
            json!({"unitId": to_declare, "plannedFromDate": "2026-08-01", "plannedToDate": "2026-09-01"}),
            json!({"plannedToDate": "2026-10-01"}),
        ),
        entry("RenovationService/StartRenovation", json!({"renovationId": to_start}), json!({"renovationId": id()})),
        entry("RenovationService/FinishRenovation", json!({"renovationId": to_finish}), json!({"renovationId": id()})),
        entry("RenovationService/CancelRenovation", json!({"renovationId": to_cancel}), json!({"renovationId": id()})),
    ])
}

/// A renovation that is declared.
async fn renovation(ground: &Ground<'_, '_>, unit: &str) -> Result<String> {
    let unit = ground.a_unit(unit).await?;
    let declared = json!({"requestId": id(), "unitId": unit, "plannedFromDate": "2026-07-14", "plannedToDate": "2026-09-01"});
    ground.make("customer.v1.RenovationService/DeclareRenovation", "renovation", declared).await
}
